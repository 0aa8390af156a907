//! Batches, as they are and in numbers.

use stockade_protocol::batch::{
    Action, AddStock, Audience, BatchId, BatchInfo, Change, Create, Edit, Holds, List, RefusalCount, State, Stats,
    StatsQuery, Terms, Validity, WHOLE,
};
use stockade_protocol::frame::Frame;
use stockade_protocol::{Opcode, Status};

use super::{LISTED, NOON_MS, fault, reply, status_of};

/// The batch that things happened to on many days.
pub(crate) const LONG_LIVED: u64 = 2_000;

/// How many: more than one page.
pub(crate) const DAYS: i32 = 1_500;

/// The batch over whose reconciliation the server stops.
pub(crate) const STOPS: u64 = 2_001;

/// The version that every batch has.
const VERSION: u32 = 7;

/// The day 2026-11-27.
const TODAY: i32 = 20_784;

pub(super) fn answer(frame: &Frame<'_>) -> Option<Vec<u8>> {
    let id = || frame.items::<BatchId>().expect("ids")[0].batch.get();
    match frame.opcode {
        Opcode::BatchCreate => {
            let create = frame.items::<Create>().expect("terms")[0];
            let terms = create.terms().expect("texts");
            let state = if terms.draft { State::Draft } else { State::Active };
            Some(one(frame, &info(create.batch.get(), state, &terms)))
        }
        Opcode::BatchShow => Some(one(frame, &info(id(), State::Active, &terms()))),
        Opcode::BatchEdit => Some(one(frame, &edited(&frame.items::<Edit>().expect("edits")[0]))),
        Opcode::BatchChange => {
            let change = frame.items::<Change>().expect("changes")[0];
            let batch = change.batch.get();
            let is_gone = change.action() == Some(Action::Purge) && status_of(batch, Status::Done) == Status::Done;
            let gone = BatchInfo::refused(Status::Done, batch);
            Some(one(frame, &if is_gone { gone } else { info(batch, State::Active, &terms()) }))
        }
        Opcode::BatchAddStock | Opcode::BatchWithdraw => {
            let moving = frame.items::<AddStock>().expect("stock")[0];
            let mut info = info(moving.batch.get(), State::Active, &terms());
            info.moved = moving.units;
            Some(one(frame, &info))
        }
        Opcode::BatchList => {
            let list = frame.item::<List>().expect("a list");
            let ids = list.from.get()..u64::from(LISTED).min(list.from.get() + u64::from(list.limit.get()));
            // What a list names is there: small ids are no status numbers here.
            let listed = |id: u64| {
                let mut info = info(1_000, State::Active, &terms());
                info.batch = id.into();
                info
            };
            Some(reply(frame.opcode, frame.correlation, &ids.map(listed).collect::<Vec<_>>()))
        }
        Opcode::BatchStats => Some(stats(frame)),
        Opcode::BatchRefusals => {
            let refused = [RefusalCount::new(Status::LimitReached, 4), RefusalCount::new(Status::SoldOut, 12)];
            Some(read(frame, id(), &refused))
        }
        Opcode::BatchReconcile => (id() != STOPS).then(|| read(frame, id(), &[counts(WHOLE)])),
        _ => Some(fault(frame.correlation, Status::OpcodeUnknown)),
    }
}

fn one(frame: &Frame<'_>, info: &BatchInfo) -> Vec<u8> {
    reply(frame.opcode, frame.correlation, &[*info])
}

/// What is read of a batch has no status of its own.
fn read<T: zerocopy::IntoBytes + zerocopy::Immutable>(frame: &Frame<'_>, batch: u64, items: &[T]) -> Vec<u8> {
    match status_of(batch, Status::Done) {
        Status::Done => reply(frame.opcode, frame.correlation, items),
        status => fault(frame.correlation, status),
    }
}

/// What the batches have.
fn terms() -> Terms {
    Terms {
        stock: 100,
        per_user: Some(2),
        per_day: Some(50),
        audience: Audience { all: 0b1001, any: 0, none: 1 << 31 },
        holds: Holds { per_user: None, share: Some(20) },
        ends_ms: Some(NOON_MS + 500),
        validity: Validity { expires_ms: None, valid_days: Some(30), return_days: 7 },
        zone: "Asia/Shanghai".to_owned(),
        name: "Double Eleven".to_owned(),
        ..Terms::default()
    }
}

fn edited(edit: &Edit) -> BatchInfo {
    let batch = edit.batch();
    if ![0, VERSION].contains(&edit.version()) {
        return BatchInfo::about(Status::BatchConflict, batch, State::Active, &terms());
    }
    let mut info = info(batch, State::Active, &terms().edited(edit.fields(), &edit.terms().expect("texts")));
    info.version = (VERSION + 1).into();
    info
}

fn info(id: u64, state: State, terms: &Terms) -> BatchInfo {
    let status = status_of(id, Status::Done);
    if status == Status::BatchUnknown {
        return BatchInfo::refused(status, id);
    }
    let mut info = BatchInfo::about(status, id, state, terms);
    (info.total, info.granted, info.remaining) = (terms.stock.into(), 10.into(), (terms.stock - 13).into());
    (info.held, info.voided, info.version) = (2.into(), 1.into(), VERSION.into());
    (info.day_units, info.created_ms) = (6.into(), NOON_MS.into());
    info
}

fn stats(frame: &Frame<'_>) -> Vec<u8> {
    let query = frame.item::<StatsQuery>().expect("a query");
    let days = if query.batch.get() == LONG_LIVED { DAYS } else { 2 };
    let from = query.from_day.get().max(TODAY);
    let wanted = (from..TODAY + days).take(query.limit.get() as usize - 1);
    read(frame, query.batch.get(), &[WHOLE].into_iter().chain(wanted).map(counts).collect::<Vec<_>>())
}

fn counts(day: i32) -> Stats {
    Stats { day: day.into(), added: 100.into(), granted: 10.into(), redeemed: 3.into(), ..Stats::default() }
}
