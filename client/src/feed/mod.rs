//! The feed: every effect that is durable, in order, on a connection of its own.

mod consumer;
mod subscription;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use stockade_protocol::feed::Subscribe;
use stockade_protocol::limits::FEED_WINDOW_MAX;
use tokio::net::TcpStream;
use tokio::sync::{mpsc, watch};
use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep, timeout_at};

pub use consumer::Consumer;

use crate::builder::invalid;
use crate::client::Client;
use crate::dial::{Link, dial};
use crate::error::ClientError;
use crate::event::{Event, Place};
use crate::server::Server;
use crate::trouble::Trouble;
use subscription::{Progress, Shared, Subscription, subscribe};

/// Where a subscription begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FeedStart {
    /// At the oldest event that is kept.
    Oldest,
    /// At this place, or the next one where an event is: a consumer that keeps its own cursor starts at the place
    /// [after](Place::next) the last event that it dealt with.
    At(Place),
    /// Where the consumer's stored cursor stands, or, if none is stored under its name, at this place.
    Stored {
        /// The place without a cursor; [`Place::FIRST`] = the oldest event that is kept.
        or: Place,
    },
}

/// A subscription. [`next`](Feed::next) gives the events, in order and without gaps;
/// [`acknowledge`](Feed::acknowledge) says up to where they are dealt with.
///
/// - **At least once.** After a lost connection a new subscription begins at the stored cursor, which may be before
///   events that were given out already: deal with an event by its [`Place`], so that a repetition does nothing.
/// - **The window.** The server sends no more events than that without an acknowledgement, and this is also the most
///   that wait here for `next`. Who never acknowledges gets one window of events and no more.
/// - **It keeps itself alive.** A task reads, acknowledges and sends a `PING` when it has said nothing for 20 seconds,
///   whether or not anybody waits in `next`. It ends with the `Feed`, which closes the connection.
/// - **It does not reconnect.** After an error, subscribe again with [`FeedStart::Stored`]. `Unavailable` with the
///   status `OVERLOADED` mostly means that another subscription of the same name took over: two consumers that both
///   come back at once would take the feed from each other for ever.
pub struct Feed {
    events: mpsc::UnboundedReceiver<Vec<Event>>,
    /// Events that came and were not given out.
    backlog: Arc<AtomicUsize>,
    acknowledged: watch::Sender<Option<Place>>,
    progress: watch::Receiver<Progress>,
    /// The last event that was given out.
    given: Option<Place>,
    server: Server,
    address: String,
    task: AbortHandle,
}

impl Client {
    /// Subscribes to the feed, on a new connection that belongs to no pool and outlives the client. Tries until the
    /// server accepts, within the client's deadline. For operators.
    ///
    /// `window` (1..=65,536): most events that are sent and not acknowledged. `consumer`: the name under which the
    /// server stores the cursor, at most 40 bytes; empty = it stores none.
    ///
    /// Cancel-safe: dropped, there is no subscription. One of the same name that was there may have been ended.
    ///
    /// # Errors
    /// `InvalidInput` for a window out of range, a name that cannot be sent, or a stored cursor without a name.
    /// `Refused`: `CURSOR_TOO_OLD` when events from the start on are not kept any more (begin anew with
    /// [`FeedStart::Oldest`]), `CURSOR_INVALID` when there never was such a place, and what refuses any call.
    /// `Unavailable` or `Protocol`: as every call.
    pub async fn subscribe(&self, start: FeedStart, window: u32, consumer: &str) -> Result<Feed, ClientError> {
        if !(1..=FEED_WINDOW_MAX).contains(&window) {
            return Err(invalid("window", format!("{window} is not within 1..={FEED_WINDOW_MAX}")));
        }
        let place = match start {
            FeedStart::Oldest => Place::FIRST,
            FeedStart::At(place) => place,
            FeedStart::Stored { .. } if consumer.is_empty() => {
                return Err(invalid("consumer", "a stored cursor needs the name that it is stored under"));
            }
            FeedStart::Stored { or } => or,
        };
        let item = Subscribe::from(place.epoch, place.index, window, consumer);
        let item = item.map_err(|error| invalid("consumer", format!("the consumer's name: {error}")))?;
        // A stored cursor may be anywhere.
        let (item, at_least) = match start {
            FeedStart::Oldest | FeedStart::At(_) => (item, place),
            FeedStart::Stored { .. } => (item.stored(), Place::FIRST),
        };
        let link = self.subscribed(&item).await?;
        Ok(Feed::start(self, link, at_least, window))
    }

    /// A connection on which the subscription stands.
    async fn subscribed(&self, item: &Subscribe) -> Result<Link<TcpStream>, ClientError> {
        let deadline = Instant::now() + self.deadline();
        let mut trouble = None;
        match timeout_at(deadline, self.tries(item, deadline, &mut trouble)).await {
            Ok(Ok(link)) => Ok(link),
            Ok(Err(trouble)) => Err(trouble.error(&self.options().server, trouble.reason())),
            Err(_) => {
                let late = format!("no subscription within {:?}", self.deadline());
                Err(match trouble {
                    Some(trouble) => {
                        trouble.error(&self.options().server, format!("{late}; before: {}", trouble.reason()))
                    }
                    None => Trouble::network("").error(&self.options().server, late),
                })
            }
        }
    }

