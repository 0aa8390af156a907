//! Which load is worth it, and which configuration.
//!
//! The knee of a throughput–latency curve is here the point of greatest *power*, throughput divided by mean latency:
//! below it more load brings throughput at little cost, above it mostly waiting. The measure is Giessler, Hänle, König
//! and Pade's ("Free buffer allocation", Computer Networks 2, 1978) and Kleinrock's ("Power and deterministic rules of
//! thumb", ICC 1979); Jain ("A delay-based approach for congestion avoidance", ACM CCR 19(5), 1989) chooses windows by
//! it. It needs no threshold and no smoothing, so two readers find the same point.

use serde::Serialize;

use super::Point;
use super::grid::{Grid, Setting, Style};

/// Configurations whose score is within this share of the best are as good: two runs of one differ by as much.
pub const TOLERANCE: f64 = 0.05;

/// The knee of one curve.
#[derive(Clone, Debug, Serialize)]
pub struct Knee {
    /// Of the server.
    pub setting: Setting,
    /// Of the clients.
    pub style: Style,
    /// Frames in flight on each connection.
    pub window: u32,
    /// Claims in flight, all connections together.
    pub claims_in_flight: u64,
    /// Claims a second there.
    pub claims_per_s: f64,
    /// Mean latency there.
    pub mean_us: f64,
    /// The 99th percentile there.
    pub p99_us: f64,
    /// Whether the knee may lie beyond the windows that were tried.
    pub edge: Edge,
}

/// Where in its curve a knee was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Edge {
    /// Between others: it is the curve's.
    Inside,
    /// At the smallest window that is more than one, so smaller ones may be better.
    Smallest,
    /// At the largest window: larger ones may be better.
    Largest,
    /// There was one window: nothing can be told.
    Only,
}

/// How good a way to configure the server is for all client styles.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Score {
    /// Which.
    pub setting: Setting,
    /// Geometric mean, over the styles, of its knee's power as a share of the best one's.
    pub score: f64,
}

/// What to configure.
#[derive(Clone, Debug, Serialize)]
pub struct Recommendation {
    /// The settings.
    pub setting: Setting,
    /// All that were tried, the best first.
    pub scores: Vec<Score>,
    /// Of the recommended settings, one for each style.
    pub knees: Vec<Knee>,
}

impl Knee {
    /// Throughput divided by mean latency.
    #[must_use]
    pub fn power(&self) -> f64 {
        power(self.claims_per_s, self.mean_us)
    }
}

/// The knee of each curve, in the order of the grid.
#[must_use]
pub fn knees(grid: &Grid, points: &[Point]) -> Vec<Knee> {
    let curves =
        points.chunk_by(|one, next| one.spot.setting == next.spot.setting && one.spot.style == next.spot.style);
    curves.filter_map(|curve| knee(grid, curve)).collect()
}

fn knee(grid: &Grid, curve: &[Point]) -> Option<Knee> {
    let power = |point: &Point| power(point.claims_per_s, point.mean_us);
    let best = curve.iter().max_by(|one, other| power(one).total_cmp(&power(other)))?;
    let window = best.spot.window;
    let edge = match (grid.windows.first(), grid.windows.last()) {
        _ if grid.windows.len() < 2 => Edge::Only,
        (_, Some(largest)) if window == *largest => Edge::Largest,
        // There is nothing below one frame in flight.
        (Some(smallest), _) if window == *smallest && window > 1 => Edge::Smallest,
        _ => Edge::Inside,
    };
    Some(Knee {
        setting: best.spot.setting,
        style: best.spot.style,
        window,
        claims_in_flight: best.spot.claims_in_flight(),
        claims_per_s: best.claims_per_s,
        mean_us: best.mean_us,
        p99_us: best.p99_us,
        edge,
    })
}

fn power(claims_per_s: f64, mean_us: f64) -> f64 {
    if mean_us > 0.0 { claims_per_s / mean_us } else { 0.0 }
}

