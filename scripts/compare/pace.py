"""The pace of a machine and a disk that others use too: known for each row, and kept level where that is possible."""

import os
import resource
import time
from dataclasses import dataclass

import disk

START_PROBES = 10
# A sync that takes this many times that of the start makes a row unsteady.
SLOWER_MAX = 2
# So does this share of all processor time, used by processes that are not part of the comparison. The kernel's own
# threads count among them, and writing the disk's journal takes some.
OTHERS_SHARE_MAX = 0.2
# How long a row waits for the machine, and how long all of a run's rows do.
ROW_WAIT_S_MAX, WAIT_S_MAX = 15, 120
# How often one row is measured, and how often all together are measured again.
TRIES_MAX, REPEATS_MAX = 3, 12


@dataclass
class Surroundings:
    """What a row met."""
    fdatasync_before_us: float
    fdatasync_after_us: float
    others_share: float  # of the machine's processor time
    is_steady: bool

    def fdatasync_us(self):
        return (self.fdatasync_before_us + self.fdatasync_after_us) / 2


class Pace:
    """Each row starts when disk and processors are about as free as at the start, and is repeated if they did not stay
    so. Looks at the surroundings alone, never at a row's result, so that it favours none. Its patience has bounds."""

    def __init__(self, folder):
        self.folder = folder
        self.start_us = min(disk.fdatasync_us(folder) for _ in range(START_PROBES))
        self.wait_s, self.repeats = WAIT_S_MAX, REPEATS_MAX

    def measure(self, measure_row):
        """Calls it with the time of a sync until the surroundings were steady. What it returned, and they."""
        for left in reversed(range(TRIES_MAX)):
            before_us = self._settled_us()
            processors = Processors()
            outcome = measure_row(before_us)
            others_share = processors.others_share()
            after_us = disk.fdatasync_us(self.folder)
            is_steady = max(before_us, after_us) <= SLOWER_MAX * self.start_us and others_share <= OTHERS_SHARE_MAX
            if is_steady or left == 0 or self.repeats == 0:
                return outcome, Surroundings(before_us, after_us, others_share, is_steady)
            print(f"    again: fdatasync took {before_us:.0f} µs before and {after_us:.0f} µs after, others used "
                  f"{others_share:.0%} of the processors", flush=True)
            self.repeats -= 1

    def _settled_us(self):
        began = time.monotonic()
        waits_s = min(ROW_WAIT_S_MAX, self.wait_s)
        while True:
            processors = Processors()
            probe_us = disk.fdatasync_us(self.folder)
            is_settled = probe_us <= SLOWER_MAX * self.start_us and processors.others_share() <= OTHERS_SHARE_MAX
            if is_settled or time.monotonic() - began >= waits_s:
                self.wait_s -= min(self.wait_s, time.monotonic() - began)
                return probe_us


class Processors:
    """Use of the machine's processors from here on."""

    def __init__(self):
        self.all_s, self.busy_s, self.stolen_s = _machine_s()
        self.own_s = own_s()

    def others_share(self):
        """Of all processor time, what neither this process nor children that have ended used."""
        all_s, busy_s, _ = _machine_s()
        others_s = busy_s - self.busy_s - (own_s() - self.own_s)
        return max(0.0, others_s / (all_s - self.all_s))

    def stolen_share(self):
        """What the host of a virtual machine gave to others."""
        all_s, _, stolen_s = _machine_s()
        return (stolen_s - self.stolen_s) / (all_s - self.all_s)


def own_s():
    """Processor time of this process and of its children that have ended."""
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def _machine_s():
    """All processor time since the machine started, the busy part of it, and the stolen part."""
    with open("/proc/stat") as stat:
        user, nice, system, idle, waiting, irq, soft_irq, stolen = (
            int(field) / os.sysconf("SC_CLK_TCK") for field in stat.readline().split()[1:9])
    busy = user + nice + system + irq + soft_irq
    return busy + idle + waiting + stolen, busy, stolen
