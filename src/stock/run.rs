//! Runs of consecutive serials.

/// The serials `first .. first + count`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Run {
    /// First serial.
    pub first: u32,
    /// How many; at least 1 wherever a run stands for units that somebody holds.
    pub count: u32,
}

impl Run {
    /// `count` serials from `first` on.
    ///
    /// # Panics
    /// When they would pass the last serial that exists.
    #[must_use]
    pub fn new(first: u32, count: u32) -> Self {
        assert!(first.checked_add(count).is_some(), "serials end at {}: {first} + {count}", u32::MAX);
        Self { first, count }
    }

    /// The serial after the last.
    #[must_use]
    pub fn end(self) -> u32 {
        self.first + self.count
    }

    /// The first `count` serials, and the others.
    ///
    /// # Panics
    /// When the run is shorter.
    #[must_use]
    pub fn split_at(self, count: u32) -> (Run, Run) {
        (Run::new(self.first, count), Run::new(self.first + count, self.count - count))
    }
}

/// The serials of one claim: nearly always one run, more when it had to collect from several buckets. Two words, which
/// travel in registers: it is handed on often while a claim is decided.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Runs {
    /// Empty = there is none.
    head: Run,
    #[expect(clippy::box_collection, reason = "one word, which is empty nearly always")]
    tail: Option<Box<Vec<Run>>>,
}

impl Runs {
    /// One run.
    #[must_use]
    #[inline]
    pub fn one(run: Run) -> Self {
        Self { head: run, tail: None }
    }

    /// Adds a run; joins it to the last one when it continues it.
    pub fn push(&mut self, run: Run) {
        assert!(run.count > 0, "an empty run holds nothing");
        if self.is_empty() {
            self.head = run;
            return;
        }
        let last = self.tail.as_mut().and_then(|tail| tail.last_mut()).unwrap_or(&mut self.head);
        if last.end() == run.first {
            last.count += run.count;
        } else {
            self.tail.get_or_insert_default().push(run);
        }
    }

    /// Units in all runs.
    #[must_use]
    #[inline]
    pub fn units(&self) -> u32 {
        self.head.count + self.tail.iter().flat_map(|tail| tail.iter()).map(|run| run.count).sum::<u32>()
    }

    /// Whether there is no run.
    #[must_use]
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.head.count == 0
    }

    /// The runs, in the order in which they were drawn.
    #[inline]
    pub fn iter(&self) -> impl Iterator<Item = Run> + '_ {
        let head = (!self.is_empty()).then_some(self.head);
        head.into_iter().chain(self.tail.iter().flat_map(|tail| tail.iter().copied()))
    }

    /// The first run.
    ///
    /// # Panics
    /// When there is none: a grant always has one.
    #[must_use]
    #[inline]
    pub fn first(&self) -> Run {
        assert!(!self.is_empty(), "a grant holds at least one run");
        self.head
    }

    /// Whether the serials are one run.
    #[must_use]
    #[inline]
    pub fn is_one_run(&self) -> bool {
        self.tail.is_none()
    }
}

impl FromIterator<Run> for Runs {
    fn from_iter<I: IntoIterator<Item = Run>>(runs: I) -> Self {
        let mut all = Runs::default();
        runs.into_iter().for_each(|run| all.push(run));
        all
    }
}
