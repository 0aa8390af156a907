//! How a client is set up. Nothing here touches the network.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use stockade_protocol::TextError;
use stockade_protocol::hello::Hello;
use stockade_protocol::limits::{CLIENT_NAME_BYTES_MAX, TOKEN_BYTES_MAX};

use crate::backoff::Backoff;
use crate::client::Client;
use crate::error::ClientError;
use crate::handle::Handle;
use crate::limits::{CONNECTIONS_MAX, DEADLINE_MAX};

/// Sets up a [`Client`].
#[derive(Clone)]
pub struct Builder {
    server: String,
    name: String,
    token: String,
    connections: usize,
    deadline: Duration,
    attempts: u32,
    backoff: Backoff,
    silence_limit: Duration,
}

/// The checked settings, as the connections use them.
pub(crate) struct Options {
    pub(crate) server: String,
    pub(crate) hello: Hello,
    pub(crate) connections: usize,
    pub(crate) attempts: u32,
    pub(crate) backoff: Backoff,
    pub(crate) silence_limit: Duration,
}

impl Builder {
    pub(crate) fn new(server: String) -> Self {
        Self {
            server,
            name: String::from("stockade-client"),
            token: String::new(),
            connections: 2,
            deadline: Duration::from_secs(2),
            attempts: 64,
            backoff: Backoff { first: Duration::from_millis(10), longest: Duration::from_millis(500) },
            silence_limit: Duration::from_secs(5),
        }
    }

    /// The name that the server's log shows: at most 56 bytes. Default: `stockade-client`.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// The token that the server asks for: at most 64 bytes. Default: none.
    #[must_use]
    pub fn token(mut self, token: impl Into<String>) -> Self {
        self.token = token.into();
        self
    }

    /// Most TCP connections, 1..=[`CONNECTIONS_MAX`]. Default: 2. They are opened as concurrent calls need them.
    #[must_use]
    pub fn connections(mut self, connections: usize) -> Self {
        self.connections = connections;
        self
    }

    /// How long a call may take, retries and connecting included: more than zero, at most [`DEADLINE_MAX`].
    /// Default: 2 s. Frames carry it, so that the server drops what nobody waits for any more.
    #[must_use]
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// How often a call is tried within its deadline, a failed dial being a try: at least 1. Default: 64, so that with
    /// the usual deadline time is up first.
    #[must_use]
    pub fn attempts(mut self, attempts: u32) -> Self {
        self.attempts = attempts;
        self
    }

    /// The pause before the second try and the longest pause. In between it doubles with each try; each pause is drawn
    /// from the upper half of that. Default: 10 ms, 500 ms.
    #[must_use]
    pub fn backoff(mut self, first: Duration, longest: Duration) -> Self {
        self.backoff = Backoff { first, longest };
        self
    }

    /// How long a connection that owes answers may bring no byte before it counts as lost: more than zero. Default: 5
    /// s. Too short, and a slow disk of the server makes its clients reconnect in a storm.
    #[must_use]
    pub fn silence_limit(mut self, limit: Duration) -> Self {
        self.silence_limit = limit;
        self
    }

    /// Checks the settings and makes the client. Needs no runtime and does no I/O: the first call connects.
    ///
    /// # Errors
    /// `InvalidInput` for the first setting that is impossible.
    pub fn build(self) -> Result<Client, ClientError> {
        check_server(&self.server)?;
        if !(1..=CONNECTIONS_MAX).contains(&self.connections) {
            return Err(invalid("connections", format!("{} is not within 1..={CONNECTIONS_MAX}", self.connections)));
        }
        if self.deadline.is_zero() || self.deadline > DEADLINE_MAX {
            return Err(invalid("deadline", format!("{:?} is not within 1ns..={DEADLINE_MAX:?}", self.deadline)));
        }
        if self.attempts == 0 {
            return Err(invalid("attempts", "0 would never send anything; 1 is the least"));
        }
        if self.backoff.first.is_zero() || self.backoff.first > self.backoff.longest {
            return Err(invalid("backoff", "the first pause must be more than zero and at most the longest"));
        }
        if self.silence_limit.is_zero() || self.silence_limit > DEADLINE_MAX {
            let reason = format!("{:?} is not within 1ns..={DEADLINE_MAX:?}", self.silence_limit);
            return Err(invalid("silence_limit", reason));
        }
        let options = Options {
            hello: hello(&self.name, &self.token)?,
            server: self.server,
            connections: self.connections,
            attempts: self.attempts,
            backoff: self.backoff,
            silence_limit: self.silence_limit,
        };
        Ok(Client::new(Arc::new(Handle::new(options)), self.deadline))
    }
}

/// The token stays out of logs.
impl fmt::Debug for Builder {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Builder")
            .field("server", &self.server)
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// Whether `server` reads as host and port. Whether there is such a host shows when it is dialled.
fn check_server(server: &str) -> Result<(), ClientError> {
    let is_valid = server.rsplit_once(':').is_some_and(|(host, port)| {
        let is_bracketed = host.starts_with('[') && host.ends_with(']');
        let is_one_host = !host.is_empty() && (is_bracketed || !host.contains(':'));
        is_one_host && port.parse::<u16>().is_ok_and(|port| port != 0)
    });
    if is_valid {
        return Ok(());
    }
    Err(invalid("server", format!("{server:?} is not HOST:PORT; good ones are stock.example:7400 and [::1]:7400")))
}

fn hello(name: &str, token: &str) -> Result<Hello, ClientError> {
    let unfit = |argument, error: TextError| invalid(argument, format!("it {}", unfit_reason(error)));
    stockade_protocol::FixedText::<CLIENT_NAME_BYTES_MAX>::new(name).map_err(|error| unfit("name", error))?;
    stockade_protocol::FixedText::<TOKEN_BYTES_MAX>::new(token).map_err(|error| unfit("token", error))?;
    Hello::new(name, token).map_err(|error| unfit("name", error))
}

fn unfit_reason(error: TextError) -> String {
    match error {
        TextError::TooLong { .. } => format!("is {error}"),
        TextError::ControlCharacter | TextError::Encoding => error.to_string(),
    }
}

pub(crate) fn invalid(argument: &'static str, reason: impl Into<String>) -> ClientError {
    ClientError::InvalidInput { argument, reason: reason.into() }
}
