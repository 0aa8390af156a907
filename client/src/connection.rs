//! The life of one connection: dial, talk until it is lost, dial again while somebody waits.

use tokio::time::sleep_until;

use crate::conversation::converse;
use crate::dial::dial;
use crate::pool::Seat;

/// Runs a connection until nobody needs it any more. One that is lost while idle ends here without a word: the next
/// request starts another.
pub(crate) async fn run(mut seat: Seat) {
    loop {
        // All connections keep to one pace, or a crowd would dial a server that is down in turns.
        if let Some(at) = seat.pool().next_dial() {
            sleep_until(at).await;
        }
        let Some(needed) = seat.stay() else { return };
        seat = needed;

        let pool = seat.pool();
        match dial(&pool.options).await {
            Ok(link) => {
                let open = pool.opened(link.server.clone());
                // Everyone whom the loss concerns has been told it.
                let _lost = converse(pool, link, pool.options.silence_limit).await;
                drop(open);
            }
            Err(trouble) => pool.dial_failed(&trouble),
        }
    }
}
