"""Rows about the rest of a coupon's life: reservations, coupons, limits, wallets, expiry."""

import json
import os
import re
import subprocess
import time
import urllib.request

from server import Server, connect, load, wire

STYLES = [
    # name, connections, requests a frame, frames in flight
    ("16 connections, 64 single requests", 16, 1, 64),
    ("16 connections, 4 frames of 64", 16, 64, 4),
    ("8 connections, 4 frames of 512", 8, 512, 4),
]
LIMITS = ["--per-user-day", "1", "--per-day", "4000000000", "--quantity-max", "1", "--audience-any", "1",
          "--zone", "Asia/Shanghai"]
OPERATIONS = [
    # name, requests for one of what the load test counts, flags
    ("claims", 1, []),
    ("claims with every limit", 1, LIMITS),
    ("reserve and confirm", 2, ["--operation", "reserve-confirm"]),
    # As many coupons as a fast machine redeems in the time of a row.
    ("lock and redeem", 2, ["--operation", "lock-redeem", "--grants", "10000000"]),
]
HOLDS = int(os.environ.get("HOLDS", "10_000_000"))
# They are made, and so expire, within a minute, each this long after it was made.
HOLDS_WITHIN_S = round(55 * HOLDS / 10_000_000)
HOLD_S = HOLDS_WITHIN_S + 15
LAG_RATES = [500_000, 1_000_000]
LAG_SAMPLES = 2_000


def operations(binaries, folder, cores):
    """Requests a second of each operation, beside claims in the same minute."""
    server = Server(binaries, folder, cores, index="true")
    for style, connections, a_frame, window in STYLES:
        claims = None
        for name, requests, more in OPERATIONS:
            spans = ["--duration", "4s", "--warm-up", "1s"]
            report = load(binaries, server, connections, a_frame, window, *spans, *more)
            rate = report["claims_per_s"] * requests
            claims = claims or rate
            print(f"{style:36} {name:24} {rate:12,.0f} requests/s   {rate / claims:5.2f} of claims   "
                  f"p50 {report['latency_us']['p50']:8.0f} µs   p99 {report['latency_us']['p99']:8.0f} µs", flush=True)
    server.end()


def wallets(binaries, folder, cores):
    """Pages a second: of a few coupons that lie in memory, and of ten million in files."""
    for users, coupons in [(10_000, 20), (1_000_000, 10)]:
        server = Server(binaries, f"{folder}-{users}", cores, index="true")
        more = ["--users", str(users), "--per-user", "unlimited", "--grants", str(users * coupons)]
        spans = ["--duration", "5s", "--warm-up", "1s"]
        report = load(binaries, server, 16, 1, 4, "--operation", "wallet", *spans, *more)
        latency = report["latency_us"]
        print(f"wallets of {users:,} users with {coupons} coupons each: {report['claims_per_s']:,.0f} pages/s   "
              f"p50 {latency['p50']:.0f} µs   p99 {latency['p99']:.0f} µs", flush=True)
        server.end()


def lag(binaries, folder, cores):
    """How late readers see what was decided: as the server tells, and as a client finds that claims and looks."""
    for rate in LAG_RATES:
        server = Server(binaries, f"{folder}-{rate}", cores, index="true")
        flags = ["--rate", str(rate), "--connections", "8", "--claims-per-frame", "64", "--window", "4096"]
        crowd = open_loop(binaries, server, *flags, "--duration", "20s", "--warm-up", "1s")
        time.sleep(3)
        connection, batch, waits, until = connect(server.address), 77, [], time.monotonic() + 15
        connection.call(wire.OP_CREATE, wire.create_item(batch, 4 * LAG_SAMPLES, name=b"lag"))
        while len(waits) < LAG_SAMPLES and time.monotonic() < until:
            user = len(waits) + 1
            connection.call(wire.OP_CLAIM, wire.CLAIM.pack(batch, user, user, 0, 1, 0, 0))
            began = time.perf_counter()
            page = connection.call(wire.OP_WALLET, wire.WALLET.pack(user, 0, 10, 0, bytes(16), 0))
            waits.append(time.perf_counter() - began)
            assert len(page) == 1, "the coupon is not in the wallet"
        report, waits = json.loads(crowd.communicate()[0]), sorted(waits)
        of = lambda share: waits[int(len(waits) * share)] * 1e3
        told = quantiles(server, "stockade_index_visible_seconds", 0.5, 0.99)
        print(f"{report['claims_per_s']:,.0f} grants/s (p50 {report['latency_us']['p50']:,.0f} µs): from the decision until "
              f"readers see it, p50 ≤ {told[0] * 1e3:.1f} ms, p99 ≤ {told[1] * 1e3:.1f} ms; a client's look at its wallet: "
              f"p50 {of(0.5):.1f} ms, p99 {of(0.99):.1f} ms, {len(waits)} samples", flush=True)
        server.end()


