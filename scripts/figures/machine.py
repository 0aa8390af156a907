"""What disturbs measurements on a machine, besides other programs."""

import os


def disturbances(folder):
    """Of those that docs/performance.md explains, the ones that are on."""
    found = []
    for number in listing("/sys/kernel/mm/damon/admin/kdamonds"):
        if content(f"/sys/kernel/mm/damon/admin/kdamonds/{number}/state") == "on":
            found.append(f"the kernel watches which memory is used (kdamond {number})")
    order = content("/sys/module/page_reporting/parameters/page_reporting_order")
    if order.isdigit() and int(order) < 11:
        found.append(f"free memory goes back to the host (page_reporting_order {order})")
    if "discard" in mount_options(folder):
        found.append("deleted files stop the disk (mounted discard)")
    return found


def mount_options(folder):
    """Of the file system that `folder` is on."""
    device = os.stat(folder).st_dev
    options = []
    for line in content("/proc/mounts").splitlines():
        _, point, _, words = line.split()[:4]
        if os.path.exists(point) and os.stat(point).st_dev == device:
            options = words.split(",")
    return options


def listing(folder):
    return [name for name in sorted(os.listdir(folder)) if name.isdigit()] if os.path.isdir(folder) else []


def content(path):
    try:
        with open(path) as file:
            return file.read().strip()
    except OSError:
        return ""
