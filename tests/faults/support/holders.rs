//! Who was told that a serial is theirs: no serial is told to two.

use std::collections::HashMap;

use stockade::stock::Run;
use stockade_protocol::Status;

use super::trade::{Answer, Trade};

/// Everything that clients were told they hold.
#[derive(Default)]
pub(crate) struct Holders {
    /// Serials of every request that was told GRANTED.
    pub(crate) granted: HashMap<(u64, u64, u64), Vec<Run>>,
    of_serial: HashMap<(u64, u32), (u64, u64)>,
}

impl Holders {
    /// Takes note of an answer. Says what is wrong if one of its serials is another's.
    pub(crate) fn told(&mut self, trade: &Trade) -> Option<String> {
        let Answer::Claim(reply, runs) = &trade.answer else { return None };
        let (batch, user, request) = trade.request.key()?;
        if reply.status() != Some(Status::Granted) {
            return None;
        }
        self.granted.insert((batch, user, request), runs.clone());
        let serials = runs.iter().flat_map(|run| run.first..run.end());
        let mut others = serials.filter_map(|serial| {
            let before = self.of_serial.insert((batch, serial), (user, request));
            before.filter(|holder| *holder != (user, request)).map(|holder| (serial, holder))
        });
        let (serial, holder) = others.next()?;
        Some(format!("serial {serial} of batch {batch} was told to {holder:?} and to {:?}", (user, request)))
    }
}
