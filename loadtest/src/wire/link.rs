//! One connection in blocking mode: the handshake, and one question at a time.
//!
//! The run's own connections start here and go on without blocking; batches and look-ups stay here.

use std::fmt;
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream, ToSocketAddrs};

use stockade_protocol::frame::{Side, decode};
use stockade_protocol::hello::{Hello, Welcome};
use stockade_protocol::limits::REPLY_BODY_BYTES_MAX;
use stockade_protocol::{Frame, Header, Opcode, Retry, Status, fault::Fault};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use crate::limits::{ANSWER_TIMEOUT, CONNECT_TIMEOUT};

const CLIENT_NAME: &str = "stockade-loadtest";

/// A greeted connection.
#[derive(Debug)]
pub struct Link {
    stream: TcpStream,
    received: Vec<u8>,
}

/// Why there is no connection, or no answer on it.
#[derive(Debug)]
pub enum LinkError {
    /// Fix the address.
    Address {
        /// What was given.
        server: String,
        /// Why it is none.
        source: io::Error,
    },
    /// Start the server, or wait for it.
    Connect {
        /// Where to.
        server: String,
        /// What the operating system says.
        source: io::Error,
    },
    /// The connection broke, or no answer came in time: try again.
    Broken(io::Error),
    /// The server answered with a refusal. Its status says whether trying again helps.
    Refused {
        /// The reason.
        status: Option<Status>,
        /// What to do, in the server's words.
        text: String,
    },
    /// What answers does not speak this protocol. Fix the address.
    Foreign(String),
}

impl LinkError {
    /// Whether trying again cannot help.
    #[must_use]
    pub fn is_final(&self) -> bool {
        match self {
            LinkError::Address { .. } | LinkError::Foreign(_) => true,
            LinkError::Refused { status, .. } => status.is_none_or(|status| status.retry() != Retry::Later),
            LinkError::Connect { .. } | LinkError::Broken(_) => false,
        }
    }
}

impl Link {
    /// Connects to `server` and shakes hands.
    ///
    /// # Errors
    /// See [`LinkError`].
    pub fn open(server: &str, token: &str) -> Result<(Self, Welcome), LinkError> {
        let stream = connect(server)?;
        let set_up = stream.set_nodelay(true).and_then(|()| stream.set_read_timeout(Some(ANSWER_TIMEOUT)));
        set_up.and_then(|()| stream.set_write_timeout(Some(ANSWER_TIMEOUT))).map_err(LinkError::Broken)?;
        let mut link = Self { stream, received: Vec::new() };
        let hello = Hello::new(CLIENT_NAME, token).map_err(|error| LinkError::Foreign(format!("the token {error}")))?;
        let welcomes = link.ask::<Hello, Welcome>(Opcode::Hello, &[hello])?;
        match welcomes.first() {
            Some(welcome) => Ok((link, *welcome)),
            None => Err(LinkError::Foreign("an empty handshake".to_owned())),
        }
    }

    /// Asks one question and waits for the reply: one item for each of `items`, in order.
    ///
    /// # Errors
    /// See [`LinkError`]. After any error but `Refused` the connection is of no use any more.
    ///
    /// # Panics
    /// When `items` are more than a frame counts; each caller has a bound of its own far below.
    pub fn ask<Request, Reply>(&mut self, opcode: Opcode, items: &[Request]) -> Result<Vec<Reply>, LinkError>
    where
        Request: IntoBytes + Immutable,
        Reply: FromBytes + KnownLayout + Immutable + Unaligned + Copy,
    {
        self.stream.write_all(&frame(opcode, 0, items)).map_err(LinkError::Broken)?;
        match self.receive(opcode)? {
            (0, replies) if replies.len() == items.len() => Ok(replies),
            (_, replies) => Err(LinkError::Foreign(format!("{} items answer {}", replies.len(), items.len()))),
        }
    }

