//! What a handshake must be before it is upgraded (RFC 6455, 4.2.1), checked here: tungstenite would read the head itself.
//!
//! ```text
//! no Upgrade to websocket, HTTP/1.0, HEAD   426, upgrade: websocket, sec-websocket-version: 13
//! another version                          426, the same (4.4)
//! no Host, a key that is not 16 bytes      400
//! ```

use axum::{
    extract::Request,
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Version, header},
    response::Response,
};

use crate::http::problem;

const VERSION: HeaderValue = HeaderValue::from_static("13");

/// The key of a handshake, or the refusal it deserves.
#[expect(
    clippy::result_large_err,
    reason = "made for a refused upgrade alone, and sent as it is"
)]
pub fn check(request: &Request) -> Result<&HeaderValue, Response> {
    let headers = request.headers();
    if request.version() >= Version::HTTP_2 {
        // It has another handshake (RFC 8441), which hyper was not told to offer.
        let error = "over HTTP/2 there is no WebSocket here: open it over HTTP/1.1";
        return Err(problem(StatusCode::BAD_REQUEST, error));
    }
    // Only a GET can switch protocols (RFC 9110, 15.5.22).
    if request.version() < Version::HTTP_11
        || request.method() == Method::HEAD
        || !names(headers, header::UPGRADE, "websocket")
        || !names(headers, header::CONNECTION, "upgrade")
    {
        return Err(must_upgrade(
            "a WebSocket handshake is expected here: GET and HTTP/1.1 with `Connection: Upgrade` and `Upgrade: websocket`",
        ));
    }
    if !headers.contains_key(header::HOST) {
        return Err(problem(StatusCode::BAD_REQUEST, "a handshake names its Host"));
    }
    if headers.get(header::SEC_WEBSOCKET_VERSION) != Some(&VERSION) {
        return Err(must_upgrade("the one version here is `Sec-WebSocket-Version: 13`"));
    }
    let mut keys = headers.get_all(header::SEC_WEBSOCKET_KEY).iter();
    match (keys.next().filter(|key| is_key(key)), keys.next()) {
        (Some(key), None) => Ok(key),
        _ => {
            let error = "expected one Sec-WebSocket-Key of 16 bytes in base64, such as dGhlIHNhbXBsZSBub25jZQ==";
            Err(problem(StatusCode::BAD_REQUEST, error))
        }
    }
}

fn must_upgrade(error: &str) -> Response {
    let mut response = problem(StatusCode::UPGRADE_REQUIRED, error);
    let headers = response.headers_mut();
    headers.insert(header::SEC_WEBSOCKET_VERSION, VERSION);
    headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
    response
}

/// Whether a list of tokens has this one, in whatever case (RFC 9110, 5.6.1).
fn names(headers: &HeaderMap, name: HeaderName, token: &str) -> bool {
    let values = headers
        .get_all(name)
        .into_iter()
        .filter_map(|value| value.to_str().ok());
    values
        .flat_map(|value| value.split(','))
        .any(|one| one.trim().eq_ignore_ascii_case(token))
}

/// 16 bytes in base64: 22 digits and two signs of filling.
fn is_key(key: &HeaderValue) -> bool {
    let digit = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
    matches!(key.as_bytes().split_last_chunk(), Some((digits, b"==")) if digits.len() == 22 && digits.iter().all(digit))
}
