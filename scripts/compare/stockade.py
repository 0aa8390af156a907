"""Stockade itself, driven by stockade-loadtest."""

import json
import os
import re
import subprocess

import child
import package
from row import Audit, Outcome, Row

STYLES = [
    # section, name, connections, claims a frame, frames in flight
    ("one", "", 1, 1, 1),
    ("eight", "", 8, 1, 1),
    ("crowd", "", 64, 1, 1),
    ("pipeline", "16 connections × 64", 16, 1, 64),
    ("batch", "16 connections, 4 frames of 64", 16, 64, 4),
    ("batch", "8 connections, 4 frames of 512", 8, 512, 4),
]
WARM_UP_S = 1


class Stockade:
    def __init__(self, place, binaries):
        self.place = place
        self.programs = {name: os.path.join(binaries, name) for name in ("stockade", "stockade-loadtest")}
        for path in self.programs.values():
            if not os.access(path, os.X_OK):
                raise package.Missing(f"{os.path.basename(path)} is not built; run make build")
        self.system = "Stockade " + package.version(self.programs["stockade"]).split()[1]
        self.facts = {}  # learned from the binaries

    def rows(self):
        for section, name, connections, claims, window in STYLES:
            yield Row("stockade", section, "power", name,
                      {"connections": connections, "claims": claims, "window": window})

    def measure(self, row, seconds, _fdatasync_us):
        folder, port = self.place.folder("stockade"), child.free_port()
        data, log = os.path.join(folder, "data"), os.path.join(folder, "log")
        command = [self.programs["stockade"], "serve", "--data", data, "--listen", f"127.0.0.1:{port}",
                   "--admin-listen", "127.0.0.1:0"]
        # The peers keep nothing for readers either: no wallet, no coupon by its number, no statistics by day.
        environment = {"STOCKADE_SERVER_CORES": "1", "STOCKADE_READING_INDEX": "false", "STOCKADE_LOG_LEVEL": "warn"}
        server = child.Server(command, log, lambda: server.said("listening on "), environment=environment)
        with server:
            load = [self.programs["stockade-loadtest"], "run", "--server", f"127.0.0.1:{port}", "--closed", "--json",
                    "--connections", str(row.options["connections"]), "--claims-per-frame", str(row.options["claims"]),
                    "--window", str(row.options["window"]), "--duration", f"{seconds}s", "--warm-up", f"{WARM_UP_S}s",
                    "--sample", "100000"]
            report = json.loads(child.run(load, timeout_s=120 + 2 * seconds))
        self.facts["commit of Stockade's binaries"] = report["build"]["commit"]
        batch = report["verification"]["batches"][0]
        audit = Audit(report["claims"]["answered"], report["outcomes"]["GRANTED"], batch["total"] - batch["remaining"],
                      self._recorded(data))
        settings = "STOCKADE_SERVER_CORES=1 STOCKADE_READING_INDEX=false "
        shown_server = settings + child.shown(command, DIR=data, PORT=port)
        return Outcome(report["claims_per_s"], report["latency_us"]["p50"], report["latency_us"]["p99"],
                       report["generator"]["cpu_ns_per_claim"] / 1000, audit, shown_server,
                       child.shown(load, PORT=port))

    def _recorded(self, data):
        """The grants in the files, which `verify` reads and audits."""
        result = subprocess.run([self.programs["stockade"], "verify", data], stdout=subprocess.PIPE, text=True)
        if result.returncode != 0:
            raise RuntimeError(f"stockade verify found:\n{result.stdout}")
        return int(re.search(r"^grants\s+(\d+)", result.stdout, re.MULTILINE).group(1))
