//! What is known of the reservations of one shard that have not ended.

/// One of them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Hold {
    /// When it expires, in milliseconds of the server's running clock.
    pub(super) due_ms: u64,
    /// What the claim's place says once it is not reserved any more.
    pub(super) place: u32,
    /// Seconds by which it was extended; 0 = it was not.
    pub(super) extended_s: u16,
}

/// Places of holds, used again when one ends.
#[derive(Default)]
pub(super) struct Holds {
    holds: Vec<Hold>,
    free: Vec<u32>,
}

impl Holds {
    /// Keeps a hold; returns its place.
    pub(super) fn put(&mut self, hold: Hold) -> u32 {
        if let Some(place) = self.free.pop() {
            self.holds[place as usize] = hold;
            return place;
        }
        self.holds.push(hold);
        u32::try_from(self.holds.len() - 1).expect("fewer holds than serials")
    }

    pub(super) fn is_empty(&self) -> bool {
        self.holds.len() == self.free.len()
    }

    pub(super) fn get(&self, place: u32) -> &Hold {
        &self.holds[place as usize]
    }

    pub(super) fn get_mut(&mut self, place: u32) -> &mut Hold {
        &mut self.holds[place as usize]
    }

    /// Takes a hold away.
    pub(super) fn take(&mut self, place: u32) -> Hold {
        self.free.push(place);
        self.holds[place as usize]
    }
}
