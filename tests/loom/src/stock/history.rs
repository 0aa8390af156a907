//! Sequential histories: whether some order of the calls explains what they answered.

use super::Mode;
use super::scene::Call;

/// What one call did to the units, at one instant each.
#[derive(Clone, Copy)]
enum Event {
    /// So many units came.
    Added(u32),
    /// So many units went at once.
    Taken(u32),
    /// There were fewer units than this.
    Below(u32),
}

/// Whether the calls of several threads, each thread's in its order, can be put into one order in which, beginning with
/// `units`, every refusal finds fewer units than were asked for and every grant enough. `answers` are the units granted
/// (or added).
pub(super) fn explains(units: u32, programs: &[&[Call]], answers: &[Vec<u32>]) -> bool {
    let threads = programs.iter().zip(answers);
    let threads = threads.map(|(calls, answers)| calls.iter().zip(answers).flat_map(events).collect());
    some_order(units, &threads.collect::<Vec<Vec<Event>>>(), &mut vec![0; programs.len()])
}

fn events((call, answer): (&Call, &u32)) -> Vec<Event> {
    match *call {
        Call::Add { run, .. } => vec![Event::Added(run.count)],
        Call::Draw { quantity, mode: Mode::AllOrNothing, .. } => match *answer {
            0 => vec![Event::Below(quantity.into())],
            granted => vec![Event::Taken(granted)],
        },
        // Takes what it finds, piece by piece, and ends when it has enough or nothing is left.
        Call::Draw { quantity, mode: Mode::UpTo, .. } => {
            let mut events = vec![Event::Taken(1); *answer as usize];
            if *answer < u32::from(quantity) {
                events.push(Event::Below(1));
            }
            events
        }
    }
}

fn some_order(units: u32, threads: &[Vec<Event>], next: &mut [usize]) -> bool {
    if threads.iter().zip(next.iter()).all(|(events, next)| *next == events.len()) {
        return true;
    }
    for thread in 0..threads.len() {
        let Some(event) = threads[thread].get(next[thread]) else { continue };
        let after = match *event {
            Event::Added(count) => Some(units + count),
            Event::Taken(count) => units.checked_sub(count),
            Event::Below(count) => (units < count).then_some(units),
        };
        let Some(after) = after else { continue };
        next[thread] += 1;
        let explained = some_order(after, threads, next);
        next[thread] -= 1;
        if explained {
            return true;
        }
    }
    false
}

#[test]
fn only_a_true_refusal_is_explained() {
    let one = Call::one(0);
    let explained = |units, first: &[u32], second: &[u32]| {
        let programs: [&[Call]; 2] = [&[Call::add(0, 9, 1), one], &[one, Call::up_to(1, 3)]];
        explains(units, &programs, &[first.to_vec(), second.to_vec()])
    };
    assert!(explained(1, &[1, 1], &[1, 0]));
    assert!(explained(0, &[1, 1], &[0, 0]));
    assert!(explained(2, &[1, 0], &[1, 2]));
    assert!(!explained(1, &[1, 1], &[0, 0]), "the unit of the beginning was there all the time");
    assert!(!explained(2, &[1, 1], &[1, 0]), "one unit is left");
    assert!(!explained(2, &[1, 1], &[1, 2]), "four units of three");
}
