#!/usr/bin/env python3
"""Measures the table of docs/performance.md:   scripts/figures.py BIN_FOLDER [ROW …]

Starts its own servers on a temporary folder of the disk that holds the build folder, loads them with stockade-loadtest on
the same machine, and prints one line a row. Set CEILING to the path of a yardstick's run.sh to run that in the same
minute; its lines are printed as they are. Standard library only.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

STYLES = [
    # name, connections, claims a frame, frames in flight
    ("1 connection, 1 in flight", 1, 1, 1),
    ("64 connections, 1 in flight each", 64, 1, 1),
    ("16 connections, 64 single-claim frames", 16, 1, 64),
    ("16 connections, 4 frames of 64", 16, 64, 4),
    ("8 connections, 4 frames of 512", 8, 512, 4),
]
CLAIMS = 10_000_000


class Server:
    def __init__(self, binaries, folder, cores):
        self.command = [os.path.join(binaries, "stockade"), "serve", "--data", folder, "--listen", "127.0.0.1:0",
                        "--admin-listen", "127.0.0.1:0"]
        self.environment = dict(os.environ, STOCKADE_SERVER_CORES=str(cores), STOCKADE_LOG_LEVEL="warn")
        began = time.monotonic()
        self.process = subprocess.Popen(self.command, stdout=subprocess.PIPE, text=True, env=self.environment)
        self.lines = []
        for line in self.process.stdout:
            self.lines.append(line.strip())
            if line.startswith("listening on "):
                self.address = line.split()[2].rstrip(",")
                break
        self.ready_s = time.monotonic() - began

    def resident_bytes(self):
        with open(f"/proc/{self.process.pid}/status") as status:
            return int(re.search(r"VmRSS:\s+(\d+) kB", status.read()).group(1)) * 1024

    def cpu_seconds(self):
        with open(f"/proc/{self.process.pid}/stat") as stat:
            fields = stat.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def end(self, how=signal.SIGTERM):
        self.process.send_signal(how)
        self.process.wait()


def load(binaries, server, connections, claims_per_frame, window, *more):
    command = [os.path.join(binaries, "stockade-loadtest"), "run", "--server", server.address, "--closed", "--json",
               "--connections", str(connections), "--claims-per-frame", str(claims_per_frame), "--window", str(window),
               "--sample", "100000", *more]
    result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    report = json.loads(result.stdout)
    assert result.returncode == 0, f"the load test's verification failed: {report['verification']}"
    return report


def folder_bytes(folder):
    return sum(os.path.getsize(os.path.join(where, name)) for where, _, names in os.walk(folder) for name in names)


def rates(binaries, folder, cores):
    server = Server(binaries, folder, cores)
    for name, connections, claims_per_frame, window in STYLES:
        before = server.cpu_seconds()
        report = load(binaries, server, connections, claims_per_frame, window, "--duration", "3s", "--warm-up", "1s")
        latency, claims = report["latency_us"], sum(report["outcomes"].values())
        cpu_ns = (server.cpu_seconds() - before) / claims * 1e9
        print(f"{name:42} {report['claims_per_s']:12,.0f} claims/s   p50 {latency['p50']:8.0f} µs   "
              f"p99 {latency['p99']:8.0f} µs   server CPU {cpu_ns:6.0f} ns/claim", flush=True)
    server.end()


def sizes(binaries, folder, cores):
    server = Server(binaries, folder, cores)
    empty = server.resident_bytes()
    report = load(binaries, server, 8, 512, 4, "--duration", "600s", "--warm-up", "0s", "--claims", str(CLAIMS))
    granted = report["outcomes"]["GRANTED"]
    grown = server.resident_bytes() - empty
    stored = folder_bytes(os.path.join(folder, "rocksdb"))
    server.end(signal.SIGKILL)
    print(f"{granted:,} claims granted: {grown / granted:.1f} bytes of resident growth and {stored / granted:.1f} bytes "
          "on disk a claim", flush=True)
    server = Server(binaries, folder, cores)
    print(f"restart after kill -9: ready in {server.ready_s:.2f} s ({server.lines[1]})", flush=True)
    server.end()


def main():
    binaries = sys.argv[1]
    rows = sys.argv[2:] or ["rates", "sizes"]
    cores = int(os.environ.get("CORES", "1"))
    print(f"{time.strftime('%Y-%m-%d %H:%M')}, {os.cpu_count()} cores, server with {cores} network thread(s), fsync")
    for row in rows:
        base = tempfile.mkdtemp(prefix="stockade-figures-", dir=binaries)
        try:
            if row == "rates" and "CEILING" in os.environ:
                subprocess.run([os.environ["CEILING"], base], check=True)
            {"rates": rates, "sizes": sizes}[row](binaries, os.path.join(base, "data"), cores)
        finally:
            shutil.rmtree(base)


if __name__ == "__main__":
    main()
