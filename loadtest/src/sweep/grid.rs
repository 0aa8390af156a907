//! What a sweep tries: every combination of the server's settings and the clients' styles.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

/// Runs of one sweep at most: at some four seconds each, an hour.
pub const POINTS_MAX: usize = 1_000;

/// How clients come: so many connections, with so many claims in a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    /// Connections.
    pub connections: u32,
    /// Claims in one frame.
    pub claims_per_frame: u32,
}

/// A way to configure the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Setting {
    /// `server.cores`; each core has a bucket of every batch.
    pub cores: u32,
    /// `journal.group_claims_max`.
    pub group_claims_max: u32,
}

/// One run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Spot {
    /// Of the server.
    pub setting: Setting,
    /// Of the clients.
    pub style: Style,
    /// Frames in flight on each connection.
    pub window: u32,
}

/// The values to combine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Grid {
    /// `server.cores`.
    pub cores: Vec<u32>,
    /// `journal.group_claims_max`.
    pub group_limits: Vec<u32>,
    /// Client styles.
    pub styles: Vec<Style>,
    /// Frames in flight on each connection.
    pub windows: Vec<u32>,
}

impl Grid {
    /// A grid of these values, each once, numbers rising.
    ///
    /// # Errors
    /// When there is nothing to try, or more than a sweep takes.
    pub fn new(cores: &[u32], group_limits: &[u32], styles: &[Style], windows: &[u32]) -> Result<Self, String> {
        let mut unique = Vec::new();
        for style in styles {
            if !unique.contains(style) {
                unique.push(*style);
            }
        }
        let grid =
            Self { cores: rising(cores), group_limits: rising(group_limits), styles: unique, windows: rising(windows) };
        match grid.len() {
            0 => {
                Err("there is nothing to try: give --cores, --group-limits, --styles and --windows a value each"
                    .to_owned())
            }
            count if count > POINTS_MAX => {
                Err(format!("{count} runs are too many: shorten the lists to at most {POINTS_MAX} combinations"))
            }
            _ => Ok(grid),
        }
    }

    /// Number of runs.
    #[must_use]
    pub fn len(&self) -> usize {
        let lengths = [self.cores.len(), self.group_limits.len(), self.styles.len(), self.windows.len()];
        lengths.into_iter().fold(1, usize::saturating_mul)
    }

    /// Whether there is nothing to try.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Every way to configure the server.
    #[must_use]
    pub fn settings(&self) -> Vec<Setting> {
        let limits = &self.group_limits;
        let of_cores = |cores: &u32| {
            let cores = *cores;
            limits.iter().map(move |limit| Setting { cores, group_claims_max: *limit })
        };
        self.cores.iter().flat_map(of_cores).collect()
    }

    /// Every run: the windows of a curve follow each other.
    #[must_use]
    pub fn spots(&self) -> Vec<Spot> {
        let mut spots = Vec::with_capacity(self.len());
        for setting in self.settings() {
            for style in &self.styles {
                spots.extend(self.windows.iter().map(|window| Spot { setting, style: *style, window: *window }));
            }
        }
        spots
    }
}

impl Spot {
    /// Claims in flight, all connections together.
    #[must_use]
    pub fn claims_in_flight(&self) -> u64 {
        u64::from(self.style.connections) * u64::from(self.style.claims_per_frame) * u64::from(self.window)
    }
}

fn rising(values: &[u32]) -> Vec<u32> {
    let mut values = values.to_vec();
    values.sort_unstable();
    values.dedup();
    values
}

impl FromStr for Style {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let numbers = text.split_once('x').and_then(|(connections, claims)| {
            Some(Style { connections: connections.parse().ok()?, claims_per_frame: claims.parse().ok()? })
        });
        numbers
            .ok_or_else(|| "give CONNECTIONSxCLAIMS, like 16x64: 16 connections with 64 claims in a frame".to_owned())
    }
}

impl fmt::Display for Style {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(&format!("{}x{}", self.connections, self.claims_per_frame))
    }
}

impl Serialize for Style {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl fmt::Display for Spot {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Setting { cores, group_claims_max } = self.setting;
        write!(
            formatter,
            "cores {cores}, group limit {group_claims_max}, clients {}, window {}",
            self.style, self.window
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn style(text: &str) -> Style {
        text.parse().unwrap()
    }

    #[test]
    fn every_combination_is_tried_once_and_curves_stay_together() {
        let styles = [style("64x1"), style("16x64"), style("64x1")];
        let grid = Grid::new(&[2, 1, 2], &[65_536], &styles, &[64, 1]).unwrap();
        let spots = grid.spots().iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!((spots.len(), grid.len(), grid.settings().len()), (8, 8, 2));
        assert_eq!(spots[0], "cores 1, group limit 65536, clients 64x1, window 1");
        assert_eq!(spots[1], "cores 1, group limit 65536, clients 64x1, window 64");
        assert_eq!(spots[2], "cores 1, group limit 65536, clients 16x64, window 1");
        assert_eq!(spots[7], "cores 2, group limit 65536, clients 16x64, window 64");
    }

    #[test]
    fn a_sweep_of_nothing_or_without_end_is_refused() {
        let many = (1..=101).collect::<Vec<_>>();
        let refused =
            |cores: &[u32], windows: &[u32]| Grid::new(cores, &[8_192], &[style("1x1")], windows).unwrap_err();
        assert!(refused(&[], &[1]).contains("nothing to try"));
        assert!(refused(&many[..10], &many).starts_with("1010 runs are too many"));
    }

    #[test]
    fn a_style_is_two_numbers() {
        assert_eq!(style("16x64"), Style { connections: 16, claims_per_frame: 64 });
        for wrong in ["16", "x", "16x", "ax4", "1x2x3", "-1x4"] {
            assert!(wrong.parse::<Style>().unwrap_err().contains("like 16x64"), "{wrong}");
        }
    }
}
