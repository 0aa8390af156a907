//! The frames of one connection that wait for their reply.

/// A frame in flight. Its claims are the slots `first_slot..first_slot + count`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InFlight {
    /// Slot of its first claim.
    pub first_slot: u64,
    /// Number of its claims.
    pub count: u32,
    /// From when its latency counts.
    pub intended_ns: u64,
}

#[derive(Clone, Copy, Debug)]
struct Place {
    frame: InFlight,
    /// Counts the frames that had this place: a late reply to an earlier one is recognised.
    generation: u32,
    taken: bool,
}

/// A bounded set of frames in flight. A frame's correlation id is its place and the place's generation, so that replies
/// may come in any order.
#[derive(Clone, Debug)]
pub struct Window {
    places: Vec<Place>,
    free: Vec<u32>,
    frames_max: u32,
}

impl Window {
    /// Room for `frames_max` frames.
    #[must_use]
    pub fn new(frames_max: u32) -> Self {
        Self { places: Vec::new(), free: Vec::new(), frames_max }
    }

    /// Whether another frame may be sent.
    #[must_use]
    pub fn has_room(&self) -> bool {
        !self.free.is_empty() || self.places.len() < self.frames_max as usize
    }

    /// Whether nothing waits for a reply.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.free.len() == self.places.len()
    }

    /// Takes a place for `frame`: its correlation id. `None` when the window is full.
    pub fn open(&mut self, frame: InFlight) -> Option<u64> {
        if let Some(index) = self.free.pop() {
            let place = &mut self.places[index as usize];
            let generation = place.generation.wrapping_add(1);
            *place = Place { frame, generation, taken: true };
            return Some(correlation(index, generation));
        }
        let index = u32::try_from(self.places.len()).ok().filter(|index| *index < self.frames_max)?;
        self.places.push(Place { frame, generation: 0, taken: true });
        Some(correlation(index, 0))
    }

    /// The frame that waits for a reply with this `correlation`. `None` when none does.
    #[must_use]
    pub fn find(&self, correlation: u64) -> Option<InFlight> {
        let (index, generation) = parts(correlation);
        let place = self.places.get(index as usize)?;
        Some(place.frame).filter(|_| place.taken && place.generation == generation)
    }

    /// The same, and its place is free again.
    pub fn close(&mut self, correlation: u64) -> Option<InFlight> {
        let frame = self.find(correlation)?;
        let (index, _) = parts(correlation);
        self.places[index as usize].taken = false;
        self.free.push(index);
        Some(frame)
    }

    /// All frames in flight with their correlation ids, in the order in which they were first sent.
    #[must_use]
    pub fn in_order(&self) -> Vec<(u64, InFlight)> {
        let taken = (0..).zip(&self.places).filter(|(_, place)| place.taken);
        let mut frames =
            taken.map(|(index, place)| (correlation(index, place.generation), place.frame)).collect::<Vec<_>>();
        frames.sort_unstable_by_key(|(_, frame)| frame.first_slot);
        frames
    }
}

const fn correlation(index: u32, generation: u32) -> u64 {
    (generation as u64) << 32 | index as u64
}

#[expect(clippy::cast_possible_truncation, reason = "takes the two halves apart")]
const fn parts(correlation: u64) -> (u32, u32) {
    (correlation as u32, (correlation >> 32) as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(first_slot: u64) -> InFlight {
        InFlight { first_slot, count: 1, intended_ns: 0 }
    }

    #[test]
    fn replies_in_any_order_find_their_frame_once() {
        let mut window = Window::new(2);
        let (first, second) = (window.open(frame(1)).unwrap(), window.open(frame(2)).unwrap());
        assert_eq!(window.open(frame(3)), None);
        assert!(!window.has_room());
        assert_eq!(window.close(second), Some(frame(2)));
        assert_eq!(window.close(second), None, "one reply only");
        let third = window.open(frame(3)).unwrap();
        assert_ne!(third, second, "the place is the same, the id is not");
        assert_eq!(window.close(second), None);
        assert_eq!(window.in_order(), [(first, frame(1)), (third, frame(3))]);
        assert_eq!(window.close(first), Some(frame(1)));
        assert_eq!(window.close(third), Some(frame(3)));
        assert_eq!(window.close(u64::MAX), None);
        assert!(window.is_empty());
    }
}
