"""A row of the comparison: who runs, in which client style, with which promise; and what came of it."""

from dataclasses import dataclass, field

from pace import Surroundings

# Client styles, in the order of the page. Rows are compared within one of them.
SECTIONS = {
    "one": "1 connection, 1 claim in flight",
    "eight": "8 connections, 1 claim in flight each",
    "crowd": "64 connections, 1 claim in flight each",
    "pipeline": "About 1,000 single claims in flight, pipelined",
    "batch": "Claims in batches, a frame or a transaction each",
}

# What an answer survives.
PROMISES = {
    "power": "kill -9 and power loss",
    "seconds": "kill -9, not power loss a second or two later",
    "nothing": "neither",
    "floor": "kill -9 and power loss",
}


@dataclass
class Row:
    peer: str     # key of the peer
    section: str  # key of SECTIONS
    promise: str  # key of PROMISES
    name: str     # what distinguishes it, such as "AOF always"
    options: dict = field(default_factory=dict)  # for the peer that runs it


@dataclass
class Audit:
    """Counts of the whole run, warm-up included."""
    answered: int        # claims that the client got answers for
    granted: int         # users who hold a unit
    stock_decrease: int  # units gone from the stock
    rows: int            # claims on record

    def passed(self):
        return 0 < self.granted == self.stock_decrease == self.rows <= self.answered

    def granted_share(self):
        return self.granted / self.answered


@dataclass
class Outcome:
    claims_per_s: float
    p50_us: float
    p99_us: float
    client_us: float = None  # processor time of the client for a claim; None for the floor, which has none
    audit: Audit = None      # None for the floor, which claims nothing
    server: str = ""     # the commands as the page shows them
    client: str = ""


@dataclass
class Measured:
    row: Row
    system: str  # name and version
    outcome: Outcome
    surroundings: Surroundings

    def claims_per_fdatasync(self):
        return self.outcome.claims_per_s * self.surroundings.fdatasync_us() / 1e6
