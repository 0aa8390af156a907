//! The limit of a day: what may be taken today is in the pool, the rest is withheld.

use std::sync::Arc;

use loom::thread;

use super::{DayLimit, Mode, Pool, Run, Short};
use crate::explore::Bound::{Exhaustive, Preemptions};
use crate::explore::{assert_exactly, outcomes};

const TODAY: i32 = 7;
const TOMORROW: i32 = 8;
const JOINED: &str = "a panic ends the whole model";

struct Shop {
    pool: Pool,
    limit: DayLimit,
}

/// Units of serials from 0 on, so many of which may be taken a day.
fn shop(units: u32, per_day: u32) -> Arc<Shop> {
    let pool = Pool::new(2, [Run::new(0, units)]);
    let limit = DayLimit::new(&pool, TODAY, 0, Some(per_day), Some(per_day));
    Arc::new(Shop { pool, limit })
}

impl Shop {
    /// Units drawn, or why none.
    fn draw(&self, core: usize, day: i32, quantity: u8, mode: Mode) -> Result<u32, Short> {
        let drawn = self.limit.draw(&self.pool, (core, day), (quantity, mode), || (), || ());
        drawn.map(|runs| runs.units())
    }

    fn one(&self, core: usize, day: i32) -> Result<u32, Short> {
        self.draw(core, day, 1, Mode::AllOrNothing)
    }
}

#[test]
fn two_cores_take_exactly_what_a_day_allows() {
    let seen = outcomes(Exhaustive, || {
        let shop = shop(5, 1);
        let other = Arc::clone(&shop);
        let drawn = thread::spawn(move || other.one(1, TODAY));
        (
            shop.one(0, TODAY),
            drawn.join().expect(JOINED),
            shop.limit.taken(&shop.pool, TODAY),
            shop.limit.withheld_units(),
        )
    });
    assert_exactly(&seen, [(Ok(1), Err(Short::Day), 1, 4), (Err(Short::Day), Ok(1), 1, 4)]);
}

/// Yesterday's claims have ended when the day rolls; those of the new day are early until then.
#[test]
fn early_claims_count_for_the_new_day_and_stragglers_for_the_old_one() {
    let seen = outcomes(Preemptions(3), || {
        let shop = shop(5, 2);
        let (early, straggler) = (Arc::clone(&shop), Arc::clone(&shop));
        let early = thread::spawn(move || [early.one(1, TOMORROW), early.one(1, TOMORROW), early.one(1, TOMORROW)]);
        let straggler = thread::spawn(move || straggler.one(0, TODAY));
        let (early, straggler) = (early.join().expect(JOINED), straggler.join().expect(JOINED));
        shop.limit.roll(&shop.pool, TOMORROW);
        (early, straggler, shop.limit.taken(&shop.pool, TOMORROW), shop.one(0, TOMORROW))
    });
    assert_exactly(&seen, [([Ok(1), Ok(1), Err(Short::Day)], Ok(1), 2, Err(Short::Day))]);
}

#[test]
fn a_day_that_rolls_while_others_draw_allows_exactly_its_limit() {
    let seen = outcomes(Preemptions(3), || {
        let shop = shop(4, 2);
        let (rolling, drawing) = (Arc::clone(&shop), Arc::clone(&shop));
        let rolled = thread::spawn(move || rolling.limit.roll(&rolling.pool, TOMORROW));
        let drawn = thread::spawn(move || [drawing.one(1, TOMORROW), drawing.one(1, TOMORROW)]);
        let mine = shop.one(0, TOMORROW);
        rolled.join().expect(JOINED);
        let granted = drawn.join().expect(JOINED).into_iter().chain([mine]).flatten().count();
        (granted, shop.limit.taken(&shop.pool, TOMORROW), shop.one(0, TOMORROW))
    });
    assert_exactly(&seen, [(2, 2, Err(Short::Day))]);
}

/// A unit that comes back today may be taken again today; one of an earlier day only within what today allows.
#[test]
fn what_comes_back_is_claimable_or_withheld_and_never_lost() {
    for (taken, wanted) in [(TODAY, Ok(1)), (TODAY - 1, Err(Short::Day))] {
        let seen = outcomes(Exhaustive, move || {
            let shop = shop(3, 1);
            assert_eq!(shop.one(0, TODAY), Ok(1));
            let adding = Arc::clone(&shop);
            let added = thread::spawn(move || adding.limit.add(&adding.pool, Run::new(10, 1), Some(taken)));
            let during = shop.one(1, TODAY);
            added.join().expect(JOINED);
            let after = shop.one(0, TODAY);
            (during.or(after), shop.limit.withheld_units() + u64::from(shop.pool.units()))
        });
        let left = if wanted.is_ok() { 2 } else { 3 };
        assert_exactly(&seen, [(wanted, left)]);
    }
}

/// A refusal says truly whether more is left for another day, also while units are released.
#[test]
fn a_refusal_for_want_of_stock_is_given_only_when_nothing_is_withheld_either() {
    let seen = outcomes(Exhaustive, || {
        let shop = shop(2, 1);
        assert_eq!(shop.one(0, TODAY), Ok(1));
        let raising = Arc::clone(&shop);
        let raised = thread::spawn(move || raising.limit.set_limit(&raising.pool, Some(2), TODAY));
        let drawn = shop.one(1, TODAY);
        raised.join().expect(JOINED);
        drawn
    });
    assert_exactly(&seen, [Ok(1), Err(Short::Day)]);
}

#[test]
fn a_lower_limit_bites_and_a_higher_one_gives_back_what_it_withheld() {
    let seen = outcomes(Preemptions(3), || {
        let shop = shop(4, 3);
        let drawing = Arc::clone(&shop);
        let drawn = thread::spawn(move || [drawing.one(1, TODAY), drawing.one(0, TODAY)]);
        shop.limit.set_limit(&shop.pool, Some(1), TODAY);
        let drawn = drawn.join().expect(JOINED).into_iter().flatten().count();
        let lowered = shop.one(0, TODAY).is_ok();
        shop.limit.set_limit(&shop.pool, Some(3), TODAY);
        let more = std::iter::repeat_with(|| shop.one(0, TODAY)).take_while(Result::is_ok).count();
        (drawn, lowered, drawn + usize::from(lowered) + more)
    });
    assert!(seen.iter().all(|(drawn, lowered, all)| *all == 3 && (!lowered || *drawn == 0)), "{seen:?}");
    assert!(seen.iter().any(|(drawn, ..)| *drawn < 2) && seen.iter().any(|(drawn, ..)| *drawn == 2), "{seen:?}");
}