def quantiles(server, metric, *shares):
    """Upper bounds of the buckets that hold these shares."""
    page = urllib.request.urlopen(f"http://{server.admin}/metrics").read().decode()
    buckets = re.findall(rf'^{metric}_bucket{{le="([^"]+)"}} (\S+)$', page, re.M)
    total = float(buckets[-1][1])
    return [next(float(bound) for bound, count in buckets if float(count) >= share * total) for share in shares]


def expiry(binaries, folder, cores):
    """Latency of claims while reservations expire, beside what it is otherwise; without the index and with it."""
    for index in ("false", "true"):
        expire(Server(binaries, f"{folder}-{index}", cores, index=index), binaries, index)


def expire(server, binaries, index):
    flags = ["--rate", "100000", "--connections", "4", "--claims-per-frame", "16", "--window", "4096",
             "--gather", "100us", "--warm-up", "2s"]
    quiet = json.loads(open_loop(binaries, server, *flags, "--duration", "20s").communicate()[0])
    connection, batch, a_frame, in_flight = connect(server.address), 77, 1_024, 8
    connection.call(wire.OP_CREATE, wire.create_item(batch, HOLDS + a_frame, name=b"holds"))
    began, sent, received, frames = time.monotonic(), 0, 0, (HOLDS + a_frame - 1) // a_frame
    while received < frames:
        while sent < min(received + in_flight, frames):
            time.sleep(max(0.0, began + HOLDS_WITHIN_S * sent / frames - time.monotonic()))
            first = sent * a_frame + 1
            users = range(first, first + a_frame)
            items = (wire.RESERVE.pack(batch, user, user, 0, 1, 0, HOLD_S) for user in users)
            connection.send(wire.frame(wire.OP_RESERVE, b"".join(items), a_frame, first))
            sent += 1
        skip_reply(connection)
        received += 1
    took = time.monotonic() - began
    held = held_units(server, batch)
    time.sleep(max(0.0, began + HOLD_S - 2 - time.monotonic()))
    busy = open_loop(binaries, server, *flags, "--duration", f"{int(took) + 2}s")
    busy = json.loads(busy.communicate()[0])
    print(f"{held:,} reservations expire in {took:.0f} s, index {index}; {held_units(server, batch):,} are left", flush=True)
    for name, report in (("before", quiet), ("meanwhile", busy)):
        latency = report["latency_us"]
        times = "   ".join(f"{at} {latency[at]:,.0f} µs" for at in ("p50", "p99", "p999"))
        print(f"  claims at 100,000/s {name}: {times}", flush=True)
    server.end()


def held_units(server, batch):
    return wire.info(connect(server.address).call(wire.OP_SHOW, wire.BATCH_ID.pack(batch))[0])["held"]


def skip_reply(connection):
    """Reads a reply of reservations that all must have been made."""
    header = wire.HEADER.unpack(connection.receive(wire.HEADER.size))
    body = connection.receive(header[4])
    assert body[0] == body[-wire.CLAIM_REPLY.size] == wire.RESERVED, "a reservation was refused"


def open_loop(binaries, server, *flags):
    command = [os.path.join(binaries, "stockade-loadtest"), "run", "--server", server.address, "--json",
               "--sample", "100000", *flags]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)


ROWS = {"operations": operations, "wallets": wallets, "lag": lag, "expiry": expiry}
