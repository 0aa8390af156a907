"""Rows about claims: rates, loads, sizes, short batches, the open loop."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
import urllib.request

from server import Server, connect, folder_bytes, load, wire

STYLES = [
    # name, connections, claims a frame, frames in flight
    ("1 connection, 1 in flight", 1, 1, 1),
    ("64 connections, 1 in flight each", 64, 1, 1),
    ("16 connections, 64 single-claim frames", 16, 1, 64),
    ("16 connections, 4 frames of 64", 16, 64, 4),
    ("8 connections, 4 frames of 512", 8, 512, 4),
]
LOADS = [
    # name, connections, claims a frame, frames in flight, more
    ("granted claims", 16, 64, 4, []),
    ("the storm after a sell-out", 16, 64, 4, ["--stock", "1000"]),
    # One generator thread is slower than the server here: it looks up, and checks, what each retry was answered first.
    ("nine in ten are retries", 16, 64, 4, ["--retry-ratio", "0.9", "--threads", "2"]),
    ("a thousand batches, evenly", 16, 64, 4, ["--batches", "1000"]),
    ("64 connections, 1 in flight each", 64, 1, 1, []),
    ("4,096 connections, 1 in flight each", 4096, 1, 1, []),
]
OPEN_LOOPS = [
    # claims/s, connections, claims a frame, how long the generator gathers before it serves its sockets
    (50_000, 16, 1, "0us"),
    (200_000, 16, 1, "0us"),
    (200_000, 4, 1, "100us"),
    (400_000, 16, 16, "0us"),
]
CORE_COUNTS = [1, 2, 4, 8, 3, 1]
CLAIMS = int(os.environ.get("CLAIMS", "10_000_000"))
BATCHES = 1_000_000
TURNOVER_CLAIMS = 50_000_000
# Units of a short batch.
TURNOVER = os.environ.get("TURNOVER", "960")


def rates(binaries, folder, cores):
    server = Server(binaries, folder, cores)
    for name, connections, claims_per_frame, window in STYLES:
        before = server.cpu_seconds()
        report = load(binaries, server, connections, claims_per_frame, window, "--duration", "3s", "--warm-up", "1s")
        print_rate(name, report, server.cpu_seconds() - before)
    server.end()


def print_rate(name, report, cpu_s):
    latency, claims = report["latency_us"], sum(report["outcomes"].values())
    print(f"{name:42} {report['claims_per_s']:12,.0f} claims/s   p50 {latency['p50']:8.0f} µs   "
          f"p99 {latency['p99']:8.0f} µs   server CPU {cpu_s / claims * 1e9:6.0f} ns/claim", flush=True)


def loads(binaries, folder, cores):
    server = Server(binaries, folder, cores)
    for name, connections, claims_per_frame, window, more in LOADS:
        more = ["--duration", "3s", "--warm-up", "1s", *more]
        before = server.cpu_seconds()
        report = load(binaries, server, connections, claims_per_frame, window, *more)
        print_rate(name, report, server.cpu_seconds() - before)
    server.end()


def open_loop(binaries, folder, cores):
    server = Server(binaries, folder, cores)
    for rate, connections, claims_per_frame, gather in OPEN_LOOPS:
        command = [os.path.join(binaries, "stockade-loadtest"), "run", "--server", server.address, "--json",
                   "--rate", str(rate), "--connections", str(connections), "--claims-per-frame", str(claims_per_frame),
                   "--window", "4096", "--gather", gather, "--duration", "60s", "--warm-up", "2s", "--sample", "100000"]
        result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        latency = json.loads(result.stdout)["latency_us"]
        print(f"{rate:9,} claims/s offered, {claims_per_frame:2} a frame, {connections:2} connections, gathered {gather}: "
              + "   ".join(f"{name} {latency[name]:,.0f} µs" for name in ("p50", "p99", "p999", "max")), flush=True)
    server.end()


def batches(binaries, folder, cores):
    os.environ["STOCKADE_BATCHES_BATCHES_MAX"] = str(BATCHES)
    server = Server(binaries, folder, cores)
    empty = server.resident_bytes()
    rate = create_batches(server.address)
    # Freed memory goes back to the system after ten seconds.
    time.sleep(15)
    grown = server.resident_bytes() - empty
    print(f"{BATCHES:,} batches created: {rate:,.0f} a second, {grown / BATCHES:.0f} bytes of resident growth a batch",
          flush=True)
    server.end(signal.SIGKILL)
    server = Server(binaries, folder, cores)
    print(f"restart after kill -9: ready in {server.ready_s:.2f} s", flush=True)
    server.end()


def create_batches(address, in_flight=8, a_frame=1_024):
    """Batches created a second, frames pipelined on one connection."""
    connection = connect(address)
    frames = []
    for first in range(1, BATCHES + 1, a_frame):
        ids = range(first, min(first + a_frame, BATCHES + 1))
        items = (wire.create_item(batch, 1_000, 1, name=b"sale") for batch in ids)
        frames.append(wire.frame(wire.OP_CREATE, b"".join(items), len(ids), first))
    began, sent = time.monotonic(), 0
    for received in range(len(frames)):
        while sent < min(received + in_flight, len(frames)):
            connection.send(frames[sent])
            sent += 1
        opcode, _, infos = connection.read_reply()
        assert opcode == wire.OP_CREATE and all(info[0] == wire.DONE for info in infos), "a batch was refused"
    return BATCHES / (time.monotonic() - began)


def other_cores(binaries, folder, cores):
    """Sells out a batch with each number of cores in turn, on one journal, and kills the server after each."""
    for cores in CORE_COUNTS:
        server = Server(binaries, folder, cores)
        more = ["--duration", "2s", "--warm-up", "0s", "--retry-ratio", "0.1", "--repeat-ratio", "0.1",
                "--stock", "300000"]
        report = load(binaries, server, 16, 16, 4, *more, "--seed", str(cores))
        assert report["outcomes"]["SOLD_OUT"] > 0, "the sale did not end within its time"
        server.end(signal.SIGKILL)
        print(f"{cores} cores: sold out and verified, after: {server.lines[1].split(': ')[-1]}", flush=True)
    verified = subprocess.run([os.path.join(binaries, "stockade"), "verify", folder], stdout=subprocess.PIPE, text=True)
    print(verified.stdout.strip().splitlines()[-1], flush=True)
    assert verified.returncode == 0, "the journal is not in order"


def sizes(binaries, folder, cores):
    server = Server(binaries, folder, cores)
    empty = server.resident_bytes()
    report = load(binaries, server, 8, 512, 4, "--duration", "600s", "--warm-up", "0s", "--claims", str(CLAIMS))
    granted = report["outcomes"]["GRANTED"]
    grown = server.resident_bytes() - empty
    stored = folder_bytes(os.path.join(folder, "rocksdb"))
    indexed = folder_bytes(os.path.join(folder, "index"))
    server.end(signal.SIGKILL)
    print(f"{granted:,} claims granted: {grown / granted:.1f} bytes of resident growth and "
          f"{stored / granted:.1f} bytes on disk a claim, {indexed / granted:.1f} of the index", flush=True)
    server = Server(binaries, folder, cores)
    print(f"restart after kill -9: ready in {server.ready_s:.2f} s ({server.lines[1]})", flush=True)
    server.end()


def million(binaries, folder, cores):
    """The granting rate on one batch and on a million, evenly; each on a folder of its own, in turns."""
    for turn, count in enumerate([1, BATCHES, 1, BATCHES]):
        server = Server(binaries, f"{folder}-{turn}", cores)
        more = ["--duration", "10s", "--warm-up", "2s", "--batches", str(count)]
        before = server.cpu_seconds()
        report = load(binaries, server, 16, 64, 4, *more)
        print_rate(f"{count:,} batches, 16 connections × 4 frames of 64", report, server.cpu_seconds() - before)
        server.end(signal.SIGKILL)
        shutil.rmtree(f"{folder}-{turn}")


def turnover(binaries, folder, cores, *more):
    """Many short batches, each sold out, ended and closed while the next are sold: rate, disk, checkpoints."""
    more = more or ("--duration", "600s", "--claims", str(TURNOVER_CLAIMS))
    # Closed batches stay in the books; five minutes bring over a million of 960 units.
    os.environ["STOCKADE_BATCHES_BATCHES_MAX"] = str(4 * BATCHES)
    server, watch = Server(binaries, folder, cores), Watch(folder)
    report = load(binaries, server, 16, 64, 4, "--warm-up", "1s", "--turnover", TURNOVER, *more)
    granted, steady, largest = report["outcomes"]["GRANTED"], report["steadiness"], watch.end()
    closed = report["turnover"]["batches_closed"]
    server.end(signal.SIGKILL)
    server = Server(binaries, folder, cores)
    print(f"{granted:,} claims on {closed:,} short batches: {report['claims_per_s']:,.0f} claims/s; data folder at most "
          f"{largest / 1e6:,.0f} MB, at the end {folder_bytes(folder) / 1e6:,.0f} MB; restart {server.ready_s:.2f} s")
    print(f"whole seconds: median {steady['median_claims_per_s']:,.0f} claims/s, lowest "
          f"{steady['lowest_claims_per_s']:,.0f}, {steady['lowest_share']:.0%} of the median ({steady['seconds']} s)",
          flush=True)
    server.end()


def steady(binaries, folder, cores):
    turnover(binaries, folder, cores, "--duration", "300s")


def writes(binaries, folder, cores):
    """Bytes written to the device for each byte of the journal."""
    os.makedirs(folder)
    for name, more in [("one batch", []), ("short batches", ["--turnover", "9600"])]:
        data = os.path.join(folder, name.replace(" ", "-"))
        server = Server(binaries, data, cores)
        os.sync()
        before = written_to_device(folder)
        report = load(binaries, server, 16, 64, 4, "--duration", "10s", "--warm-up", "0s", *more)
        time.sleep(2)
        os.sync()
        written, stored = written_to_device(folder) - before, stored_bytes(binaries, data, server)
        granted = report["outcomes"]["GRANTED"]
        print(f"{name}: {stored / granted:.1f} bytes of journal a claim, {written / granted:.1f} written to the device, "
              f"{written / stored:.2f} for each", flush=True)


def stored_bytes(binaries, data, server):
    """Bytes of all groups that the server committed."""
    page = urllib.request.urlopen(f"http://{server.admin}/metrics").read().decode()
    server.end()
    return float(re.search(r"^stockade_commit_group_bytes_sum (\S+)", page, re.M).group(1))


def syncs(binaries, folder, cores):
    """The disk alone: fdatasync after 4 KiB, appended to a file, written over the zeros of one, and that with every
    processor busy: then a host that counts the disk's work with theirs may stop the machine."""
    os.makedirs(folder)
    page, size = os.urandom(4096), 32 << 20
    for name in ("appended", "written over", "written over, processors busy") * 2:
        file = os.open(os.path.join(folder, "pages"), os.O_RDWR | os.O_CREAT | os.O_TRUNC)
        if name.startswith("written over"):
            os.pwrite(file, bytes(size), 0)
            os.fsync(file)
        spin = [sys.executable, "-c", "while True: pass"]
        busy = [subprocess.Popen(spin) for _ in range(os.cpu_count())] if name.endswith("busy") else []
        times, began = [], time.perf_counter()
        for offset in range(0, size, len(page)):
            os.pwrite(file, page, offset)
            os.fdatasync(file)
            now = time.perf_counter()
            times.append(now - began)
            began = now
        for process in busy:
            process.kill()
            process.wait()
        os.close(file)
        share = 100 * sum(seconds for seconds in times if seconds > 0.004) / sum(times)
        times.sort()
        print(f"fdatasync of 4 KiB {name}: p50 {times[len(times) // 2] * 1e6:.0f} µs, "
              f"p99 {times[len(times) * 99 // 100] * 1e6:.0f} µs, longest {times[-1] * 1e3:.1f} ms; "
              f"{share:.0f} % of the time in syncs above 4 ms", flush=True)


def written_to_device(folder):
    device = os.stat(folder).st_dev
    with open(f"/sys/dev/block/{os.major(device)}:{os.minor(device)}/stat") as stat:
        return int(stat.read().split()[6]) * 512


class Watch:
    """Looks at the size of a folder twice a second; files may come and go."""

    def __init__(self, folder):
        self.folder, self.largest, self.over = folder, 0, threading.Event()
        self.thread = threading.Thread(target=self.look, daemon=True)
        self.thread.start()

    def look(self):
        while not self.over.wait(0.5):
            try:
                self.largest = max(self.largest, folder_bytes(self.folder))
            except FileNotFoundError:
                pass

    def end(self):
        self.over.set()
        self.thread.join()
        return self.largest


ROWS = {"rates": rates, "loads": loads, "open": open_loop, "batches": batches, "sizes": sizes,
        "cores": other_cores, "million": million, "turnover": turnover, "steady": steady, "writes": writes, "syncs": syncs}
