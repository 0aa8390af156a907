//! How much of a burst is taken in. What is not is answered `OVERLOADED` before anything is touched.

/// See the module.
pub(super) struct Admission {
    /// Items that the connection's window has room for.
    window: usize,
    /// Of these, claims and reservations that the server as a whole has room for. What ends a reservation is not held
    /// up by new ones.
    new: usize,
    /// Items taken in.
    pub(super) admitted: usize,
}

impl Admission {
    pub(super) fn new(window: usize, new: usize) -> Self {
        Self { window, new, admitted: 0 }
    }

    /// Takes one item in, if there is room; `is_new` says that it is a claim or a reservation.
    #[inline]
    pub(super) fn admit(&mut self, is_new: bool) -> bool {
        if self.window == 0 || (is_new && self.new == 0) {
            return false;
        }
        self.window -= 1;
        self.new = self.new.saturating_sub(1);
        self.admitted += 1;
        true
    }
}
