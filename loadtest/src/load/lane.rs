//! A connection and its socket. Reads and writes are one system call each; what does not fit waits here.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;

use crate::load::connection::{Connection, Record};
use crate::load::tally::Tally;
use crate::time::Clock;

/// One connection of a worker.
#[derive(Debug)]
pub struct Lane {
    /// The claims.
    pub connection: Connection,
    stream: Option<TcpStream>,
    /// The beginning of a reply whose end has not come yet.
    carry: Vec<u8>,
    /// The end of what the socket did not take yet.
    unwritten: Vec<u8>,
}

/// Why a lane's socket is of no use any more.
#[derive(Debug)]
pub struct Broken {
    /// What the server did wrong, if it did not just close.
    pub complaint: Option<String>,
}

impl Broken {
    const CLOSED: Broken = Broken { complaint: None };
}

impl Lane {
    /// A lane without a socket.
    #[must_use]
    pub fn new(connection: Connection) -> Self {
        Self { connection, stream: None, carry: Vec::new(), unwritten: Vec::new() }
    }

    /// The socket, if the lane has one.
    #[must_use]
    pub fn stream(&self) -> Option<&TcpStream> {
        self.stream.as_ref()
    }

    /// Whether the socket has to become writable before anything else can be sent.
    #[must_use]
    pub fn is_blocked(&self) -> bool {
        !self.unwritten.is_empty()
    }

    /// Whether all is sent and answered.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.connection.is_at_end() && self.connection.is_settled()
    }

    /// When the lane wants to send next. `None`: not before something else happens.
    #[must_use]
    pub fn next_due_ns(&self) -> Option<u64> {
        if self.stream.is_some() && !self.is_blocked() { self.connection.next_due_ns() } else { None }
    }

    /// Takes a new socket; frames in flight leave on it again.
    ///
    /// # Errors
    /// When it is broken already.
    pub fn attach(&mut self, stream: TcpStream, clock: Clock, tally: &mut Tally) -> Result<(), Broken> {
        self.stream = Some(stream);
        let mut out = Vec::new();
        self.connection.send_again(clock.now_ns(), &mut out, tally);
        self.write(&out)
    }

    /// Lets go of the socket and of all that was under way on it.
    pub fn detach(&mut self) {
        self.stream = None;
        self.carry.clear();
        self.unwritten.clear();
    }

    /// Reads once and enters the replies. `buffer` is anyone's: the lanes of a thread share one that stays in the
    /// cache.
    ///
    /// # Errors
    /// When the socket is of no use any more.
    pub fn read(&mut self, buffer: &mut [u8], clock: Clock, record: &mut Record) -> Result<(), Broken> {
        let Some(stream) = &mut self.stream else { return Ok(()) };
        let carried = self.carry.len();
        buffer[..carried].copy_from_slice(&self.carry);
        let read = match stream.read(&mut buffer[carried..]) {
            Ok(0) => return Err(Broken::CLOSED),
            Ok(read) => read,
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => return Ok(()),
            Err(_) => return Err(Broken::CLOSED),
        };
        let bytes = &buffer[..carried + read];
        let used = self
            .connection
            .receive(bytes, clock.now_ns(), record)
            .map_err(|out_of_step| Broken { complaint: Some(out_of_step.0) })?;
        self.carry.clear();
        self.carry.extend_from_slice(&bytes[used..]);
        Ok(())
    }

    /// Sends what is due, in one write. `out` is anyone's, like the buffer of [`Lane::read`].
    ///
    /// # Errors
    /// When the socket is of no use any more.
    pub fn send_due(&mut self, out: &mut Vec<u8>, clock: Clock, tally: &mut Tally) -> Result<(), Broken> {
        let Some(due_ns) = self.next_due_ns() else { return Ok(()) };
        let now_ns = clock.now_ns();
        if due_ns > now_ns {
            return Ok(());
        }
        out.clear();
        self.connection.send_due(now_ns, out, tally);
        if out.is_empty() { Ok(()) } else { self.write(out) }
    }

    /// Goes on with what the socket did not take before.
    ///
    /// # Errors
    /// When the socket is of no use any more.
    pub fn write_on(&mut self, clock: Clock) -> Result<(), Broken> {
        let bytes = std::mem::take(&mut self.unwritten);
        self.write(&bytes)?;
        if !self.is_blocked() {
            self.connection.able_from(clock.now_ns());
        }
        Ok(())
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), Broken> {
        let Some(stream) = &mut self.stream else { return Ok(()) };
        let written = match stream.write(bytes) {
            Ok(written) => written,
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => 0,
            Err(_) => return Err(Broken::CLOSED),
        };
        self.unwritten.extend_from_slice(&bytes[written..]);
        Ok(())
    }
}
