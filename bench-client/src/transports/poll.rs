//! What both polling transports do: ask on a kept (or fresh) connection, read the answer, remember the cursor.

use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use futures_util::{FutureExt, future::LocalBoxFuture};
use http::Request;
use server::wire::Cursor;
use tokio::time::timeout;

use super::{
    Arrivals, Endpoint, Session, SessionError,
    decode::Decoder,
    framing::{self, Answer, DATE},
    http::{Head, HttpConnection, Requests, encode, get_request, went_away},
};
use crate::{
    headers::Purpose,
    net::{Net, count},
};

/// How long an answer may take beyond the time the server was asked to hold it.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);

/// Answers in a row that may say `more`: a million updates.
const ANSWERS_MAX: u32 = 1_000;

/// One client that asks again and again.
pub struct Poller {
    net: Net,
    endpoint: Arc<Endpoint>,
    requests: Requests,
    decoder: Decoder,
    connection: Option<HttpConnection>,
    cursor: Option<Cursor>,
    /// The first answer, until it is handed out.
    first: Option<Arrivals>,
}

impl Poller {
    /// Connects and asks once: a poller is set up when it has its first answer (a long poll that resumes: its connection). Returns the
    /// bytes that took as well.
    pub async fn open(
        id: &'static str,
        net: &Net,
        endpoint: &Arc<Endpoint>,
        since: Option<Cursor>,
    ) -> Result<(Self, u64), SessionError> {
        let mut poller = Self {
            net: net.clone(),
            endpoint: endpoint.clone(),
            requests: Requests::new(|since| request(id, endpoint, since))?,
            decoder: Decoder::new(endpoint.topics.clone()),
            connection: None,
            cursor: since,
            first: None,
        };
        if since.is_some() && id == super::long_poll::ID {
            // A resuming long poll is held until there is news, which is no part of setting it up: its connection is.
            poller.connection = Some(HttpConnection::open(net, endpoint).await?);
            return Ok((poller, 0));
        }
        let mut first = Arrivals::default();
        let setup_bytes = poller.poll(&mut first).await?.bytes;
        poller.first = Some(first);
        Ok((poller, setup_bytes))
    }

    /// Where it stands: everything up to here was handed out, or is in the first answer.
    pub fn cursor(&self) -> Option<Cursor> {
        self.cursor
    }

    /// What the opening poll brought, once.
    pub fn take_first(&mut self, arrivals: &mut Arrivals) -> bool {
        self.first.take().map(|first| *arrivals = first).is_some()
    }

    /// Asks until an answer is whole: an answer that says `more` is followed by the next request at once.
    pub async fn poll_all(&mut self, arrivals: &mut Arrivals) -> Result<(), SessionError> {
        for _ in 0..ANSWERS_MAX {
            if !self.poll(arrivals).await?.more {
                return Ok(());
            }
        }
        Err(SessionError::Protocol(format!(
            "{ANSWERS_MAX} answers in a row, each of which said that there is more"
        )))
    }

    async fn poll(&mut self, arrivals: &mut Arrivals) -> Result<Polled, SessionError> {
        self.net.may_ask().await;
        let limit = ANSWER_TIMEOUT + Duration::from_millis(self.endpoint.wait_ms);
        match timeout(limit, self.exchange(arrivals)).await {
            Ok(polled) => polled,
            Err(_) => Err(SessionError::TimedOut(limit.as_secs())),
        }
    }

    async fn exchange(&mut self, arrivals: &mut Arrivals) -> Result<Polled, SessionError> {
        let (mut connection, head) = self.ask().await?;
        connection.accept(&head, "application/json").await?;
        let decoder = &mut self.decoder;
        let read = connection.body(|meter, body| decoder.answer(body, meter.last_read_us(), arrivals));
        let answer = read.await?;
        if answer.updates == 0 {
            count(&self.net.counters.empty_responses, 1);
        }
        self.cursor = Some(answer.cursor);
        let polled = Polled {
            more: answer.more,
            bytes: connection.meter().bytes(),
        };
        if self.endpoint.keep_alive {
            self.connection = Some(connection);
        }
        Ok(polled)
    }