    /// Tries until one succeeds, or meets what another would meet too, or the tries are used up. Notes each failure in
    /// `trouble`.
    async fn tries(
        &self,
        item: &Subscribe,
        deadline: Instant,
        trouble: &mut Option<Trouble>,
    ) -> Result<Link<TcpStream>, Trouble> {
        let options = self.options();
        let mut tries = 0;
        loop {
            let tried = match dial(options).await {
                Ok(link) => subscribe(link, item, deadline).await,
                Err(trouble) => Err(trouble),
            };
            tries += 1;
            match tried {
                Ok(link) => return Ok(link),
                Err(failed) if failed.is_final() || tries >= options.attempts => return Err(failed),
                Err(failed) => *trouble = Some(failed),
            }
            // At most half of what is left: the last pause before the deadline must leave time for a try.
            let left = deadline.saturating_duration_since(Instant::now());
            sleep(options.backoff.pause(tries).min(left / 2)).await;
        }
    }
}

impl Feed {
    fn start(client: &Client, link: Link<TcpStream>, at_least: Place, window: u32) -> Self {
        let (server, options) = (link.server.clone(), client.options());
        let (shared, (events, acknowledged, progress)) = Shared::new(window);
        let backlog = Arc::clone(&shared.backlog);
        let subscription = Subscription::new(shared, at_least, options.backoff);
        let task = tokio::spawn(subscription.run(link, options.silence_limit)).abort_handle();
        let address = options.server.clone();
        Self { events, backlog, acknowledged, progress, given: None, server, address, task }
    }

    /// Waits for the next events: at least one, in order, right after those before.
    ///
    /// Has no deadline; wrap it in a timeout where one is needed. What came before the connection was lost is given out
    /// before the error; after the error every further call fails with it.
    ///
    /// Cancel-safe: a dropped wait has taken no events.
    ///
    /// # Errors
    /// `Unavailable`: the connection was lost, the server is leaving, or another subscription of the same name took
    /// over. `Refused`: the server refused an acknowledgement. `Protocol`: the server broke the protocol.
    pub async fn next(&mut self) -> Result<Vec<Event>, ClientError> {
        let Some(events) = self.events.recv().await else { return Err(self.end()) };
        self.backlog.fetch_sub(events.len(), Ordering::Relaxed);
        self.given = events.last().map(|event| event.place).or(self.given);
        Ok(events)
    }

    /// Says that all events up to and including that at `through` are dealt with: the cursor moves, and the window
    /// opens for as many more. Returns at once; the task sends it, the newest first of all, and events go on coming
    /// meanwhile. What was acknowledged already is no error and changes nothing.
    ///
    /// One that did not get through before the connection was lost is no loss: the events come again.
    /// [`flush`](Feed::flush) waits until it did.
    ///
    /// # Errors
    /// `InvalidInput` when no event that far was given out.
    pub fn acknowledge(&self, through: Place) -> Result<(), ClientError> {
        if self.given.is_none_or(|given| through > given) {
            let reason = format!("epoch {}, index {} is beyond the last event", through.epoch, through.index);
            return Err(invalid("through", reason));
        }
        self.acknowledged.send_if_modified(|newest| {
            let is_news = newest.is_none_or(|newest| through > newest);
            if is_news {
                *newest = Some(through);
            }
            is_news
        });
        Ok(())
    }

    /// Waits until the server has answered the newest acknowledgement, for a consumer that stops: the next one of its
    /// name then begins right there. Has no deadline.
    ///
    /// Cancel-safe: it only waits.
    ///
    /// # Errors
    /// As [`next`](Feed::next).
    pub async fn flush(&self) -> Result<(), ClientError> {
        let newest = *self.acknowledged.borrow();
        let mut progress = self.progress.clone();
        let is_settled = |progress: &Progress| progress.stored >= newest || progress.end.is_some();
        let is_stored = progress.wait_for(is_settled).await.is_ok_and(|progress| progress.stored >= newest);
        if is_stored { Ok(()) } else { Err(self.end()) }
    }

    /// What the server said in the handshake. A cursor that a consumer keeps is of use only on the same
    /// [`store_id`](Server::store_id).
    #[must_use]
    pub fn server(&self) -> &Server {
        &self.server
    }

    /// Why no more events come.
    fn end(&self) -> ClientError {
        let end = self.progress.borrow().end.clone();
        let trouble = end.unwrap_or_else(|| Trouble::network("the runtime that drove the connection was shut down"));
        trouble.error(&self.address, trouble.reason())
    }
}

impl Drop for Feed {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl fmt::Debug for Feed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Feed")
            .field("server", &self.address)
            .field("given", &self.given)
            .field("acknowledged", &*self.acknowledged.borrow())
            .finish_non_exhaustive()
    }
}
