"""The floor: what one writer gets from the disk, with no server, no network and no logic."""

from disk import RECORD_BYTES, appends, percentile
from row import Outcome, Row

STYLES = [
    # section, name, records a group
    ("one", f"append of {RECORD_BYTES} bytes + fdatasync", 1),
    ("batch", f"append of 1,024 × {RECORD_BYTES} bytes + fdatasync", 1024),
]


class Floor:
    system = "Disk alone"

    def __init__(self, place):
        self.place = place

    def rows(self):
        for section, name, records in STYLES:
            yield Row("floor", section, "floor", name, {"records": records})

    def measure(self, row, seconds, _fdatasync_us):
        records = row.options["records"]
        times = appends(self.place.path, records * RECORD_BYTES, seconds)
        rate = records * len(times) / (sum(times) / 1e6)
        return Outcome(rate, percentile(times, 0.5), percentile(times, 0.99))
