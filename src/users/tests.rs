//! The table as a whole.

use super::{Asked, Broken, Claim, Look, Moment, Part, Phase, Share, Users};
use crate::stock::{Mode, Run, Runs};
use crate::types::Epoch;

const ONE: Asked = Asked { quantity: 1, mode: Mode::AllOrNothing, reserves: false };

/// A moment at which everything before is durable.
const NOW: Moment = Moment { day: 3, epoch: 10, durable: 9, core: 0 };

/// What a user holds, and what the request has.
fn find(users: &Users, user: u64, request: u64) -> (u32, Option<Runs>) {
    let Look { units, claim, .. } = users.entry(user).find(request, &NOW);
    (units, claim.map(|claim| claim.runs))
}

fn grant(users: &Users, user: u64, request: u64, asked: Asked, runs: &Runs) {
    let mut entry = users.entry(user);
    assert_eq!(entry.find(request, &NOW).claim, None);
    entry.insert(request, asked, runs, &NOW);
}

fn held_units(users: &Users) -> u64 {
    let now = users.tally().now();
    now.granted + now.reserved
}

#[test]
fn many_users_and_one_busy_user_are_all_found_again() {
    let users = Users::new(10_000, 4);
    for serial in 0..5_000_u32 {
        let run = Runs::one(Run::new(serial, 1));
        grant(&users, u64::from(serial), u64::from(serial) + 7, ONE, &run);
        grant(&users, u64::MAX, u64::from(serial), ONE, &Runs::one(Run::new(serial + 5_000, 1)));
    }
    assert_eq!(held_units(&users), 10_000);
    for serial in 0..5_000_u32 {
        let (units, held) = find(&users, u64::from(serial), u64::from(serial) + 7);
        assert_eq!((units, held.expect("granted").first().first), (1, serial));
        assert_eq!(find(&users, u64::from(serial), 3).1, None, "another request of the same user");
        let (units, held) = find(&users, u64::MAX, u64::from(serial));
        assert_eq!((units, held.expect("granted").first().first), (5_000, serial + 5_000));
    }
    assert_eq!(find(&users, 123_456, 1), (0, None));
}

#[test]
fn split_serials_come_back_as_they_were() {
    let users = Users::new(10, 1);
    let runs = [Run::new(3, 2), Run::new(8, 1)].into_iter().collect::<Runs>();
    let asked = Asked { quantity: 4, mode: Mode::UpTo, reserves: false };
    grant(&users, 0, 0, asked, &runs);
    let look = users.entry(0).find(0, &NOW);
    assert_eq!((look.units, look.day_units, look.reserved), (3, 3, 0));
    assert_eq!(look.claim, Some(Claim { place: 0, asked, phase: Phase::Granted, runs }));
}

#[test]
fn a_closed_table_is_empty_and_says_so() {
    let users = Users::new(10, 1);
    grant(&users, 1, 1, ONE, &Runs::one(Run::new(0, 1)));
    let (claims, tally) = users.close();
    assert_eq!((claims, tally.claimed), (1, 1));
    assert!(users.entry(1).is_closed());
    assert_eq!(find(&users, 1, 1), (0, None));
    assert_eq!(held_units(&users), 0);
}

#[test]
fn a_table_that_closes_unused_stays_small_and_says_that_it_is_closed() {
    let users = Users::new(u32::MAX, 256);
    users.close();
    assert_eq!(users.lane_count(), 1);
    assert!((0..1_000).all(|user| users.entry(user).is_closed()));
}

/// A table that is filled as by a restart, in two parts.
struct Restart {
    users: Users,
    parts: Vec<Part>,
}

impl Restart {
    fn of(users: Users) -> Self {
        let parts = (0..2).filter_map(|number| Part::of(&users, Share { number, of: 2, salt: 1 })).collect();
        Self { users, parts }
    }

    fn stage(&mut self, user: u64, request: u64, claim: (Asked, &Runs), epoch: Epoch) {
        let user = self.users.hashed(user);
        let mut its = self.parts.iter_mut().filter(|part| part.has(user));
        its.next().expect("every user belongs to a part").stage(user, request, claim, (3, 0), epoch);
        assert!(its.next().is_none(), "and to one only");
    }