    /// Asks on the kept connection; when the server closed that while it was idle, or spoke on it, on a fresh one, as browsers do.
    async fn ask(&mut self) -> Result<(HttpConnection, Head), SessionError> {
        let request = self.requests.bytes(self.cursor);
        if let Some(mut kept) = self.connection.take().filter(HttpConnection::is_open) {
            match kept.get(&request).await {
                Ok(head) => return Ok((kept, head)),
                Err(error) if went_away(&error) => {}
                Err(error) => return Err(error),
            }
        }
        // Rare, and large: it is no part of every poll's state.
        let fresh = async {
            let mut fresh = HttpConnection::open(&self.net, &self.endpoint).await?;
            self.net.may_ask().await;
            let head = fresh.get(&request).await?;
            Ok((fresh, head))
        };
        fresh.boxed_local().await
    }
}

/// What a poller does from one delivery to the next.
pub trait Steps: 'static {
    /// Waits for the next delivery and appends what it brought.
    fn step(&mut self, arrivals: &mut Arrivals) -> impl Future<Output = Result<(), SessionError>>;

    /// Everything up to here was handed out.
    fn cursor(&self) -> Option<Cursor>;
}

/// A poller as a session.
pub struct Polling<S> {
    /// None while a step is under way, which has it then.
    at_rest: Option<Box<S>>,
    under_way: Option<UnderWay<S>>,
    cursor: Option<Cursor>,
    setup_bytes: u64,
    /// Where a step puts its updates: the room is used again.
    room: Arrivals,
}

type UnderWay<S> = LocalBoxFuture<'static, (Box<S>, Arrivals, Result<(), SessionError>)>;

impl<S: Steps> Polling<S> {
    /// `since`: where the client stood before its first answer, which is still to be handed out.
    pub fn new(steps: S, since: Option<Cursor>, setup_bytes: u64) -> Self {
        Self {
            at_rest: Some(Box::new(steps)),
            under_way: None,
            cursor: since,
            setup_bytes,
            room: Arrivals::default(),
        }
    }
}

impl<S: Steps> Session for Polling<S> {
    fn poll_next(&mut self, cx: &mut Context<'_>, arrivals: &mut Arrivals) -> Poll<Result<(), SessionError>> {
        if let Some(mut steps) = self.at_rest.take() {
            let mut room = std::mem::take(&mut self.room);
            let step = async move {
                let result = steps.step(&mut room).await;
                (steps, room, result)
            };
            self.under_way = Some(step.boxed_local());
        }
        // One of the two is there.
        let Some(under_way) = &mut self.under_way else {
            return Poll::Ready(Err(SessionError::Ended));
        };
        let (steps, mut room, result) = ready!(Pin::new(under_way).poll(cx));
        self.under_way = None;
        self.cursor = steps.cursor();
        self.at_rest = Some(steps);
        arrivals.reset |= room.reset;
        arrivals.updates.append(&mut room.updates);
        room.clear();
        self.room = room;
        Poll::Ready(result)
    }

    fn cursor(&self) -> Option<Cursor> {
        self.cursor
    }

    fn setup_bytes(&self) -> u64 {
        self.setup_bytes
    }
}

/// What the answer to one poll says besides its updates.
struct Polled {
    more: bool,
    /// Bytes of the connection so far.
    bytes: u64,
}

fn request(id: &str, endpoint: &Endpoint, since: Option<Cursor>) -> Result<Request<()>, SessionError> {
    let headers = endpoint.headers.headers(Purpose::Fetch, &endpoint.authority);
    get_request(endpoint, &endpoint.target(id, since), &headers)
}

/// Bytes of a poll's request: of the one that is sent.
pub fn request_bytes(id: &str, endpoint: &Endpoint, since: Option<Cursor>) -> u64 {
    // An address that makes no request has sent none.
    request(id, endpoint, since).map_or(0, |request| encode(&request).len() as u64)
}

/// Bytes of a poll's answer:
///
/// ```text
/// HTTP/1.1 200 OK
/// content-type: application/json
/// cache-control: no-store
/// etag: "1763631127000-42"
/// content-length: …
/// date: Thu, 20 Nov 2026 12:00:00 GMT
///
/// {"updates":[{…},{…}],"cursor":"1763631127000-42"}
/// ```
pub fn answer_bytes(endpoint: &Endpoint, answer: Answer) -> u64 {
    let cursor = answer.cursor;
    let commas = answer.updates.saturating_sub(1);
    let envelope = format!(r#"{{"updates":[],"cursor":"{cursor}"}}"#).len() as u64;
    let body = envelope + commas + answer.updates * answer.update_bytes;
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncache-control: no-store\r\netag: \"{cursor}\"\r\n{}\
         content-length: {body}\r\ndate: {DATE}\r\n\r\n",
        framing::close_header(endpoint)
    );
    head.len() as u64 + body
}
