//! Runs of consecutive serials.

/// The serials `first .. first + count`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
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

/// The serials of one claim: nearly always one run, more when it had to collect from several buckets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Runs {
    head: Option<Run>,
    tail: Vec<Run>,
}

impl Runs {
    /// One run.
    #[must_use]
    pub fn one(run: Run) -> Self {
        Self { head: Some(run), tail: Vec::new() }
    }

    /// Adds a run; joins it to the last one when it continues it.
    pub fn push(&mut self, run: Run) {
        assert!(run.count > 0, "an empty run holds nothing");
        let last = self.tail.last_mut().or(self.head.as_mut());
        match last {
            Some(last) if last.end() == run.first => last.count += run.count,
            Some(_) => self.tail.push(run),
            None => self.head = Some(run),
        }
    }

    /// Units in all runs.
    #[must_use]
    pub fn units(&self) -> u32 {
        self.iter().map(|run| run.count).sum()
    }

    /// Whether there is no run.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.head.is_none()
    }

    /// The runs, in the order in which they were drawn.
    pub fn iter(&self) -> impl Iterator<Item = Run> + '_ {
        self.head.iter().chain(&self.tail).copied()
    }

    /// The first run.
    ///
    /// # Panics
    /// When there is none: a grant always has one.
    #[must_use]
    pub fn first(&self) -> Run {
        self.head.expect("a grant holds at least one run")
    }

    /// Whether the serials are one run.
    #[must_use]
    pub fn is_one_run(&self) -> bool {
        self.tail.is_empty()
    }
}

impl FromIterator<Run> for Runs {
    fn from_iter<I: IntoIterator<Item = Run>>(runs: I) -> Self {
        let mut all = Runs::default();
        runs.into_iter().for_each(|run| all.push(run));
        all
    }
}
