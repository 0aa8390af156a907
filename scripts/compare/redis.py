"""Redis: one Lua script a claim, driven by redis-benchmark."""

import csv
import io
import os
import secrets
import time

import child
import package
from row import Audit, Outcome, Row

MODES = {
    # name: promise, settings
    "AOF always": ("power", ["--appendonly", "yes", "--appendfsync", "always"]),
    "AOF everysec": ("seconds", ["--appendonly", "yes", "--appendfsync", "everysec"]),
    "no AOF": ("nothing", ["--appendonly", "no"]),
}
STYLES = {
    # section: connections, pipeline, how the page calls it, the modes that run it
    "one": (1, 1, "", list(MODES)),
    "eight": (8, 1, "", ["AOF always"]),
    "crowd": (64, 1, "", list(MODES)),
    "pipeline": (64, 16, "64 connections × 16", list(MODES)),
}
PIPELINE_MAX = 16
# No snapshots and no rewrite of the AOF while it is measured.
SETTINGS = ["--bind", "127.0.0.1", "--save", "", "--auto-aof-rewrite-percentage", "0"]
STOCK = 4_000_000_000
# redis-benchmark draws users and requests from this many, its most.
IDS = 2_147_483_647
CALIBRATION_S = 0.7
KEYS = ["{1}:stock", "{1}:serials", "{1}:users", "{1}:counters"]


class Redis:
    def __init__(self, place, claims):
        self.place, self.claims = place, claims
        names = ["redis-server", "redis-cli", "redis-benchmark"]
        self.programs = package.programs(names, ["redis-server"], ["redis-server"])
        self.system = "Redis " + package.version(self.programs["redis-server"]).split("v=")[1].split()[0]

    def rows(self):
        for section, (connections, pipeline, name, modes) in STYLES.items():
            for mode in modes:
                promise, settings = MODES[mode]
                yield Row("redis", section, promise, ", ".join(filter(None, [mode, name])),
                          {"settings": settings, "connections": connections, "pipeline": pipeline})

    def measure(self, row, seconds, _fdatasync_us):
        folder, port, password = self.place.folder("redis"), child.free_port(), secrets.token_hex(8)
        command = [self.programs["redis-server"], "--port", str(port), "--dir", folder, "--requirepass", password,
                   *SETTINGS, *row.options["settings"]]
        environment = {"REDISCLI_AUTH": password}

        def ask(*words, text=None):
            return child.run([self.programs["redis-cli"], "-p", str(port), *words], environment, text).strip()

        def ready():
            return child.succeeds([self.programs["redis-cli"], "-e", "-p", str(port), "ping"], environment)

        log = os.path.join(self.place.path, "redis.log")
        with child.Server(command, log, ready, run_as=self.place.as_peer):
            with open(os.path.join(self.claims, "redis.lua")) as script:
                sha = ask("-x", "script", "load", text=script.read())
            ask("set", KEYS[0], str(STOCK))
            benchmark = [self.programs["redis-benchmark"], "-p", str(port), "-a", password, "--csv",
                         "-c", str(row.options["connections"]), "-P", str(row.options["pipeline"]), "-r", str(IDS)]
            claim = ["evalsha", sha, str(len(KEYS)), *KEYS]
            warm_up, rate = _calibrate(benchmark, claim)
            measuring = [*benchmark, *_load(claim, "m", int(rate * seconds))]
            output, client_s = child.run_client(measuring, timeout_s=60 + 30 * seconds)
            figures, requests = _figures(output), int(measuring[measuring.index("-n") + 1])
            return Outcome(
                float(figures["rps"]), float(figures["p50_latency_ms"]) * 1000, float(figures["p99_latency_ms"]) * 1000,
                client_s / requests * 1e6, _audit(ask, warm_up + requests),
                child.shown(command, DIR=folder, PORT=port, PASSWORD=password),
                child.shown(measuring, PORT=port, PASSWORD=password, SHA=sha))


def _load(claim, run, requests):
    """Arguments for so many claims, rounded up to whole pipelines. The users' names begin with that of the run: two
    runs of redis-benchmark may draw the same numbers, since its seed is the second mixed with its process id."""
    pipelined = requests // PIPELINE_MAX * PIPELINE_MAX + PIPELINE_MAX
    return ["-n", str(pipelined), *claim, f"{run}:__rand_int__", "__rand_int__", "1"]


def _calibrate(benchmark, claim):
    """Warms up, and finds the rate, since redis-benchmark counts requests instead of seconds. Requests made, rate."""
    made, requests = 0, 512
    while True:
        load = _load(claim, f"w{requests}", requests - PIPELINE_MAX)
        began = time.monotonic()
        child.run([*benchmark, *load])
        took = time.monotonic() - began
        made += requests
        if took >= CALIBRATION_S:
            return made, requests / took
        requests *= 2


def _figures(output):
    """The one line of the table by the names of its head."""
    return next(csv.DictReader(io.StringIO(output[output.index('"test"'):])))


def _audit(ask, answered):
    words = ask("hgetall", KEYS[3]).split()
    counters = {name: int(count) for name, count in zip(words[::2], words[1::2])}
    if sum(counters.values()) != answered:
        raise RuntimeError(f"Redis answered {sum(counters.values())} claims of {answered}: {counters}")
    users = int(ask("hlen", KEYS[2]))
    if users != counters["granted"]:
        raise RuntimeError(f"Redis granted {counters['granted']} claims to {users} users")
    return Audit(answered, counters["granted"], STOCK - int(ask("get", KEYS[0])), int(ask("hlen", KEYS[1])))
