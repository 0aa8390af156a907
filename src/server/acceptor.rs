//! The server as a whole: its listening socket, its cores, its end.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};
use std::{fmt, io};

use socket2::{Domain, Protocol, Socket, Type};
use tokio::sync::{Notify, mpsc};

use super::core::{self, CoreHandle, Shared};
use super::feeder::Feeder;
use super::options::ServerOptions;
use super::reader::Readers;
use crate::engine::Engine;

/// Connections that the system holds until they are accepted.
const BACKLOG: i32 = 4_096;

/// A running server.
pub struct Server {
    address: SocketAddr,
    shared: Arc<Shared>,
    cores: Vec<CoreHandle>,
    stop_accepting: Arc<Notify>,
    acceptor: JoinHandle<()>,
}

/// Why a server does not start.
#[derive(Debug)]
pub enum StartError {
    /// The address cannot be listened on.
    Listen(SocketAddr, io::Error),
    /// The system has no threads or files for it.
    System(io::Error),
}

impl Server {
    /// Listens, and starts a thread for each core of the engine.
    ///
    /// # Errors
    /// When the address is taken or not ours.
    pub fn start(engine: Arc<Engine>, options: ServerOptions) -> Result<Self, StartError> {
        let asked = options.listen;
        let listener = listen(asked).map_err(|error| StartError::Listen(asked, error))?;
        let address = listener.local_addr().map_err(StartError::System)?;
        let (boxes, deliveries): (Vec<_>, Vec<_>) = (0..engine.cores()).map(|_| mpsc::unbounded_channel()).unzip();
        let readers = Readers::start(&engine, options.reader_threads, &boxes).map_err(StartError::System)?;
        let feeder = engine.feed().map(|source| Feeder::start(&engine, source, &boxes)).transpose();
        let feeder = feeder.map_err(StartError::System)?;
        let shared = Arc::new(Shared {
            engine,
            options,
            readers,
            feeder,
            in_flight: AtomicUsize::new(0),
            connections: AtomicUsize::new(0),
            draining: AtomicBool::new(false),
        });
        let cores = deliveries.into_iter().enumerate();
        let cores = cores.map(|(index, deliveries)| core::start(index, Arc::clone(&shared), deliveries));
        let cores = cores.collect::<io::Result<Vec<_>>>().map_err(StartError::System)?;
        let senders = cores.iter().map(|core| core.streams.clone()).collect::<Vec<_>>();
        let stop_accepting = Arc::new(Notify::new());
        let (stop, accepting) = (Arc::clone(&stop_accepting), Arc::clone(&shared));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().enable_time().build();
        let runtime = runtime.map_err(StartError::System)?;
        let accept = move || {
            runtime.block_on(async {
                tokio::select! {
                    () = stop.notified() => {}
                    () = accept(listener, &accepting, &senders) => {}
                }
            });
        };
        let acceptor = thread::Builder::new().name("acceptor".into()).spawn(accept).map_err(StartError::System)?;
        Ok(Self { address, shared, cores, stop_accepting, acceptor })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Open connections.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::Relaxed)
    }

    /// Stops taking connections and requests, lets the replies of decided requests leave once they are durable, and
    /// ends the threads. Takes at most the drain limit and a moment.
    pub fn shutdown(self) {
        // First: the acceptor's end wakes the connections, and each looks at this once.
        self.shared.draining.store(true, Ordering::SeqCst);
        self.stop_accepting.notify_one();
        let _panicked = self.acceptor.join();
        // All are told before the first is waited for.
        let threads = self.cores.into_iter().map(|core| core.thread).collect::<Vec<_>>();
        for thread in threads {
            let _panicked = thread.join();
        }
        self.shared.readers.stop();
        self.shared.feeder.iter().for_each(Feeder::stop);
    }
}

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

async fn accept(listener: TcpListener, shared: &Shared, cores: &[tokio::sync::mpsc::Sender<std::net::TcpStream>]) {
    let Ok(listener) = tokio::net::TcpListener::from_std(listener) else { return };
    let mut turn = 0;
    loop {
        let Ok((stream, _peer)) = listener.accept().await else {
            // Out of files or memory: the connection stays in the backlog. Let some of ours end first.
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
            continue;
        };
        if shared.connections.load(Ordering::Relaxed) >= shared.options.connections_max {
            continue;
        }
        let Ok(stream) = stream.into_std() else { continue };
        // Replies are written once per epoch: waiting to fill a packet would only delay them.
        if stream.set_nodelay(true).is_err() {
            continue;
        }
        shared.connections.fetch_add(1, Ordering::Relaxed);
        turn = (turn + 1) % cores.len();
        if cores[turn].send(stream).await.is_err() {
            return;
        }
    }
}

impl fmt::Display for StartError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StartError::Listen(address, error) if error.kind() == io::ErrorKind::AddrInUse => write!(
                formatter,
                "{address} is in use: stop the other program, or choose another address with --listen"
            ),
            StartError::Listen(address, error) => {
                write!(
                    formatter,
                    "cannot listen on {address}: {error}; choose an address of this machine with --listen"
                )
            }
            StartError::System(error) => write!(formatter, "the system refused a thread or a file: {error}"),
        }
    }
}

impl std::error::Error for StartError {}