    /// Waits for a reply: its correlation id and its items, which are answers to `opcode`.
    ///
    /// # Errors
    /// See [`LinkError`].
    pub(super) fn receive<Reply>(&mut self, opcode: Opcode) -> Result<(u64, Vec<Reply>), LinkError>
    where
        Reply: FromBytes + KnownLayout + Immutable + Unaligned + Copy,
    {
        loop {
            match decode(Side::Client, &self.received, REPLY_BODY_BYTES_MAX) {
                Ok(Some((frame, length))) => {
                    let answered = answer(opcode, &frame).map(|items| (frame.correlation, items));
                    self.received.drain(..length);
                    return answered;
                }
                Ok(None) => self.read_more()?,
                Err(error) => return Err(LinkError::Foreign(format!("a reply is {}", error.status))),
            }
        }
    }

    /// A second handle of the socket, to write while this one reads.
    ///
    /// # Errors
    /// What the operating system says.
    pub(super) fn writer(&self) -> Result<TcpStream, LinkError> {
        self.stream.try_clone().map_err(LinkError::Broken)
    }

    /// Ends the connection, so that nobody writes or waits on it any more.
    pub(super) fn shut(&self) {
        // It may have ended by itself.
        let _ = self.stream.shutdown(Shutdown::Both);
    }

    fn read_more(&mut self) -> Result<(), LinkError> {
        let mut chunk = [0; 16 * 1024];
        let length = self.stream.read(&mut chunk).map_err(LinkError::Broken)?;
        if length == 0 {
            return Err(LinkError::Broken(io::ErrorKind::UnexpectedEof.into()));
        }
        self.received.extend_from_slice(&chunk[..length]);
        Ok(())
    }

    /// The socket, from now on without blocking. Every question was answered, so no bytes are left behind.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn into_nonblocking(self) -> io::Result<TcpStream> {
        self.stream.set_nonblocking(true)?;
        Ok(self.stream)
    }
}

fn connect(server: &str) -> Result<TcpStream, LinkError> {
    let address_error = |source| LinkError::Address { server: server.to_owned(), source };
    let mut last = io::Error::from(io::ErrorKind::AddrNotAvailable);
    for address in server.to_socket_addrs().map_err(address_error)? {
        match TcpStream::connect_timeout(&address, CONNECT_TIMEOUT) {
            Ok(stream) => return Ok(stream),
            Err(error) => last = error,
        }
    }
    Err(LinkError::Connect { server: server.to_owned(), source: last })
}

/// A request of `items`, which must be no more than a frame counts.
pub(super) fn frame<Request: IntoBytes + Immutable>(opcode: Opcode, correlation: u64, items: &[Request]) -> Vec<u8> {
    let count = u32::try_from(items.len()).expect("a frame counts its items in 32 bits");
    let mut request = Header::request(opcode, count, correlation, 0).as_bytes().to_vec();
    request.extend_from_slice(items.as_bytes());
    request
}

fn answer<Reply>(opcode: Opcode, frame: &Frame<'_>) -> Result<Vec<Reply>, LinkError>
where
    Reply: FromBytes + KnownLayout + Immutable + Unaligned + Copy,
{
    if let (Opcode::Fault, Ok(fault)) = (frame.opcode, frame.item::<Fault>()) {
        return Err(LinkError::Refused { status: fault.status(), text: fault.text().to_owned() });
    }
    match frame.items::<Reply>() {
        Ok(items) if frame.opcode == opcode => Ok(items.to_vec()),
        Ok(_) | Err(_) => {
            Err(LinkError::Foreign(format!("{} {:?} items answer a {opcode:?}", frame.count, frame.opcode)))
        }
    }
}

impl fmt::Display for LinkError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LinkError::Address { server, source } => {
                write!(formatter, "`{server}` is no address ({source}): give HOST:PORT, like 127.0.0.1:7400")
            }
            LinkError::Connect { server, source } => {
                write!(formatter, "cannot connect to {server} ({source}): start the server, or name it with --server")
            }
            LinkError::Broken(source) => write!(formatter, "the connection broke ({source}): see the server's log"),
            LinkError::Refused { status, text } => {
                let status = status.map_or("an unknown status", Status::name);
                write!(formatter, "the server refused with {status}: {text}")
            }
            LinkError::Foreign(what) => {
                write!(formatter, "{what}: this is no Stockade server of this version; check --server")
            }
        }
    }
}

impl std::error::Error for LinkError {}
