//! The frames of one connection that wait for their reply.

/// Which request of its slots a frame asks for. Most slots have one request; some have a second one, which leaves when
/// the first was answered as it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The first one, or the only one.
    First,
    /// The second one.
    Second,
}

/// A frame in flight. Its requests are of the slots `first_slot..first_slot + slots`: of all of them, or, if it is of
/// the second step, of those whose first request was answered as it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InFlight {
    /// Its first slot.
    pub first_slot: u64,
    /// How many slots there are.
    pub slots: u32,
    /// Number of its requests.
    pub count: u32,
    /// From when the latency of its slots counts.
    pub intended_ns: u64,
    /// Which request it asks for.
    pub step: Step,
    /// From when the latency of this request counts.
    pub step_ns: u64,
}

impl InFlight {
    /// The first requests of `count` slots, meant to start at `intended_ns`.
    #[must_use]
    pub const fn first(first_slot: u64, count: u32, intended_ns: u64) -> Self {
        Self { first_slot, slots: count, count, intended_ns, step: Step::First, step_ns: intended_ns }
    }

    /// The second requests of `count` of its slots, which became due at `now_ns`.
    #[must_use]
    pub const fn second(self, count: u32, now_ns: u64) -> Self {
        Self { count, step: Step::Second, step_ns: now_ns, ..self }
    }

    /// Its slots.
    #[must_use]
    pub fn range(&self) -> std::ops::Range<u64> {
        self.first_slot..self.first_slot + u64::from(self.slots)
    }
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

    /// The frame that `correlation` named is answered and `next` goes on in its place: a new correlation id, so that a
    /// second reply to the old one answers nothing.
    pub fn renew(&mut self, correlation: u64, next: InFlight) -> Option<u64> {
        self.find(correlation)?;
        let (index, generation) = parts(correlation);
        let generation = generation.wrapping_add(1);
        self.places[index as usize] = Place { frame: next, generation, taken: true };
        Some(self::correlation(index, generation))
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
        InFlight::first(first_slot, 1, 0)
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

    #[test]
    fn a_second_request_keeps_the_place_and_has_an_id_of_its_own() {
        let mut window = Window::new(1);
        let first = window.open(InFlight::first(8, 4, 10)).unwrap();
        let next = InFlight::first(8, 4, 10).second(3, 25);
        let second = window.renew(first, next).unwrap();
        assert!(!window.has_room() && first != second);
        assert_eq!((window.find(first), window.renew(first, next)), (None, None), "it was answered");
        let found = window.close(second).unwrap();
        assert_eq!((found.range(), found.count, found.step), (8..12, 3, Step::Second));
        assert_eq!((found.intended_ns, found.step_ns), (10, 25));
    }
}
