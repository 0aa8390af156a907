"""The disk alone: how long an append and its fdatasync take."""

import os
import time

RECORD_BYTES = 16
PROBE_S = 0.3


def appends(folder, record_bytes, seconds):
    """Appends and syncs, one after the other, to a new file; returns the sorted times in µs."""
    path = os.path.join(folder, "disk-probe")
    record = b"x" * record_bytes
    times = []
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            began = time.perf_counter()
            os.write(file, record)
            os.fdatasync(file)
            times.append((time.perf_counter() - began) * 1e6)
    finally:
        os.close(file)
        os.unlink(path)
    return sorted(times)


def percentile(ordered, share):
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def fdatasync_us(folder):
    return percentile(appends(folder, RECORD_BYTES, PROBE_S), 0.5)
