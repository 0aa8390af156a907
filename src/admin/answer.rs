//! The routes: which request gets which answer.

use std::net::IpAddr;
use std::sync::Arc;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Body;
use hyper::header::{ALLOW, AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, HeaderMap, HeaderValue, WWW_AUTHENTICATE};
use hyper::{Method, Request, Response, StatusCode};

use super::exposition;
use super::state::{Readiness, State};
use crate::access::{Access, Role};

const PLAIN: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");
/// Prometheus text format, version 0.0.4: the one that every scraper reads.
const EXPOSITION: HeaderValue = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");

/// What can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Route {
    Metrics,
    Alive,
    Ready,
}

impl Route {
    fn from_path(path: &str) -> Option<Self> {
        match path {
            "/metrics" => Some(Route::Metrics),
            "/livez" => Some(Route::Alive),
            "/readyz" => Some(Route::Ready),
            _ => None,
        }
    }
}

/// Answers `request`, which came from `peer`.
///
/// Probes carry no tokens and learn one word, so `/livez` and `/readyz` are for everyone. `/metrics` is for the bearer
/// of an operator token, and for processes of this machine: a scraper at our side should not have to keep a token that
/// could end batches.
pub(super) fn answer<B: Body>(request: &Request<B>, peer: IpAddr, state: &Arc<State>) -> Response<Full<Bytes>> {
    let Some(route) = Route::from_path(request.uri().path()) else {
        return line(StatusCode::NOT_FOUND, "nothing is here: ask for /metrics, /livez or /readyz");
    };
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        let mut refusal = line(StatusCode::METHOD_NOT_ALLOWED, "this port only tells: use GET");
        refusal.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
        return refusal;
    }
    if !request.body().is_end_stream() {
        return line(StatusCode::PAYLOAD_TOO_LARGE, "this port takes no body: send the request without one");
    }
    match route {
        Route::Metrics => refusal(request.headers(), peer, &state.access)
            .unwrap_or_else(|| text(StatusCode::OK, EXPOSITION, exposition::text(state))),
        // Only a restart helps a failed journal, and a restart is what a failed liveness probe brings.
        Route::Alive => match state.readiness() {
            Readiness::Failed => line(StatusCode::SERVICE_UNAVAILABLE, Readiness::Failed.word()),
            Readiness::Recovering | Readiness::Ready | Readiness::Draining => line(StatusCode::OK, "alive"),
        },
        Route::Ready => match state.readiness() {
            Readiness::Ready => line(StatusCode::OK, Readiness::Ready.word()),
            other @ (Readiness::Recovering | Readiness::Draining | Readiness::Failed) => {
                line(StatusCode::SERVICE_UNAVAILABLE, other.word())
            }
        },
    }
}

/// Why the sender may not read the metrics; `None` = it may.
fn refusal(headers: &HeaderMap, peer: IpAddr, access: &Access) -> Option<Response<Full<Bytes>>> {
    if peer.to_canonical().is_loopback() {
        return None;
    }
    // Without tokens everyone would be an operator: then nobody outside this machine is.
    match bearer(headers).filter(|_| !access.is_open()).and_then(|token| access.role(token)) {
        Some(Role::Operator) => None,
        Some(Role::Claim) => Some(line(
            StatusCode::FORBIDDEN,
            "this token may claim, not look inside: use one of auth.operator_tokens, or scrape from this machine",
        )),
        None => {
            let advice =
                "send `Authorization: Bearer TOKEN` with one of auth.operator_tokens, or scrape from this machine";
            let mut refusal = line(StatusCode::UNAUTHORIZED, advice);
            refusal.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            Some(refusal)
        }
    }
}

/// The token that the request shows.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim_start_matches(' '))
}

fn line(status: StatusCode, line: &str) -> Response<Full<Bytes>> {
    text(status, PLAIN, format!("{line}\n"))
}

fn text(status: StatusCode, kind: HeaderValue, text: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::from(text));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, kind);
    // What was true a moment ago says nothing.
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

#[cfg(test)]
mod tests {
    use http_body_util::Empty;
    use stockade_protocol::hello::Durability;

    use super::*;

    const CLAIM: &str = "claim-token-of-a-gateway";
    const OPERATOR: &str = "operator-token-of-a-person";

    fn guarded() -> Access {
        Access::new(vec![CLAIM.to_owned()], vec![OPERATOR.to_owned()])
    }

    fn ask(path: &str, peer: &str, access: Access, authorization: Option<&str>) -> Response<Full<Bytes>> {
        let state = Arc::new(State::new(access, Durability::Memory, "1.2.3", "abc", 0.0));
        let mut request = Request::new(Empty::<Bytes>::new());
        *request.uri_mut() = path.parse().expect("a path");
        if let Some(authorization) = authorization {
            let value = HeaderValue::from_str(authorization).expect("a header's value");
            request.headers_mut().insert(AUTHORIZATION, value);
        }
        answer(&request, peer.parse().expect("an address"), &state)
    }

    #[test]
    fn other_machines_need_an_operator_token_for_metrics() {
        let status = |shown: Option<&str>| ask("/metrics", "192.0.2.7", guarded(), shown).status();
        for shown in [
            None,
            Some(""),
            Some("Bearer"),
            Some("Bearer "),
            Some("Bearer wrong"),
            Some(OPERATOR),
            Some("Basic operator-token-of-a-person"),
            Some("Bearer operator-token-of-a-person "),
            Some("Bearer operator-token-of-a-perso"),
        ] {
            assert_eq!(status(shown), StatusCode::UNAUTHORIZED, "{shown:?}");
        }
        assert_eq!(status(Some(&format!("Bearer {CLAIM}"))), StatusCode::FORBIDDEN);
        assert_eq!(status(Some(&format!("Bearer {OPERATOR}"))), StatusCode::OK);
        assert_eq!(
            status(Some(&format!("bearer  {OPERATOR}"))),
            StatusCode::OK,
            "the scheme's case and spaces are free"
        );
        let refusal = ask("/metrics", "192.0.2.7", guarded(), None);
        assert_eq!(refusal.headers()[WWW_AUTHENTICATE], "Bearer");
    }

    #[test]
    fn this_machine_needs_none() {
        for peer in ["127.0.0.1", "127.8.9.1", "::1", "::ffff:127.0.0.1"] {
            assert_eq!(ask("/metrics", peer, guarded(), None).status(), StatusCode::OK, "{peer}");
            assert_eq!(ask("/metrics", peer, Access::default(), None).status(), StatusCode::OK, "{peer}");
        }
    }

    #[test]
    fn without_tokens_no_other_machine_may() {
        for shown in [None, Some("Bearer "), Some("Bearer anything")] {
            for peer in ["192.0.2.7", "::ffff:192.0.2.7", "2001:db8::7"] {
                let status = ask("/metrics", peer, Access::default(), shown).status();
                assert_eq!(status, StatusCode::UNAUTHORIZED, "{peer} {shown:?}");
            }
        }
    }

    #[test]
    fn probes_need_no_token_from_anywhere() {
        assert_eq!(ask("/livez", "192.0.2.7", guarded(), None).status(), StatusCode::OK);
        assert_eq!(ask("/readyz", "192.0.2.7", guarded(), None).status(), StatusCode::SERVICE_UNAVAILABLE);
    }
}
