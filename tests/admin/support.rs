//! Engines, a port, and a client that speaks just enough HTTP.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use stockade::access::Access;
use stockade::admin::{Admin, AdminOptions};
use stockade::engine::{self, Burst, Engine, EngineOptions, Running, Source};
use stockade::journal::Wake;
use stockade_protocol::Status;
use stockade_protocol::batch::{Create, Terms};
use stockade_protocol::claim::{Claim, ClaimReply};
use stockade_protocol::hello::Durability;

use crate::page::{Page, parse};

/// Ends a test that would wait for ever; far above any limit of the port.
const GIVE_UP: Duration = Duration::from_mins(1);

/// Any free port of this machine.
pub(crate) const ANY: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

/// An answer of the admin port.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Answer {
    /// The one value of a header.
    pub(crate) fn header(&self, name: &str) -> &str {
        let mut values = self.headers.iter().filter(|(key, _)| key == name).map(|(_, value)| value.as_str());
        let value = values.next().unwrap_or_else(|| panic!("no header {name} in {:?}", self.headers));
        assert_eq!(values.next(), None, "one header {name}");
        value
    }
}

/// A port that is still "recovering".
pub(crate) fn admin() -> Admin {
    let (access, durability) = (Access::default(), Durability::Memory);
    Admin::start(AdminOptions { listen: ANY, access, durability, version: "1.2.3", commit: "abc\"\\\n" })
        .expect("a free port")
}

/// A port that shows `running`.
pub(crate) fn admin_of(running: &Running) -> Admin {
    let admin = admin();
    admin.set_ready(Arc::clone(&running.engine), running.report);
    admin
}

/// An engine that keeps nothing.
pub(crate) fn memory_engine(cores: usize) -> Running {
    engine_on(Source::memory(), cores)
}

/// An engine on `source` that may not fail.
pub(crate) fn engine_on(source: Source, cores: usize) -> Running {
    let options = EngineOptions::new(cores, Arc::new(|reason: &str| panic!("the journal failed: {reason}")));
    engine::start(source, options).expect("an engine")
}

/// An open connection to the port.
pub(crate) fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).expect("the port listens");
    stream.set_read_timeout(Some(GIVE_UP)).expect("a time limit");
    stream.set_write_timeout(Some(GIVE_UP)).expect("a time limit");
    stream
}

/// Sends these bytes and reads the answer up to the end of the connection.
pub(crate) fn send(address: SocketAddr, request: &[u8]) -> Answer {
    let mut stream = connect(address);
    stream.write_all(request).expect("the port reads");
    read_answer(&mut stream)
}

/// Reads an answer up to the end of the connection.
pub(crate) fn read_answer(stream: &mut TcpStream) -> Answer {
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).expect("an answer, then the end");
    let text = String::from_utf8(bytes).expect("text");
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer: {text:?}"));
    let mut lines = head.split("\r\n");
    let status = lines.next().and_then(|line| line.strip_prefix("HTTP/1.")?.get(2..5)?.parse().ok());
    let status = status.unwrap_or_else(|| panic!("no status: {text:?}"));
    let headers = lines.map(|line| line.split_once(": ").unwrap_or_else(|| panic!("no header: {line:?}")));
    let headers = headers.map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned())).collect();
    Answer { status, headers, body: body.to_owned() }
}

/// Asks for `path`, and checks what every answer has.
pub(crate) fn get(address: SocketAddr, path: &str) -> Answer {
    let answer = send(address, format!("GET {path} HTTP/1.1\r\nHost: stockade\r\n\r\n").as_bytes());
    assert_eq!(answer.header("content-length"), answer.body.len().to_string());
    assert_eq!(answer.header("cache-control"), "no-store");
    assert!(answer.body.ends_with('\n'), "{path}: {:?}", answer.body);
    answer
}

/// The page of metrics; it must be valid.
pub(crate) fn scrape(admin: &Admin) -> Page {
    let answer = get(admin.address(), "/metrics");
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), "text/plain; version=0.0.4; charset=utf-8");
    parse(&answer.body).unwrap_or_else(|complaint| panic!("{complaint}\nin\n{}", answer.body))
}

struct Bell(Sender<()>);

impl Wake for Bell {
    fn wake(&self) {
        let _nobody_waits_any_more = self.0.send(());
    }
}

/// Decides a burst of core 0 and waits until its answers may leave. Once per engine and core, as bells are set once.
pub(crate) struct Core<'a> {
    engine: &'a Engine,
    rung: Receiver<()>,
}

impl<'a> Core<'a> {
    /// Takes core 0 of an engine without a server.
    pub(crate) fn new(engine: &'a Engine) -> Self {
        let (bell, rung) = channel();
        engine.journal().set_wake(0, Box::new(Bell(bell)));
        Self { engine, rung }
    }

    /// One burst, until it is durable.
    pub(crate) fn burst<T>(&self, decide: impl FnOnce(&mut Burst<'_>) -> T) -> T {
        let mut burst = self.engine.burst(0);
        let decided = decide(&mut burst);
        let epoch = burst.leave();
        // A bell may have rung for an epoch that was durable before it was waited for.
        while !self.engine.journal().wait(0, epoch) {
            self.rung.recv_timeout(GIVE_UP).expect("the epoch becomes durable");
        }
        assert!(self.engine.journal().may_leave(epoch));
        decided
    }

    /// Creates an active batch and waits until it can be seen.
    pub(crate) fn create(&self, batch: u64, stock: u32) {
        let info = self.burst(|burst| burst.create(&creation(batch, stock)));
        assert_eq!(info.status(), Some(Status::Done));
    }

    /// Claims one unit for each user, in one burst.
    pub(crate) fn claim(&self, batch: u64, users: impl IntoIterator<Item = u64>) -> Vec<ClaimReply> {
        let claims = users.into_iter().map(|user| Claim::new(batch, user, 1, 1));
        self.burst(|burst| claims.map(|claim| burst.claim(&claim)).collect())
    }
}

/// A batch that is active at once.
pub(crate) fn creation(batch: u64, stock: u32) -> Create {
    let name = "Double Eleven".to_owned();
    let terms = Terms { stock, per_user: Some(1), name, ..Terms::default() };
    Create::new(batch, &terms).expect("a short name")
}
