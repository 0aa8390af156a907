//! Which batch a claim goes to.

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

use crate::hash::scaled;
use crate::time::real;

/// How claims spread over the batches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum BatchMix {
    /// Nine claims in ten go to the first batch, the rest evenly to the others.
    Hot,
    /// Evenly.
    Uniform,
    /// The n-th batch gets a share proportional to 1/n.
    Zipf,
}

impl BatchMix {
    /// The word for it in flags, files and reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            BatchMix::Hot => "hot",
            BatchMix::Uniform => "uniform",
            BatchMix::Zipf => "zipf",
        }
    }
}

/// One column of the table: below `threshold` (of 2^32) it is itself, otherwise its alias.
#[derive(Clone, Copy, Debug)]
struct Column {
    threshold: u32,
    alias: u32,
}

/// Chooses batches by their weight. Only `zipf` looks anything up: of a million batches, a choice may cost one miss of
/// the processor's cache there and none elsewhere.
#[derive(Clone, Debug)]
pub enum BatchChoice {
    /// All the same.
    Even {
        /// Number of batches.
        count: u32,
    },
    /// The first one, or evenly one of the others.
    First {
        /// Number of the others; at least 1.
        others: u32,
    },
    /// By an alias table.
    Table(BatchTable),
}

/// An alias table (Walker 1977, built as Vose 1991), so that each choice costs the same however many batches there are.
#[derive(Clone, Debug)]
pub struct BatchTable {
    columns: Vec<Column>,
}

/// 2^32: certainty, in a column.
const ALWAYS: u64 = 1 << 32;

/// Share of the first batch in a hot mix, of 2^32.
const HOT_SHARE: u64 = ALWAYS / 10 * 9;

impl BatchChoice {
    /// Chooses among `count` batches, at least one.
    #[must_use]
    pub fn new(mix: BatchMix, count: u32) -> Self {
        match mix {
            BatchMix::Uniform => BatchChoice::Even { count },
            BatchMix::Hot if count == 1 => BatchChoice::Even { count },
            BatchMix::Hot => BatchChoice::First { others: count - 1 },
            BatchMix::Zipf => BatchChoice::Table(BatchTable::new(count, |index| 1.0 / f64::from(index + 1))),
        }
    }

    /// The index of the batch that the random `number` chooses.
    #[must_use]
    #[inline]
    pub fn choose(&self, number: u64) -> u32 {
        match self {
            BatchChoice::Even { count } => below(*count, number),
            // The low bits decide whether it is the first; the high ones choose among the others.
            BatchChoice::First { .. } if number & (ALWAYS - 1) < HOT_SHARE => 0,
            BatchChoice::First { others } => 1 + below(*others, number),
            BatchChoice::Table(table) => table.choose(number),
        }
    }
}

impl BatchTable {
    /// A table for `count` batches with these weights.
    fn new(count: u32, weight: impl Fn(u32) -> f64) -> Self {
        let total = (0..count).map(&weight).sum::<f64>();
        let mut scaled = (0..count).map(|index| weight(index) * f64::from(count) / total).collect::<Vec<_>>();
        // A column that is its own alias is certain, whatever its threshold.
        let mut columns = (0..count).map(|index| Column { threshold: 0, alias: index }).collect::<Vec<_>>();
        let (mut small, mut large): (Vec<u32>, Vec<u32>) = (0..count).partition(|index| scaled[*index as usize] < 1.0);
        while let (Some(less), Some(more)) = (small.pop(), large.pop()) {
            let share = scaled[less as usize];
            let threshold = u32::try_from(crate::time::whole(share * real(ALWAYS))).unwrap_or(u32::MAX);
            columns[less as usize] = Column { threshold, alias: more };
            scaled[more as usize] -= 1.0 - share;
            if scaled[more as usize] < 1.0 { small.push(more) } else { large.push(more) }
        }
        Self { columns }
    }

    #[expect(clippy::cast_possible_truncation, reason = "the low half of the number; and the batches are a u32")]
    fn choose(&self, number: u64) -> u32 {
        let index = below(self.columns.len() as u32, number);
        let Column { threshold, alias } = self.columns[index as usize];
        // The high bits chose the column; the low ones decide within it.
        if (number as u32) < threshold { index } else { alias }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "below a bound of 32 bits")]
fn below(bound: u32, number: u64) -> u32 {
    scaled(number, bound.into()) as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hash::Key;

    /// Share of each batch in 200,000 choices, in thousandths.
    fn shares(mix: BatchMix, count: u32) -> Vec<u32> {
        let (choice, key) = (BatchChoice::new(mix, count), Key::new(3, 3));
        let mut counts = vec![0_u32; count as usize];
        for index in 0..200_000 {
            counts[choice.choose(key.at(index)) as usize] += 1;
        }
        counts.iter().map(|count| (count + 100) / 200).collect()
    }

    #[test]
    fn each_mix_has_its_shares() {
        assert_eq!(shares(BatchMix::Hot, 1), [1000]);
        assert_eq!(shares(BatchMix::Zipf, 1), [1000]);
        for (mix, wanted) in [
            (BatchMix::Uniform, [200, 200, 200, 200, 200]),
            (BatchMix::Hot, [900, 25, 25, 25, 25]),
            (BatchMix::Zipf, [438, 219, 146, 109, 88]),
        ] {
            for (share, wanted) in shares(mix, 5).into_iter().zip(wanted) {
                assert!(share.abs_diff(wanted) <= 5, "{mix:?}: {share} instead of {wanted}");
            }
        }
    }
}
