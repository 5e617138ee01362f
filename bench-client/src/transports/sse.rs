//! Server-Sent Events: one answer that never ends, read event by event.

use std::{sync::Arc, time::Duration};

use futures_util::{FutureExt, future::LocalBoxFuture};
use http::{HeaderValue, header};
use hyper::body::Incoming;
use server::wire::Cursor;
use tokio::time::timeout;

use super::{
    Arrivals, Endpoint, Session, SessionError, decode,
    http::{HttpConnection, get_request},
};
use crate::{headers::Purpose, net::Net, sse_parser::SseParser};

const ID: &str = "sse";
/// How long the head of the stream may take.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);

pub fn open<'a>(
    net: &'a Net,
    endpoint: &'a Arc<Endpoint>,
    since: Option<Cursor>,
) -> LocalBoxFuture<'a, Result<Box<dyn Session>, SessionError>> {
    async move {
        let mut connection = HttpConnection::open(net, endpoint).await?;
        let mut headers = endpoint.headers.headers(Purpose::EventSource, &endpoint.authority);
        if let Some(since) = since {
            // As EventSource resumes: the address stays as it was, the header says where to go on.
            headers.insert(
                "last-event-id",
                HeaderValue::try_from(since.to_string()).map_err(|error| invalid(&error))?,
            );
        }
        let request = get_request(endpoint, &endpoint.target(ID, None), &headers)?;
        let answer = match timeout(HEAD_TIMEOUT, connection.get(request)).await {
            Ok(answer) => answer?,
            Err(_) => return Err(SessionError::TimedOut(HEAD_TIMEOUT.as_secs())),
        };
        let kind = answer.headers().get(header::CONTENT_TYPE).cloned();
        let body = connection.accepted(answer).await?;
        if !kind
            .as_ref()
            .is_some_and(|kind| kind.as_bytes().starts_with(b"text/event-stream"))
        {
            return Err(SessionError::Protocol(format!(
                "expected text/event-stream, got {kind:?}"
            )));
        }
        let setup_bytes = connection.meter().bytes();
        let endpoint = endpoint.clone();
        let session = Sse {
            endpoint,
            connection,
            body,
            parser: SseParser::default(),
            cursor: since,
            setup_bytes,
        };
        Ok(Box::new(session) as Box<dyn Session>)
    }
    .boxed_local()
}

struct Sse {
    endpoint: Arc<Endpoint>,
    connection: HttpConnection,
    body: Incoming,
    parser: SseParser,
    cursor: Option<Cursor>,
    setup_bytes: u64,
}

impl Session for Sse {
    fn next<'a>(&'a mut self, arrivals: &'a mut Arrivals) -> LocalBoxFuture<'a, Result<(), SessionError>> {
        async move {
            let data = self
                .connection
                .frame(&mut self.body)
                .await?
                .ok_or(SessionError::Ended)?;
            let received_us = self.connection.meter().last_read_us();
            let (topics, cursor) = (&self.endpoint.topics, &mut self.cursor);
            self.parser.feed(&data, |event| {
                match event.kind {
                    "update" => arrivals.updates.push(decode(event.data, topics, received_us)?),
                    "reset" => arrivals.reset = true,
                    // Only an id: the position before the first update.
                    "" => {}
                    other => {
                        return Err(SessionError::Protocol(format!(
                            "an event of the unknown kind {other:?}"
                        )));
                    }
                }
                if let Some(id) = event.id {
                    *cursor = Some(id.parse().map_err(|error| invalid(&error))?);
                }
                Ok(())
            })
        }
        .boxed_local()
    }

    fn cursor(&self) -> Option<Cursor> {
        self.cursor
    }

    fn setup_bytes(&self) -> u64 {
        self.setup_bytes
    }
}

fn invalid(error: &dyn std::fmt::Display) -> SessionError {
    SessionError::Protocol(error.to_string())
}
