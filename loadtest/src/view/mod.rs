//! Shows how far a run is, on standard error: on a terminal lines that change, elsewhere lines that stay.

mod bars;
mod lines;
mod meter;
pub mod progress;
mod screen;

use crate::plan::Plan;
use progress::Progress;
pub use screen::Screen;

/// Shows `progress` until the run is over. Whoever ends the run may unpark this thread to spare it the last pause.
pub fn watch(plan: &Plan, progress: &Progress) {
    Screen::new().watch(plan, progress);
}
