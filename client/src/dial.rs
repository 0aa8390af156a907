//! Getting a connection: resolve, connect, shake hands.

use std::io;

use bytes::{Buf, BytesMut};
use stockade_protocol::frame::{self, Frame, Side};
use stockade_protocol::hello::{Hello, Welcome};
use stockade_protocol::limits::{HANDSHAKE_BODY_BYTES_MAX, HEADER_BYTES, VERSION};
use stockade_protocol::{Header, Opcode, Status};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::{Instant, timeout, timeout_at};
use zerocopy::IntoBytes;

use crate::builder::Options;
use crate::limits::{ADDRESSES_MAX, CONNECT_LIMIT};
use crate::pending::fault_of;
use crate::server::Server;
use crate::trouble::Trouble;

/// A connection whose handshake is done.
pub(crate) struct Link<S> {
    pub(crate) stream: S,
    pub(crate) server: Server,
    /// Bytes that came behind the welcome.
    pub(crate) incoming: BytesMut,
}

/// Connects and shakes hands, within [`CONNECT_LIMIT`].
///
/// # Errors
/// What stood in the way.
pub(crate) async fn dial(options: &Options) -> Result<Link<TcpStream>, Trouble> {
    let until = Instant::now() + CONNECT_LIMIT;
    let late = || Trouble::network(format!("no connection and handshake within {CONNECT_LIMIT:?}"));
    let stream = match timeout_at(until, connect(&options.server)).await {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) => return Err(Trouble::network(format!("cannot connect: {error}"))),
        Err(_) => return Err(late()),
    };
    timeout_at(until, shake_hands(stream, &options.hello)).await.unwrap_or_else(|_| Err(late()))
}

/// Tries the addresses of the name in their order, each for an even share of the time, so that one that swallows
/// packets does not hide the others. The name is resolved again each time: servers move.
async fn connect(server: &str) -> io::Result<TcpStream> {
    let addresses: Vec<_> = lookup_host(server).await?.take(ADDRESSES_MAX).collect();
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    for address in &addresses {
        let share = CONNECT_LIMIT / u32::try_from(addresses.len()).unwrap_or(u32::MAX);
        match timeout(share, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => {
                // Frames are whole when they are written; waiting to fill a segment would only delay them.
                stream.set_nodelay(true)?;
                return Ok(stream);
            }
            Ok(Err(error)) => last = error,
            Err(_) => last = io::Error::new(io::ErrorKind::TimedOut, format!("{address} does not answer")),
        }
    }
    Err(last)
}

/// Says who we are and reads the welcome.
///
/// # Errors
/// The server's refusal, or what it did instead of answering.
pub(crate) async fn shake_hands<S: AsyncRead + AsyncWrite + Unpin>(
    mut stream: S,
    hello: &Hello,
) -> Result<Link<S>, Trouble> {
    let lost = |error: io::Error| Trouble::network(format!("lost during the handshake: {error}"));
    let mut request = Vec::with_capacity(HEADER_BYTES + size_of::<Hello>());
    request.extend_from_slice(Header::request(Opcode::Hello, 1, 0, 0).as_bytes());
    request.extend_from_slice(hello.as_bytes());
    stream.write_all(&request).await.map_err(lost)?;

    let mut incoming = BytesMut::with_capacity(HEADER_BYTES + HANDSHAKE_BODY_BYTES_MAX);
    loop {
        match frame::decode(Side::Client, &incoming, HANDSHAKE_BODY_BYTES_MAX) {
            Ok(Some((frame, length))) => {
                let server = welcome(&frame)?;
                incoming.advance(length);
                return Ok(Link { stream, server, incoming });
            }
            Ok(None) => {}
            Err(error) => return Err(not_a_handshake(error.status, &incoming)),
        }
        if stream.read_buf(&mut incoming).await.map_err(lost)? == 0 {
            return Err(Trouble::network("closed by the server during the handshake"));
        }
    }
}

fn welcome(frame: &Frame<'_>) -> Result<Server, Trouble> {
    match frame.opcode {
        Opcode::Hello => {
            let welcome = frame.item::<Welcome>().map_err(|_| Trouble::stranger("the welcome has the wrong size"))?;
            Server::from_wire(welcome).map_err(Trouble::stranger)
        }
        Opcode::Fault => Err(fault_of(frame)?),
        Opcode::Ping
        | Opcode::ClientList
        | Opcode::Claim
        | Opcode::Lookup
        | Opcode::Serials
        | Opcode::Reserve
        | Opcode::Confirm
        | Opcode::Cancel
        | Opcode::Extend
        | Opcode::BatchCreate
        | Opcode::BatchShow
        | Opcode::BatchList
        | Opcode::BatchChange
        | Opcode::BatchAddStock
        | Opcode::BatchEdit
        | Opcode::BatchWithdraw
        | Opcode::BatchStats
        | Opcode::BatchRefusals
        | Opcode::BatchReconcile
        | Opcode::CouponChange
        | Opcode::CouponShow
        | Opcode::CouponList
        | Opcode::CouponLog
        | Opcode::Wallet
        | Opcode::FeedSubscribe
        | Opcode::FeedAcknowledge
        | Opcode::FeedList
        | Opcode::FeedForget => Err(Trouble::stranger("the handshake was answered by another kind of frame")),
    }
}

/// Byte of a frame that holds the protocol version.
const VERSION_OFFSET: usize = 4;

fn not_a_handshake(status: Status, incoming: &[u8]) -> Trouble {
    match (status, incoming.get(VERSION_OFFSET)) {
        (Status::VersionUnsupported, Some(theirs)) => Trouble::refused(
            Status::VersionUnsupported,
            &format!("the server speaks protocol version {theirs}, this client {VERSION}"),
        ),
        _ => Trouble::stranger(format!("its first bytes are no handshake ({status})")),
    }
}