    /// Settles all; returns what is broken, in order of the epoch.
    fn settled(&mut self, limit: Option<u32>) -> Vec<(Epoch, Broken)> {
        let mut broken = Vec::new();
        for part in &mut self.parts {
            part.settle(&self.users, limit, &mut |epoch, what| broken.push((epoch, what)));
        }
        broken.sort_by_key(|(epoch, _)| *epoch);
        broken
    }

    fn finish(self) -> Users {
        self.users.assemble(self.parts.into_iter());
        self.users
    }
}

#[test]
fn claims_that_were_put_aside_are_found_like_those_that_came_one_by_one() {
    // Few, so that there is no index; many; many of which one user has too many for the index.
    for (count, busy) in [(5_u32, 0_u32), (9, 0), (5_000, 0), (5_000, 40), (3, 12)] {
        let mut restart = Restart::of(Users::new(10_000, 4));
        let split = [Run::new(9_000, 1), Run::new(9_500, 1)].into_iter().collect::<Runs>();
        let two = Asked { quantity: 2, mode: Mode::UpTo, reserves: false };
        for serial in 0..count {
            restart.stage(u64::from(serial), 7, (ONE, &Runs::one(Run::new(serial, 1))), u64::from(serial / 10));
            if serial < busy {
                let run = Runs::one(Run::new(serial + 6_000, 1));
                restart.stage(77_777, u64::from(serial), (ONE, &run), 1);
            }
        }
        restart.stage(88_888, 1, (two, &split), 600);
        assert_eq!(restart.settled(None), []);
        assert_eq!(restart.settled(None), [], "there is nothing left to settle");
        let users = restart.finish();
        let mine = busy.min(count);
        assert_eq!(held_units(&users), u64::from(count + mine + 2));
        for serial in 0..count {
            let (units, held) = find(&users, u64::from(serial), 7);
            assert_eq!((units, held.expect("granted").first().first), (1, serial));
            // Work goes on.
            grant(&users, u64::from(serial), 8, ONE, &Runs::one(Run::new(serial + 20_000, 1)));
        }
        for serial in 0..mine {
            let (units, held) = find(&users, 77_777, u64::from(serial));
            assert_eq!((units, held.expect("granted").first().first), (mine, serial + 6_000));
        }
        assert_eq!(find(&users, 88_888, 1).1.expect("granted"), split);
        assert_eq!(find(&users, 99_999, 1), (0, None));
    }
}

#[test]
fn what_was_put_aside_and_breaks_a_promise_is_named_with_its_epoch() {
    for (others, busy) in [(0, 0), (4, 0), (300, 0), (300, 30)] {
        let mut restart = Restart::of(Users::new(4_000, 1));
        let (mut serial, mut epoch) = (0, 0);
        let mut stage = |user: u64, request: u64| {
            (serial, epoch) = (serial + 1, epoch + 1);
            let run = Runs::one(Run::new(serial, 1));
            restart.stage(user, request, (ONE, &run), epoch);
            epoch
        };
        for user in 0..others {
            stage(1_000 + user, 1);
        }
        for request in 0..busy {
            stage(5_000, request);
        }
        stage(1, 1);
        stage(1, 2);
        let again = stage(1, 1);
        let third = stage(1, 3);
        let mut broken = restart.settled(Some(2));
        broken.retain(|(_, what)| !matches!(what, Broken::OverLimit { user: 5_000, .. }));
        broken.retain(|(epoch, what)| !(*epoch == again && matches!(what, Broken::OverLimit { .. })));
        assert_eq!(broken[0], (again, Broken::Repeated { user: 1, request: 1 }), "{others}, {busy}");
        let over = broken.iter().filter(|(epoch, _)| *epoch == third).map(|(_, what)| *what).collect::<Vec<_>>();
        assert!(matches!(over[..], [Broken::OverLimit { user: 1, .. }]), "{others}, {busy}: {broken:?}");
    }
}

#[test]
fn a_table_of_which_only_some_parts_were_filled_goes_on() {
    let mut restart = Restart::of(Users::new(10_000, 4));
    restart.stage(1, 7, (ONE, &Runs::one(Run::new(0, 1))), 1);
    restart.settled(None);
    let user = restart.users.hashed(1);
    restart.parts.retain(|part| part.has(user));
    let users = restart.finish();
    for serial in 1..100 {
        grant(&users, u64::from(serial), 8, ONE, &Runs::one(Run::new(serial, 1)));
    }
    assert_eq!(find(&users, 1, 7).0, 2);
    assert_eq!(held_units(&users), 100);
}
