//! One HTTP/1.1 connection on a counted stream, for the transports that make requests.
//!
//! hyper's connection is polled in the task that waits for the answer: no second task to wake, and no read behind our back, so
//! the receive time of an answer is that of the read which completed it.

use std::{
    future::{Future, poll_fn},
    pin::{Pin, pin},
    rc::Rc,
    task::Poll,
};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Empty, Limited};
use hyper::{
    body::Incoming,
    client::conn::http1::{self, Connection, SendRequest},
};
use hyper_util::rt::TokioIo;

use super::{Endpoint, SessionError};
use crate::net::{Meter, Net, Stream};

/// Largest answer to a poll: the newest state of every topic, which the server bounds at 64 MiB.
const BODY_MAX_BYTES: usize = 80 * 1024 * 1024;

type Driven = Pin<Box<Connection<TokioIo<Stream>, Empty<Bytes>>>>;

/// A connection that can take one request after another.
pub struct HttpConnection {
    sender: SendRequest<Empty<Bytes>>,
    /// None once it has ended: dropping it is what tells those who wait for an answer.
    connection: Option<Driven>,
    meter: Rc<Meter>,
}

impl HttpConnection {
    pub async fn open(net: &Net, endpoint: &Endpoint) -> Result<Self, SessionError> {
        let stream = net.connect(endpoint.address).await?;
        let meter = stream.meter();
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        Ok(Self {
            sender,
            connection: Some(Box::pin(connection)),
            meter,
        })
    }

    pub fn meter(&self) -> &Meter {
        &self.meter
    }

    /// True while another request can go out on this connection.
    pub fn is_open(&self) -> bool {
        self.connection.is_some() && !self.sender.is_closed()
    }

    /// Sends a GET and waits for the head of its answer.
    pub async fn get(&mut self, request: Request<Empty<Bytes>>) -> Result<Response<Incoming>, SessionError> {
        self.meter.expect_head();
        let answer = self.sender.send_request(request);
        Ok(drive(&mut self.connection, answer).await?)
    }

    /// The next piece of a body; None at its end.
    pub async fn frame(&mut self, body: &mut Incoming) -> Result<Option<Bytes>, SessionError> {
        loop {
            let Some(frame) = drive(&mut self.connection, body.frame()).await else {
                return Ok(None);
            };
            if let Ok(data) = frame?.into_data() {
                return Ok(Some(data));
            }
        }
    }

    /// The whole body of an answer, up to [`BODY_MAX_BYTES`].
    pub async fn body(&mut self, body: Incoming) -> Result<Bytes, SessionError> {
        let whole = Limited::new(body, BODY_MAX_BYTES).collect();
        let collected = drive(&mut self.connection, whole).await;
        let collected = collected.map_err(|error| SessionError::Protocol(format!("the answer broke off: {error}")))?;
        Ok(collected.to_bytes())
    }

    /// The body of an answer that is a 200 of this media type, or what it says instead.
    pub async fn accepted(&mut self, answer: Response<Incoming>, expected: &str) -> Result<Incoming, SessionError> {
        if answer.status() == StatusCode::OK {
            let kind = answer.headers().get(header::CONTENT_TYPE);
            return match kind.is_some_and(|kind| is_of_type(kind, expected)) {
                true => Ok(answer.into_body()),
                false => Err(SessionError::Protocol(format!("expected {expected}, got {kind:?}"))),
            };
        }
        let status = answer.status().as_u16();
        let body = self.body(answer.into_body()).await?;
        Err(SessionError::Refused {
            status,
            body: String::from_utf8_lossy(&body).chars().take(200).collect(),
        })
    }
}

/// A GET of this endpoint with its header set.
pub fn get_request(
    endpoint: &Endpoint,
    target: &str,
    headers: &HeaderMap,
) -> Result<Request<Empty<Bytes>>, SessionError> {
    let invalid =
        |error: http::Error| SessionError::Protocol(format!("the request for {target:?} is invalid: {error}"));
    let mut request = Request::get(target)
        .header(header::HOST, &endpoint.authority)
        .body(Empty::new())
        .map_err(invalid)?;
    request
        .headers_mut()
        .extend(headers.iter().map(|(name, value)| (name.clone(), value.clone())));
    if !endpoint.keep_alive {
        request
            .headers_mut()
            .insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    Ok(request)
}

/// Compares a media type, in whatever case and with whatever parameters (RFC 9110, 8.3.1).
fn is_of_type(kind: &HeaderValue, expected: &str) -> bool {
    let mut parts = kind.as_bytes().split(|byte| *byte == b';');
    parts
        .next()
        .is_some_and(|essence| essence.trim_ascii().eq_ignore_ascii_case(expected.as_bytes()))
}

/// Polls the connection for as long as an answer is awaited.
async fn drive<F: Future>(connection: &mut Option<Driven>, answer: F) -> F::Output {
    let mut answer = pin!(answer);
    poll_fn(|cx| {
        // The answer first: polling it may hand work (a request, room for a frame) to the connection.
        if let Poll::Ready(output) = answer.as_mut().poll(cx) {
            return Poll::Ready(output);
        }
        if connection
            .as_mut()
            .is_some_and(|driven| driven.as_mut().poll(cx).is_ready())
        {
            // A connection that ended well says nothing to whoever waits; only its end does.
            *connection = None;
        }
        answer.as_mut().poll(cx)
    })
    .await
}

/// True when a kept connection was closed before it could answer: the request may be made again on a fresh one (RFC 9112, 9.3.1).
pub fn went_away(error: &SessionError) -> bool {
    matches!(error, SessionError::Http(error) if error.is_canceled() || error.is_closed() || error.is_incomplete_message())
}
