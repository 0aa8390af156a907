"""A server of one row, and the load on it."""

import json
import mmap
import os
import re
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "..", "tests"))
import handwritten_client as wire


class Server:
    """Without the index for readers, unless the row is about it or the environment says otherwise."""

    running = []

    def __init__(self, binaries, folder, cores, index=None):
        self.command = [os.path.join(binaries, "stockade"), "serve", "--data", folder, "--listen", "127.0.0.1:0",
                        "--admin-listen", "127.0.0.1:0"]
        self.environment = dict(os.environ, STOCKADE_SERVER_CORES=str(cores), STOCKADE_LOG_LEVEL="warn")
        if index is not None:
            self.environment["STOCKADE_READING_INDEX"] = index
        self.environment.setdefault("STOCKADE_READING_INDEX", "false")
        began = time.monotonic()
        self.process = subprocess.Popen(self.command, stdout=subprocess.PIPE, text=True, env=self.environment)
        Server.running.append(self)
        self.lines = []
        for line in self.process.stdout:
            self.lines.append(line.strip())
            if line.startswith("listening on "):
                self.address = line.split()[2].rstrip(",")
                self.admin = self.lines[-2].split("//")[-1]
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
        Server.running.remove(self)
        self.process.send_signal(how)
        self.process.wait()


def load(binaries, server, connections, claims_per_frame, window, *more):
    command = [os.path.join(binaries, "stockade-loadtest"), "run", "--server", server.address, "--closed", "--json",
               "--connections", str(connections), "--claims-per-frame", str(claims_per_frame), "--window", str(window),
               "--sample", "100000", *more]
    result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert result.stdout, f"the load test did not run: {result.stderr}"
    report = json.loads(result.stdout)
    assert result.returncode == 0, f"the load test's verification failed: {report['verification']}"
    return report


def warm_memory():
    """Touches free memory once, all but 4 GiB. A virtual machine gets memory from its host when it is touched for the
    first time, and may give it back while it is free: here a page then costs five times what it costs otherwise."""
    with open("/proc/meminfo") as meminfo:
        available = int(re.search(r"MemAvailable:\s+(\d+) kB", meminfo.read()).group(1)) * 1024
    size = available - (4 << 30)
    if size > 0:
        flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | mmap.MAP_POPULATE
        mmap.mmap(-1, size, flags=flags).close()


def folder_bytes(folder):
    return sum(os.path.getsize(os.path.join(where, name)) for where, _, names in os.walk(folder) for name in names)


def connect(address):
    """A connection of the client that was written from the specification alone."""
    host, port = address.rsplit(":", 1)
    connection = wire.Connection((host, int(port)))
    connection.ask(wire.OP_HELLO, [wire.HELLO.pack(bytes(8), b"figures", b"")])
    return connection