/// The settings whose knees are best for all styles together. Of those that are as good, the ones that need least:
/// fewest cores, then the smallest groups. `None` without knees.
#[must_use]
pub fn recommend(grid: &Grid, knees: &[Knee]) -> Option<Recommendation> {
    let best_of = |style: &Style| knees.iter().filter(|knee| knee.style == *style).map(Knee::power).fold(0.0, f64::max);
    let score = |setting: Setting| {
        let of_setting = knees.iter().filter(|knee| knee.setting == setting);
        let logarithms = of_setting.map(|knee| (knee.power() / best_of(&knee.style)).ln()).collect::<Vec<_>>();
        let count = u32::try_from(logarithms.len().max(1)).unwrap_or(u32::MAX);
        Score { setting, score: (logarithms.iter().sum::<f64>() / f64::from(count)).exp() }
    };
    let mut scores = grid.settings().into_iter().map(score).collect::<Vec<_>>();
    scores.sort_by(|one, other| other.score.total_cmp(&one.score).then(one.setting.cmp(&other.setting)));
    let best = scores.first()?.score;
    let as_good = scores.iter().filter(|score| score.score >= best * (1.0 - TOLERANCE));
    let setting = as_good.map(|score| score.setting).min()?;
    let knees = knees.iter().filter(|knee| knee.setting == setting).cloned().collect::<Vec<_>>();
    (!knees.is_empty()).then_some(Recommendation { setting, scores, knees })
}

#[cfg(test)]
mod tests {
    use super::super::grid::Spot;
    use super::*;

    /// A curve of a server that takes `limit` claims/s and answers after 100 µs when it is not busy: each of 16
    /// connections has `window` single claims in flight.
    fn curve(grid: &Grid, setting: Setting, style: Style, limit: f64) -> Vec<Point> {
        let point = |window: &u32| {
            let spot = Spot { setting, style, window: *window };
            let in_flight = crate::time::real(spot.claims_in_flight());
            let claims_per_s = limit.min(in_flight / 100e-6);
            Point { mean_us: in_flight / claims_per_s * 1e6, ..Point::of(spot, claims_per_s) }
        };
        grid.windows.iter().map(point).collect()
    }

    fn grid(cores: &[u32], windows: &[u32]) -> Grid {
        let styles = ["16x1", "16x64"].map(|text| text.parse().unwrap());
        Grid::new(cores, &[8_192, 65_536], &styles, windows).unwrap()
    }

    fn setting(cores: u32, group_claims_max: u32) -> Setting {
        Setting { cores, group_claims_max }
    }

    #[test]
    fn the_knee_is_where_the_server_becomes_busy() {
        let grid = grid(&[1], &[1, 2, 4, 8, 16]);
        // 640,000 claims/s × 100 µs = 64 claims in flight keep it busy: 4 for each connection.
        let points = curve(&grid, setting(1, 8_192), grid.styles[0], 640_000.0);
        let [knee] = &knees(&grid, &points)[..] else { panic!("one curve, one knee") };
        assert_eq!((knee.window, knee.claims_in_flight, knee.edge), (4, 64, Edge::Inside));
    }

    #[test]
    fn a_knee_at_the_edge_says_so() {
        let at = |windows: &[u32], limit| {
            let grid = grid(&[1], windows);
            knees(&grid, &curve(&grid, setting(1, 8_192), grid.styles[0], limit))[0].edge
        };
        assert_eq!(at(&[1, 2, 4], 640_000.0), Edge::Largest);
        assert_eq!(at(&[8, 16, 32], 640_000.0), Edge::Smallest);
        assert_eq!(at(&[1, 2, 4], 160_000.0), Edge::Inside, "nothing is below one");
        assert_eq!(at(&[4], 640_000.0), Edge::Only);
    }

    #[test]
    fn the_best_for_all_styles_is_recommended_and_of_equals_the_simplest() {
        let grid = grid(&[1, 2], &[1, 4, 16, 64]);
        let recommended = |limits: [f64; 4]| {
            let mut points = Vec::new();
            for (setting, limit) in grid.settings().into_iter().zip(limits) {
                for style in &grid.styles {
                    points.extend(curve(&grid, setting, *style, limit));
                }
            }
            recommend(&grid, &knees(&grid, &points)).unwrap()
        };
        // In the order (1 core, small groups), (1, large), (2, small), (2, large).
        let clear = recommended([640_000.0, 640_000.0, 640_000.0, 1_280_000.0]);
        assert_eq!(clear.setting, setting(2, 65_536));
        assert_eq!(clear.scores[0].setting, clear.setting);
        assert!((clear.scores[0].score - 1.0).abs() < 1e-9 && clear.scores[1].score < 0.95, "{:?}", clear.scores);
        assert_eq!(clear.knees.len(), 2, "a knee for each style");
        let close = recommended([630_000.0, 640_000.0, 640_000.0, 650_000.0]);
        assert_eq!(close.setting, setting(1, 8_192), "3 % are noise: {:?}", close.scores);
    }
}
