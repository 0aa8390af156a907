//! What became of the units of one shard, in numbers that only grow.

/// Units, but for orders. `claimed` and `reserved` − `confirmed` − `cancelled` − `lapsed` + … add up: see
/// [`Tally::now`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is the number of units of which the event of its name was recorded")]
pub struct Tally {
    pub claimed: u64,
    pub reserved: u64,
    pub confirmed: u64,
    pub cancelled: u64,
    pub lapsed: u64,
    pub locked: u64,
    pub unlocked: u64,
    pub redeemed: u64,
    pub restored: u64,
    pub returned: u64,
    pub voided: u64,
    /// Units that could not come back into stock, since the batch has no serials left: of those cancelled, lapsed or
    /// returned.
    pub stranded: u64,
}

/// Where the units are now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// Held for users.
    pub reserved: u64,
    /// The users': locked, redeemed and expired ones too.
    pub granted: u64,
    /// Locked ones of them.
    pub locked: u64,
    /// Redeemed ones of them.
    pub redeemed: u64,
    /// Worth nothing, for good.
    pub voided: u64,
}

impl Tally {
    /// Where the units are now.
    ///
    /// # Panics
    /// When more left a place than came: more was redeemed than ever granted, for one.
    #[must_use]
    pub fn now(&self) -> Standing {
        self.checked_now().unwrap_or_else(|| panic!("more units left a place than came to it: {self:?}"))
    }

    /// The same; `None` when more left a place than came.
    #[must_use]
    pub fn checked_now(&self) -> Option<Standing> {
        let less = |from: u64, less: &[u64]| less.iter().try_fold(from, |left, less| left.checked_sub(*less));
        Some(Standing {
            reserved: less(self.reserved, &[self.confirmed, self.cancelled, self.lapsed])?,
            granted: less(self.claimed + self.confirmed, &[self.returned, self.voided])?,
            locked: less(self.locked, &[self.unlocked, self.redeemed])?,
            redeemed: less(self.redeemed, &[self.restored])?,
            voided: self.voided + self.stranded,
        })
    }

    /// The numbers, in an order that never changes.
    #[must_use]
    pub fn numbers(&self) -> [u64; 12] {
        let Tally { claimed, reserved, confirmed, cancelled, lapsed, locked, .. } = *self;
        let Tally { unlocked, redeemed, restored, returned, voided, stranded, .. } = *self;
        [
            claimed, reserved, confirmed, cancelled, lapsed, locked, unlocked, redeemed, restored, returned, voided,
            stranded,
        ]
    }

    /// The tally with these [numbers](Tally::numbers).
    #[must_use]
    pub fn from_numbers(numbers: [u64; 12]) -> Self {
        let [claimed, reserved, confirmed, cancelled, lapsed, locked, unlocked, rest @ ..] = numbers;
        let [redeemed, restored, returned, voided, stranded] = rest;
        Self {
            claimed,
            reserved,
            confirmed,
            cancelled,
            lapsed,
            locked,
            unlocked,
            redeemed,
            restored,
            returned,
            voided,
            stranded,
        }
    }

    /// Adds other numbers.
    pub fn add(&mut self, other: &Tally) {
        let (mine, theirs) = (self.numbers(), other.numbers());
        *self = Self::from_numbers(std::array::from_fn(|number| mine[number] + theirs[number]));
    }
}
