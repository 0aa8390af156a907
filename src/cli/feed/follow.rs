//! Following the feed: events go to standard output as they come.

use clap::Args;
use stockade_client::{Client, ClientError, Event, Feed, Place, Status};
use stockade_protocol::limits::FEED_WINDOW_MAX;
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::super::advice;
use super::super::advice::About;
use super::super::connection::Connection;
use super::super::exit::{Exit, Failure};
use super::super::{event, id, output};
use super::start::{self, Start};

/// Events that the server may send ahead of what was printed.
const WINDOW: u32 = FEED_WINDOW_MAX;

/// What to print.
#[derive(Args, Debug)]
pub(super) struct Follow {
    /// Where to begin: EPOCH, EPOCH:INDEX, `oldest`, or `stored` [default: stored with --consumer, else oldest]
    #[arg(long, value_name = "PLACE", value_parser = start::start)]
    from: Option<Start>,

    /// Name under which the server keeps the place; it takes the feed from another command of this name
    #[arg(long, value_name = "NAME")]
    consumer: Option<String>,

    /// Stop after so many events
    #[arg(long, value_name = "N", value_parser = id::count, allow_negative_numbers = true)]
    count: Option<u64>,

    /// Move the consumer's place past what was printed
    #[arg(long)]
    acknowledge: bool,
}

/// How far it came.
struct Progress {
    /// The last event that was printed.
    last: Option<Place>,
    /// Events that were printed.
    printed: u64,
}

impl Follow {
    /// Whether nothing is said about what to print.
    pub(super) fn is_default(&self) -> bool {
        self.from.is_none() && self.consumer.is_none() && self.count.is_none() && !self.acknowledge
    }

    pub(super) fn run(&self, connection: &Connection) -> Result<Exit, Failure> {
        let start = match (self.from, &self.consumer) {
            (Some(Start::Stored), None) => {
                return Err(Failure::usage("--from stored needs the name of the --consumer that it is stored for"));
            }
            (None, None) => Start::Oldest,
            (None, Some(_)) => Start::Stored,
            (Some(start), _) => start,
        };
        if self.acknowledge && self.consumer.is_none() {
            return Err(Failure::usage("--acknowledge needs the name of the --consumer whose place moves"));
        }
        connection.run(async |client| self.follow(client, start, connection).await)
    }

    async fn follow(&self, client: Client, start: Start, connection: &Connection) -> Result<Exit, Failure> {
        // Before the first event: a signal that comes while one is printed is then not lost.
        let (mut interrupt, mut terminate) = (heard(SignalKind::interrupt())?, heard(SignalKind::terminate())?);
        let consumer = self.consumer.as_deref().unwrap_or_default();
        let subscribed = client.subscribe(start.into(), WINDOW, consumer).await;
        let mut feed = subscribed.map_err(|error| Failure::of_call(&error, About::Feed))?;
        let mut progress = Progress { last: None, printed: 0 };
        while self.count.is_none_or(|count| progress.printed < count) {
            // Only a consumer that does not acknowledge keeps what it has seen: then the server sends no more.
            if !self.moves_on() && progress.printed >= WINDOW.into() {
                return Err(Failure::other(format!(
                    "{WINDOW} events are as many as come without --acknowledge; {}",
                    self.way_on(progress.last)
                )));
            }
            let events = tokio::select! {
                // First, for a feed that never runs dry.
                biased;
                _ = interrupt.recv() => break,
                _ = terminate.recv() => break,
                events = feed.next() => events.map_err(|error| self.lost(&error, progress.last))?,
            };
            self.print(&events, &feed, &mut progress, connection.json)?;
        }
        if self.acknowledge && progress.last.is_some() {
            let stored = tokio::time::timeout(connection.timeout, feed.flush()).await;
            let late = || Failure::other("the server does not store the place in time; the last events come again");
            stored.map_err(|_| late())?.map_err(|error| self.lost(&error, progress.last))?;
        }
        Ok(Exit::Done)
    }

    /// Prints events, as many as are wanted, and moves on past them.
    fn print(&self, events: &[Event], feed: &Feed, progress: &mut Progress, is_json: bool) -> Result<(), Failure> {
        let left = self.count.map_or(u64::MAX, |count| count - progress.printed);
        let wanted = usize::try_from(left).unwrap_or(usize::MAX).min(events.len());
        let line = |event: &Event| {
            if is_json { output::json_text(&event::record(event)) + "\n" } else { event::line(event) }
        };
        output::write(&events[..wanted].iter().map(line).collect::<String>())?;
        progress.printed += wanted as u64;
        let Some(last) = events[..wanted].last() else { return Ok(()) };
        progress.last = Some(last.place);
        if self.moves_on() {
            feed.acknowledge(last.place).map_err(|error| Failure::of_server(&error))?;
        }
        Ok(())
    }

    /// Whether printed events are acknowledged. Without a name that stores no place, and only lets more events come.
    fn moves_on(&self) -> bool {
        self.acknowledge || self.consumer.is_none()
    }

    /// Why no more events come.
    fn lost(&self, error: &ClientError, last: Option<Place>) -> Failure {
        let reason = match (error, &self.consumer) {
            (ClientError::Unavailable { status: Some(Status::Overloaded), .. }, Some(name)) => {
                format!("another command took the feed of consumer {name} over")
            }
            (ClientError::Unavailable { reason, .. }, _) => format!("the feed ended: {reason}"),
            (ClientError::Refused { status, .. }, _) => {
                let sentence = advice::of_status(*status, About::Feed);
                sentence.unwrap_or_else(|| format!("the feed ended with {status}"))
            }
            (
                ClientError::UnknownOutcome { .. } | ClientError::InvalidInput { .. } | ClientError::Protocol { .. },
                _,
            ) => error.to_string(),
        };
        Failure { exit: Exit::of_error(error), sentence: format!("{reason}; {}", self.way_on(last)) }
    }

    /// How to see the rest.
    fn way_on(&self, last: Option<Place>) -> String {
        match last {
            Some(last) if !self.acknowledge => format!("go on with --from {}", event::place(last.next())),
            Some(_) | None => "the same command goes on where this one stopped".to_owned(),
        }
    }
}

fn heard(kind: SignalKind) -> Result<Signal, Failure> {
    signal(kind).map_err(|error| Failure::other(format!("the system takes no handler of signals ({error})")))
}
