//! One GET over HTTP/1.1, as a scraper sends it: a connection for each request, everything bounded.

use std::fmt;
use std::io::{self, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;

/// Longest answer that is read, in bytes: the metrics of 256 cores take a twentieth of it.
const ANSWER_BYTES_MAX: u64 = 4 << 20;

/// To connect, and for each read and write.
const TIMEOUT: Duration = Duration::from_secs(2);

/// Why there is no answer.
#[derive(Debug)]
pub enum HttpError {
    /// The address cannot be resolved: give another.
    Address {
        /// The address.
        address: String,
        /// Why not.
        source: io::Error,
    },
    /// Nothing answers there, or it stopped.
    Broken {
        /// The address.
        address: String,
        /// What happened.
        source: io::Error,
    },
    /// Something answers, and not with what was asked for.
    Refused {
        /// The address.
        address: String,
        /// The answer's first line.
        status: String,
    },
}

impl HttpError {
    /// Whether the one who called can mend it by calling otherwise.
    #[must_use]
    pub fn is_usage(&self) -> bool {
        match self {
            HttpError::Address { .. } => true,
            HttpError::Broken { .. } | HttpError::Refused { .. } => false,
        }
    }
}

/// The body at `path` of the server at `address`. A `token` that is not empty is shown.
///
/// # Errors
/// See [`HttpError`].
pub fn get(address: &str, path: &str, token: &str) -> Result<String, HttpError> {
    let broken = |source| HttpError::Broken { address: address.to_owned(), source };
    let mut stream = connect(address)?;
    let show = if token.is_empty() { String::new() } else { format!("Authorization: Bearer {token}\r\n") };
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\n{show}Connection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).map_err(broken)?;
    let mut answer = Vec::new();
    stream.take(ANSWER_BYTES_MAX).read_to_end(&mut answer).map_err(broken)?;
    body(&answer).map_err(|status| HttpError::Refused { address: address.to_owned(), status })
}

fn connect(address: &str) -> Result<TcpStream, HttpError> {
    let resolved =
        address.to_socket_addrs().map_err(|source| HttpError::Address { address: address.to_owned(), source })?;
    let mut last = io::Error::from(io::ErrorKind::AddrNotAvailable);
    for resolved in resolved {
        let connected = TcpStream::connect_timeout(&resolved, TIMEOUT).and_then(|stream| {
            stream.set_read_timeout(Some(TIMEOUT))?;
            stream.set_write_timeout(Some(TIMEOUT))?;
            Ok(stream)
        });
        match connected {
            Ok(stream) => return Ok(stream),
            Err(error) => last = error,
        }
    }
    Err(HttpError::Broken { address: address.to_owned(), source: last })
}

/// The body of a whole answer with status 200; otherwise its first line.
fn body(answer: &[u8]) -> Result<String, String> {
    let text = String::from_utf8_lossy(answer);
    let first = text.lines().next().unwrap_or_default();
    let is_fine = first.starts_with("HTTP/1.") && first.split(' ').nth(1) == Some("200");
    match text.split_once("\r\n\r\n") {
        Some((_, body)) if is_fine => Ok(body.to_owned()),
        Some(_) | None => Err(first.chars().take(80).collect()),
    }
}

impl fmt::Display for HttpError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            HttpError::Address { address, source } => {
                write!(formatter, "`{address}` is no address ({source}): give HOST:PORT, like 127.0.0.1:7401")
            }
            HttpError::Broken { address, source } => write!(
                formatter,
                "cannot read the server's metrics at {address} ({source}): name its `admin.listen` with --admin, or \
                 leave --admin out"
            ),
            HttpError::Refused { address, status } => write!(
                formatter,
                "{address} answers `{status}` instead of metrics: name the server's `admin.listen` with --admin; from \
                 another machine, --token needs one of its auth.operator_tokens"
            ),
        }
    }
}

impl std::error::Error for HttpError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_200_has_a_body() {
        assert_eq!(body(b"HTTP/1.1 200 OK\r\na: b\r\n\r\nx 1\n"), Ok("x 1\n".to_owned()));
        for refused in ["HTTP/1.1 401 Unauthorized\r\n\r\nno", "SSH-2.0-x\r\n\r\n200", "HTTP/1.1 200 OK\r\ncut", ""] {
            let first = refused.lines().next().unwrap_or_default();
            assert_eq!(body(refused.as_bytes()), Err(first.to_owned()), "{refused}");
        }
    }

    #[test]
    fn an_address_without_a_port_is_a_usage_error() {
        let error = get("no-port", "/metrics", "").unwrap_err();
        assert!(error.is_usage() && error.to_string().contains("HOST:PORT"), "{error}");
    }
}
