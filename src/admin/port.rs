//! The port: its socket, its thread, and how many may talk to it at a time.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;
use std::{fmt, io};

use stockade_protocol::hello::Durability;
use tokio::sync::{Notify, Semaphore};

use super::state::State;
use super::{conversation, process};
use crate::access::Access;
use crate::engine::{Engine, RecoveryReport};

/// Connections served at a time. Those beyond wait in the system's backlog until one ends, which each does within
/// [`conversation::TIME_MAX`]. Fewer would let a few slow scrapers hold up a probe; more would only take memory.
const CONNECTIONS_MAX: usize = 64;

/// Pause after the system refused a connection: it is out of files, and asking at once would only burn the processor.
const REFUSED_PAUSE: Duration = Duration::from_millis(10);

/// What the port is started with.
#[derive(Clone, Debug)]
pub struct AdminOptions {
    /// Where to listen.
    pub listen: SocketAddr,
    /// Operator tokens open `/metrics` to other machines.
    pub access: Access,
    /// What answers survive; told by a metric.
    pub durability: Durability,
    /// The program's version, told by a metric.
    pub version: &'static str,
    /// The commit it was built from, told by a metric.
    pub commit: &'static str,
}

/// A running port. Dropping it ends it like [`Admin::shutdown`].
pub struct Admin {
    address: SocketAddr,
    state: Arc<State>,
    stop: Arc<Notify>,
    thread: Option<JoinHandle<()>>,
}

/// Why the port does not open.
#[derive(Debug)]
pub enum StartError {
    /// The address cannot be listened on.
    Listen(SocketAddr, io::Error),
    /// The system has no thread or files for it.
    System(io::Error),
}

impl Admin {
    /// Listens, and starts the thread: `/livez` is well from here on, `/readyz` is "recovering".
    ///
    /// # Errors
    /// When the address is taken or not ours.
    pub fn start(options: AdminOptions) -> Result<Self, StartError> {
        let AdminOptions { listen: asked, access, durability, version, commit } = options;
        let listener = TcpListener::bind(asked).map_err(|error| StartError::Listen(asked, error))?;
        listener.set_nonblocking(true).map_err(StartError::System)?;
        let address = listener.local_addr().map_err(StartError::System)?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().enable_time().build();
        let runtime = runtime.map_err(StartError::System)?;
        let state = Arc::new(State::new(access, durability, version, commit, process::started_seconds()));
        let stop = Arc::new(Notify::new());
        let (stopped, shown) = (Arc::clone(&stop), Arc::clone(&state));
        let serve = move || {
            runtime.block_on(async {
                tokio::select! {
                    () = stopped.notified() => {}
                    () = accept(listener, &shown) => {}
                }
            });
        };
        let thread = thread::Builder::new().name("admin".into()).spawn(serve).map_err(StartError::System)?;
        Ok(Self { address, state, stop, thread: Some(thread) })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Recovery and its audit are done: `/readyz` is well as long as the engine's journal is, and `/metrics` tells all.
    /// Only the first call counts.
    pub fn set_ready(&self, engine: Arc<Engine>, report: RecoveryReport) {
        self.state.set_recovered(engine, report);
    }

    /// The process was told to leave: `/readyz` is "draining" from here on, whatever follows.
    pub fn set_draining(&self) {
        self.state.set_draining();
    }

    /// Closes the port and ends the thread. Answers under way are cut.
    pub fn shutdown(self) {
        drop(self);
    }
}

impl Drop for Admin {
    fn drop(&mut self) {
        self.stop.notify_one();
        if let Some(thread) = self.thread.take() {
            let _panicked = thread.join();
        }
    }
}

async fn accept(listener: TcpListener, state: &Arc<State>) {
    let Ok(listener) = tokio::net::TcpListener::from_std(listener) else {
        tracing::error!("the admin port is closed: the system refused to watch its socket; restart the server");
        return;
    };
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    // Nobody closes the semaphore: the loop ends with the runtime.
    while let Ok(place) = Arc::clone(&places).acquire_owned().await {
        let Ok((stream, peer)) = listener.accept().await else {
            tokio::time::sleep(REFUSED_PAUSE).await;
            continue;
        };
        let state = Arc::clone(state);
        tokio::spawn(async move {
            conversation::hold(stream, peer, state).await;
            drop(place);
        });
    }
}

impl fmt::Display for StartError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StartError::Listen(address, error) if error.kind() == io::ErrorKind::AddrInUse => write!(
                formatter,
                "{address} is in use: stop the other program, or choose another address with --admin-listen"
            ),
            StartError::Listen(address, error) => write!(
                formatter,
                "cannot listen on {address}: {error}; choose an address of this machine with --admin-listen"
            ),
            StartError::System(error) => {
                write!(formatter, "the system refused the admin port a thread or a file: {error}")
            }
        }
    }
}

impl std::error::Error for StartError {}
