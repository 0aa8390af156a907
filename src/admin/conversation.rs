//! One connection to the admin port: one request, one answer, and all of it within bounds.

use std::convert::Infallible;
use std::future::{poll_fn, ready};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::answer::answer;
use super::state::State;

/// From the connection to its end. A scrape over a slow network takes less; a client that stays longer keeps its place
/// from others.
pub(super) const TIME_MAX: Duration = Duration::from_secs(5);

/// Bytes of a request's first line and headers; more are answered 431. Scrapers and probes send a few hundred.
const HEADER_BYTES_MAX: usize = 8 << 10;

/// Headers of a request; more are answered 431.
const HEADERS_MAX: usize = 64;

/// Bytes of unwanted input that are read after the answer. Without that the system would take a refused client's
/// unread input as a reason to throw our answer away; beyond it, the client may miss the answer.
const DISCARDED_BYTES_MAX: usize = 1 << 20;

/// Answers the one request of a connection and ends it. After [`TIME_MAX`] it is cut.
///
/// Cancel-safe: dropping it cuts the connection.
pub(super) async fn hold(stream: TcpStream, peer: SocketAddr, state: Arc<State>) {
    let _cut = timeout(TIME_MAX, converse(stream, peer, state)).await;
}

async fn converse(stream: TcpStream, peer: SocketAddr, state: Arc<State>) {
    let service = service_fn(|request| ready(Ok::<_, Infallible>(answer(&request, peer.ip(), &state))));
    let mut conversation = http1::Builder::new()
        .keep_alive(false)
        .max_header_size(HEADER_BYTES_MAX)
        .max_buf_size(HEADER_BYTES_MAX)
        .max_headers(HEADERS_MAX)
        // The limit on the whole conversation covers the header too.
        .header_read_timeout(None)
        .serve_connection(TokioIo::new(stream), service);
    // A client that breaks off, or speaks no HTTP, harms only itself: there is nothing to report.
    let _broken_off = poll_fn(|context| conversation.poll_without_shutdown(context)).await;
    part(conversation.into_parts().io.into_inner()).await;
}

/// Ends the connection so that the client can still read the answer.
async fn part(mut stream: TcpStream) {
    if stream.shutdown().await.is_err() {
        return;
    }
    let (mut discarded, mut buffer) = (0, [0; 4 << 10]);
    while let Ok(bytes @ 1..) = stream.read(&mut buffer).await {
        discarded += bytes;
        if discarded > DISCARDED_BYTES_MAX {
            return;
        }
    }
}
