//! What both polling transports do: ask on a kept (or fresh) connection, read the answer, remember the cursor.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body_util::Empty;
use hyper::body::Incoming;
use server::wire::{Cursor, PollAnswer};
use tokio::time::timeout;

use super::{
    Arrivals, Endpoint, SessionError, TopicIndex, decode,
    framing::{self, Answer, DATE},
    http::{HttpConnection, get_request, went_away},
    not_understood,
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
    id: &'static str,
    net: Net,
    endpoint: Arc<Endpoint>,
    headers: HeaderMap,
    connection: Option<HttpConnection>,
    cursor: Option<Cursor>,
    /// The first answer, until it is handed out, and where the client stood before it.
    first: Option<(Arrivals, Option<Cursor>)>,
    pub setup_bytes: u64,
}

impl Poller {
    /// Connects and asks once: a poller is set up when it has its first answer (a long poll that resumes: its connection).
    pub async fn open(
        id: &'static str,
        net: &Net,
        endpoint: &Arc<Endpoint>,
        since: Option<Cursor>,
    ) -> Result<Self, SessionError> {
        let headers = endpoint.headers.headers(Purpose::Fetch, &endpoint.authority);
        let (net, endpoint) = (net.clone(), endpoint.clone());
        let mut poller = Self {
            id,
            net,
            endpoint,
            headers,
            connection: None,
            cursor: since,
            first: None,
            setup_bytes: 0,
        };
        if since.is_some() && id == super::long_poll::ID {
            // A resuming long poll is held until there is news, which is no part of setting it up: its connection is.
            poller.connection = Some(HttpConnection::open(&poller.net, &poller.endpoint).await?);
        } else {
            let mut first = Arrivals::default();
            poller.setup_bytes = poller.poll(&mut first).await?.bytes;
            poller.first = Some((first, since));
        }
        Ok(poller)
    }

    pub fn cursor(&self) -> Option<Cursor> {
        match &self.first {
            Some((_, before)) => *before,
            None => self.cursor,
        }
    }

    /// What the opening poll brought, once.
    pub fn take_first(&mut self, arrivals: &mut Arrivals) -> bool {
        self.first.take().map(|(first, _)| *arrivals = first).is_some()
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
        let (mut connection, answer) = self.ask().await?;
        let body = connection.accepted(answer, "application/json").await?;
        let body = connection.body(body).await?;
        let received_us = connection.meter().last_read_us();
        let answer = read_answer(&body, &self.endpoint.topics, received_us, arrivals)?;
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

    /// Asks on the kept connection; when the server closed that while it was idle, on a fresh one, as browsers do.
    async fn ask(&mut self) -> Result<(HttpConnection, Response<Incoming>), SessionError> {
        if let Some(mut kept) = self.connection.take().filter(HttpConnection::is_open) {
            match kept.get(self.request()?).await {
                Ok(answer) => return Ok((kept, answer)),
                Err(error) if went_away(&error) => {}
                Err(error) => return Err(error),
            }
        }
        let mut fresh = HttpConnection::open(&self.net, &self.endpoint).await?;
        self.net.may_ask().await;
        let answer = fresh.get(self.request()?).await?;
        Ok((fresh, answer))
    }

    fn request(&self) -> Result<Request<Empty<Bytes>>, SessionError> {
        get_request(
            &self.endpoint,
            &self.endpoint.target(self.id, self.cursor),
            &self.headers,
        )
    }
}

/// What an answer's body says besides its updates.
pub struct Answered {
    pub cursor: Cursor,
    pub more: bool,
    pub updates: usize,
}

/// Reads a poll's answer, whole or not at all: half of one would come again, and look like a duplicate.
pub fn read_answer(
    body: &[u8],
    topics: &TopicIndex,
    received_us: u64,
    arrivals: &mut Arrivals,
) -> Result<Answered, SessionError> {
    let answer: PollAnswer<'_> = serde_json::from_slice(body)
        .map_err(|error| not_understood(format!("the answer is no batch of updates: {error}")))?;
    let updates = answer.updates.len();
    if answer.more && updates == 0 {
        // Asking again at once would ask for ever.
        return Err(SessionError::Protocol(
            "the answer says that there is more, and brings nothing".into(),
        ));
    }
    let before = arrivals.updates.len();
    for update in &answer.updates {
        match decode(update.get(), topics, received_us) {
            Ok(arrival) => arrivals.updates.push(arrival),
            Err(error) => {
                arrivals.updates.truncate(before);
                return Err(error);
            }
        }
    }
    arrivals.reset |= answer.reset.is_some();
    Ok(Answered {
        cursor: answer.cursor,
        more: answer.more,
        updates,
    })
}

/// What the answer to one poll says besides its updates.
struct Polled {
    more: bool,
    /// Bytes of the connection so far.
    bytes: u64,
}

/// Bytes of a poll's request: of the one that is sent.
pub fn request_bytes(id: &str, endpoint: &Endpoint, since: Option<Cursor>) -> u64 {
    let headers = endpoint.headers.headers(Purpose::Fetch, &endpoint.authority);
    let request = get_request(endpoint, &endpoint.target(id, since), &headers);
    // An address that makes no request has sent none.
    request.map_or(0, |request| framing::head_bytes(&request))
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
