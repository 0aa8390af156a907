"""Runs Stockade and its peers in turn and writes docs/comparison.md and docs/comparison.svg:

    scripts/compare BIN_FOLDER [--rows redis,postgres] [--seconds N] [--out FOLDER]

Peers that are not there are installed with apt-get where that needs no password, and left out with a note otherwise.
One server runs at a time, on the disk that holds BIN_FOLDER; all are ended and all files removed in any case. A run of
some rows only writes into BIN_FOLDER/comparison, unless --out says where: the page of the repository is one whole run.
"""

import sys

sys.dont_write_bytecode = True

import argparse
import os
import signal
from functools import partial

import chart
import machine
import pace
import page
from floor import Floor
from mariadb import MariaDb
from package import Missing
from place import Place
from postgres import Postgres
from redis import Redis
from row import SECTIONS, Measured
from stockade import Stockade

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
CLAIMS = os.path.join(HERE, "claims")
GRANTED_SHARE_MIN = 0.99
# They run as a user who is not root.
OTHER_PEOPLES = ["redis", "postgres", "mariadb"]

PEERS = {
    "stockade": lambda place, binaries: Stockade(place, binaries),
    "redis": lambda place, _: Redis(place, CLAIMS),
    "postgres": lambda place, _: Postgres(place, CLAIMS),
    "mariadb": lambda place, _: MariaDb(place, CLAIMS),
    "floor": lambda place, _: Floor(place),
}


def arguments():
    parser = argparse.ArgumentParser(prog="scripts/compare", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binaries", metavar="BIN_FOLDER", type=os.path.abspath)
    parser.add_argument("--rows", default=",".join(PEERS), help=f"some of {','.join(PEERS)}")
    parser.add_argument("--seconds", type=int, default=5, help="how long to measure each row")
    parser.add_argument("--out", help="where to write the page and the chart")
    chosen = parser.parse_args()
    chosen.rows = chosen.rows.split(",")
    for key in chosen.rows:
        if key not in PEERS:
            parser.error(f"--rows: {key} is not one of {', '.join(PEERS)}")
    if chosen.seconds < 1:
        parser.error("--seconds: at least 1")
    whole = set(chosen.rows) == set(PEERS)
    chosen.out = chosen.out or (os.path.join(ROOT, "docs") if whole else os.path.join(chosen.binaries, "comparison"))
    return chosen


def present(chosen, place):
    """The peers that can run, by key, and a note for each that cannot."""
    peers, notes = {}, []
    for key in PEERS:
        if key in chosen.rows:
            try:
                if key in OTHER_PEOPLES:
                    place.as_peer([])
                peers[key] = PEERS[key](place, chosen.binaries)
            except Missing as missing:
                notes.append(f"{key} was left out: {missing}.")
                print(notes[-1], flush=True)
    return peers, notes


def measure(peers, level, seconds):
    """Section by section, so that rows which are compared stand close in time: the disk's pace changes."""
    rows = [(peer, row) for peer in peers.values() for row in peer.rows()]
    measured = []
    for section in SECTIONS:
        for peer, row in rows:
            if row.section == section:
                outcome, surroundings = level.measure(partial(peer.measure, row, seconds))
                measured.append(Measured(row, peer.system, outcome, surroundings))
                print(page.table(measured[-1:]), page.audit_line(measured[-1]), sep="\n", flush=True)
                if outcome.audit and not outcome.audit.passed():
                    sys.exit("compare: the audit failed; no page is written")
    return measured


def write(chosen, measured, facts, notes):
    os.makedirs(chosen.out, exist_ok=True)
    texts = {"comparison.md": page.markdown(measured, facts, notes), "comparison.svg": chart.svg(measured)}
    for name, text in texts.items():
        with open(os.path.join(chosen.out, name), "w") as file:
            file.write(text)
        print(f"written: {os.path.join(chosen.out, name)}", flush=True)


def conditions(measured, level, processors, seconds):
    """Notes on the machine during the run."""
    steady = sum(one.surroundings.is_steady for one in measured)
    return [
        f"Each row was measured for {seconds} s after a warm-up of about 1 s. The host of the machine took "
        f"{processors.stolen_share():.1%} of the processor time for others.",
        f"An append and its fdatasync took {level.start_us:.0f} µs at the start (median of the fastest of "
        f"{pace.START_PROBES} probes). A row waits until it takes no longer than {pace.SLOWER_MAX} times that and "
        f"other processes use at most {pace.OTHERS_SHARE_MAX:.0%} of the processors, and is measured again, "
        f"{pace.TRIES_MAX} times in all, if either was otherwise by its end; patience is bounded. {steady} of "
        f"{len(measured)} rows were steady, the others say so.",
    ]


def run(chosen, place):
    peers, notes = present(chosen, place)
    if not peers:
        sys.exit("no row can run")
    facts = machine.facts(place, ROOT)
    facts["versions"] = ", ".join(peer.system for key, peer in peers.items() if key != "floor")
    level, processors = pace.Pace(place.path), pace.Processors()
    measured = measure(peers, level, chosen.seconds)
    facts.update(getattr(peers.get("stockade"), "facts", {}))
    notes += conditions(measured, level, processors, chosen.seconds)
    for one in measured:
        if one.outcome.audit and one.outcome.audit.granted_share() < GRANTED_SHARE_MIN:
            notes.append(f"{one.system} granted only {one.outcome.audit.granted_share():.1%} of {one.row.section}.")
    write(chosen, measured, facts, notes)


def main():
    chosen = arguments()
    # So that every `finally` runs.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda which, _: sys.exit(128 + which))
    place = Place(chosen.binaries)
    try:
        run(chosen, place)
    except Missing as missing:
        sys.exit(f"compare: {missing}")
    finally:
        place.remove()


if __name__ == "__main__":
    main()
