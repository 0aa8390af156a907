"""The machine, its disk and the state of the sources, as the page names them."""

import os
import platform
import re
import subprocess
import time


def facts(place, sources):
    """Name and value, in the order of the page."""
    return {
        "date": time.strftime("%Y-%m-%d %H:%M %Z"),
        "machine": f"{_processor()}, {os.cpu_count()} cores, {_memory_gib():.0f} GiB{_virtual()}",
        "system": f"{_distribution()}, Linux {platform.release()}",
        "disk": place.filesystem(),
        "load before": f"{os.getloadavg()[0]:.2f} processes on average over one minute",
        "commit of these scripts": _commit(sources),
    }


def _processor():
    return _processor_field("model name") or platform.machine()


def _virtual():
    return ", a virtual machine" if "hypervisor" in (_processor_field("flags") or "").split() else ""


def _processor_field(name):
    with open("/proc/cpuinfo") as cpuinfo:
        found = re.search(rf"^{name}\s*: (.*)$", cpuinfo.read(), re.MULTILINE)
    return found.group(1) if found else None


def _memory_gib():
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30


def _distribution():
    return platform.freedesktop_os_release().get("PRETTY_NAME", "unknown distribution")


def _commit(sources):
    def git(*words):
        result = subprocess.run(["git", "-C", sources, *words], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                                text=True)
        return result.stdout.strip() if result.returncode == 0 else ""
    changed = " and changes not yet committed" if git("status", "--porcelain", "--", "scripts/compare") else ""
    return (git("rev-parse", "--short=12", "HEAD") or "unknown") + changed
