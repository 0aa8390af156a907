//! Which batch a claim goes to: an alias table (Walker 1977, built as Vose 1991), so that each choice costs the same
//! however many batches there are.

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

    /// The weight of batch `index` of `count`.
    fn weight(self, index: u32, count: u32) -> f64 {
        match self {
            BatchMix::Hot if index == 0 => 0.9,
            BatchMix::Hot => 0.1 / f64::from(count - 1),
            BatchMix::Uniform => 1.0,
            BatchMix::Zipf => 1.0 / f64::from(index + 1),
        }
    }
}

/// One column of the table: below `threshold` (of 2^32) it is itself, otherwise its alias.
#[derive(Clone, Copy, Debug)]
struct Column {
    threshold: u64,
    alias: u32,
}

/// Chooses batches by their weight.
#[derive(Clone, Debug)]
pub struct BatchTable {
    columns: Vec<Column>,
}

/// 2^32: certainty, in a column.
const ALWAYS: u64 = 1 << 32;

impl BatchTable {
    /// A table for `count` batches, at least one.
    #[must_use]
    pub fn new(mix: BatchMix, count: u32) -> Self {
        let total = (0..count).map(|index| mix.weight(index, count)).sum::<f64>();
        let mut scaled =
            (0..count).map(|index| mix.weight(index, count) * f64::from(count) / total).collect::<Vec<_>>();
        let mut columns = (0..count).map(|index| Column { threshold: ALWAYS, alias: index }).collect::<Vec<_>>();
        let (mut small, mut large): (Vec<u32>, Vec<u32>) = (0..count).partition(|index| scaled[*index as usize] < 1.0);
        while let (Some(less), Some(more)) = (small.pop(), large.pop()) {
            let share = scaled[less as usize];
            columns[less as usize] = Column { threshold: crate::time::whole(share * real(ALWAYS)), alias: more };
            scaled[more as usize] -= 1.0 - share;
            if scaled[more as usize] < 1.0 { small.push(more) } else { large.push(more) }
        }
        Self { columns }
    }

    /// The index of the batch that the random `number` chooses.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, reason = "the column is below the number of batches, which is a u32")]
    pub fn choose(&self, number: u64) -> u32 {
        let index = scaled(number, self.columns.len() as u64) as u32;
        let Column { threshold, alias } = self.columns[index as usize];
        // The high bits chose the column; the low ones decide within it.
        if number & (ALWAYS - 1) < threshold { index } else { alias }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hash::Key;

    /// Share of each batch in 200,000 choices, in thousandths.
    fn shares(mix: BatchMix, count: u32) -> Vec<u32> {
        let (table, key) = (BatchTable::new(mix, count), Key::new(3, 3));
        let mut counts = vec![0_u32; count as usize];
        for index in 0..200_000 {
            counts[table.choose(key.at(index)) as usize] += 1;
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
