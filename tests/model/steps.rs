//! A history: what happens when, from a seed.

use std::collections::BTreeMap;

use stockade::engine::Clock;

use super::books::Phase;
use super::days::{day_of, end_of, zone};
use super::ops::{self, ZONES};
use super::world::{CORES, World};

/// Evenings before days of interest: the clocks change in New York (both ways) and in Santiago, a year ends, nothing.
const EVENINGS: [&str; 5] = [
    "2026-03-07T20:00:00Z",
    "2026-10-31T20:00:00Z",
    "2026-09-05T20:00:00Z",
    "2026-12-30T20:00:00Z",
    "2026-06-10T08:00:00Z",
];

/// Steps from one checkpoint to the next, about; from crash to crash there are ninety.
const CHECKPOINT_STEPS: u64 = 60;

const SECOND_MS: u64 = 1_000;
const MINUTE_MS: u64 = 60 * SECOND_MS;
const HOUR_MS: u64 = 60 * MINUTE_MS;

/// Lives through one history of so many operations, or a few more. Returns how many, and how often each status was met.
pub(crate) fn history(seed: u64, steps: u64) -> (u64, BTreeMap<&'static str, u64>) {
    let evening: jiff::Timestamp = EVENINGS[usize::try_from(seed % 5).expect("few")].parse().expect("an instant");
    let mut world = World::new(seed, u64::try_from(evening.as_millisecond()).expect("after 1970"));
    let mut asked = 0;
    while asked < steps {
        match step(&mut world) {
            Ok(more) => asked += more,
            Err(difference) => fail(&world, seed, asked, &difference),
        }
    }
    world.rest();
    let end = world.check_state().and_then(|()| world.check_feed());
    let end = end.and_then(|()| world.check_index());
    end.unwrap_or_else(|difference| fail(&world, seed, asked, &difference));
    (asked, world.met)
}

fn fail(world: &World, seed: u64, asked: u64, difference: &str) -> ! {
    // The committer must be able to end.
    world.gate.open();
    let told = world.told.iter().map(String::as_str).collect::<Vec<_>>().join("\n  ");
    panic!("seed {seed}, operation {asked}: {difference}\nthe last operations were\n  {told}")
}

/// Does one thing; returns how many operations it was.
fn step(world: &mut World) -> Result<u64, String> {
    if world.whims.once_in(CHECKPOINT_STEPS) {
        world.checkpoint()?;
    }
    let core = world.rng.index(CORES);
    match world.rng.below(1_000) {
        0..=769 => {
            let count = world.rng.between(1, 6);
            world.burst(core, count, &mut ops::any)?;
            return Ok(count);
        }
        770..=859 => pass_time(world),
        860..=899 => world.expire()?,
        900..=909 => world.sweep(),
        910..=979 => world.turn_the_gate(),
        980..=981 => {
            let mut orders = ops::crowd_of_orders(&mut world.rng, &world.live).into_iter();
            let count = orders.len() as u64;
            world.burst(core, count, &mut |_, _, _| orders.next().expect("so many"))?;
            return Ok(count);
        }
        982..=992 => {
            world.crash()?;
            world.check_state()?;
            if world.rng.chance(40) {
                world.check_feed()?;
            }
        }
        _ => world.check_state()?,
    }
    Ok(0)
}

impl World {
    /// Lets everything become durable.
    fn rest(&mut self) {
        self.gate.open();
        while !self.log.is_empty() {
            self.settle();
        }
    }

    fn sweep(&mut self) {
        self.say("sweep".to_owned());
        while self.running.engine.sweep() {
            self.settle();
        }
    }

    fn turn_the_gate(&mut self) {
        let percent = self.rng.below(100);
        if !self.gate.is_closed() {
            self.gate.close();
        } else if percent < 65 {
            self.let_one_pass();
        } else {
            self.gate.open();
            self.settle();
        }
        self.say(format!("the gate is closed: {}", self.gate.is_closed()));
    }
}

fn pass_time(world: &mut World) {
    let (wall_ms, running_ms) = some_time(world);
    world.clocks.pass(wall_ms, running_ms);
    world.look_at_the_clock();
    let what = format!("time passes: {wall_ms} on the wall, {running_ms} it runs; it is {}", world.live.last_ms);
    world.say(what);
}

/// Milliseconds of both clocks.
fn some_time(world: &mut World) -> (i64, u64) {
    let both = |ms: u64| (ms.cast_signed(), ms);
    match world.rng.below(24) {
        0..=6 => both(world.rng.below(200)),
        7..=9 => both(world.rng.below(30 * SECOND_MS)),
        10..=15 => both(until_one_is_due(world)),
        16..=17 => both(world.rng.below(20 * MINUTE_MS)),
        18 => both(world.rng.below(6 * HOUR_MS)),
        19..=20 => {
            let zone = zone(world.rng.pick(&ZONES));
            let midnight_ms = end_of(&zone, day_of(&zone, world.live.last_ms));
            let target = (midnight_ms + world.rng.below(3)).saturating_sub(1);
            let wall = target.cast_signed() - world.clocks.now_ms().cast_signed();
            (wall, wall.max(0).unsigned_abs())
        }
        21..=22 => (-world.rng.below(3 * HOUR_MS).cast_signed(), world.rng.below(SECOND_MS)),
        _ => (world.rng.below(MINUTE_MS).cast_signed(), world.rng.below(100)),
    }
}

/// Milliseconds until a reservation is due, about.
fn until_one_is_due(world: &mut World) -> u64 {
    let requests = world.live.batches.values().flat_map(|batch| batch.users.values()).flat_map(|users| users.values());
    let due = requests.filter(|request| request.phase == Phase::Reserved).map(|request| request.due_ms);
    let now_ms = world.clocks.running_ms();
    let due = due.filter(|due_ms| *due_ms > now_ms).collect::<Vec<_>>();
    let Some(about) = (!due.is_empty()).then(|| due[world.rng.index(due.len())]) else { return 0 };
    (about + world.rng.pick(&[0, 0, 1, 2, 51, 101, 201])).saturating_sub(1 + now_ms)
}
