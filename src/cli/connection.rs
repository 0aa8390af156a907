//! The options of all commands that speak with a server, and the call itself.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use clap::Args;
use stockade_client::Client;

use super::exit::Failure;
use super::time;

/// Which server, as whom, for how long.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Options of all commands")]
pub(super) struct Connection {
    /// Address of the server
    #[arg(long, global = true, value_name = "ADDR", env = "STOCKADE_SERVER", default_value = "127.0.0.1:7400")]
    server: String,

    /// Token to show to the server; better set in the environment, where other users of the machine do not see it
    #[arg(long, global = true, value_name = "TOKEN", env = "STOCKADE_TOKEN", hide_env_values = true)]
    token: Option<Secret>,

    /// How long the command may take, retries included, such as 500ms or 5s
    #[arg(long, global = true, value_name = "DURATION", default_value = "5s", value_parser = time::duration)]
    pub(super) timeout: Duration,

    /// Print results as JSON
    #[arg(long, global = true)]
    pub(super) json: bool,
}

/// A text that is never shown.
#[derive(Clone)]
struct Secret(String);

impl Connection {
    /// Makes a client and runs `call` with it.
    pub(super) fn run<T>(&self, call: impl AsyncFnOnce(Client) -> Result<T, Failure>) -> Result<T, Failure> {
        let token = self.token.as_ref().map_or("", |secret| &secret.0);
        let client = Client::builder(&self.server)
            .name(concat!("stockade-cli ", env!("CARGO_PKG_VERSION")))
            .token(token)
            .connections(1)
            .deadline(self.timeout)
            .build()
            .map_err(|error| Failure::of_server(&error))?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|error| {
            Failure::other(format!("the system refuses to watch sockets ({error}); try again later"))
        })?;
        runtime.block_on(call(client))
    }
}

impl FromStr for Secret {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secret(hidden)")
    }
}
