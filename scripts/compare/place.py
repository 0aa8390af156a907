"""Where the comparison writes, and as whom the peers run."""

import os
import shutil
import stat
import tempfile

from package import Missing

# Root may not run PostgreSQL, and should not run the others.
OTHER_USER, OTHER_GROUP = "nobody", "nogroup"


class Place:
    """A temporary folder on the disk that holds the build folder. Remove it with `remove`."""

    def __init__(self, binaries):
        base = binaries
        if os.geteuid() == 0 and not _reachable(base) and _same_disk(base, "/var/tmp"):
            base = "/var/tmp"
        self.shared = os.geteuid() != 0 or _reachable(base)
        self.path = tempfile.mkdtemp(prefix="stockade-compare-", dir=base)
        os.chmod(self.path, 0o755)

    def folder(self, name):
        """An empty folder in it that the peers' user owns."""
        path = os.path.join(self.path, name)
        shutil.rmtree(path, ignore_errors=True)
        os.mkdir(path, 0o700)
        if os.geteuid() == 0:
            shutil.chown(path, OTHER_USER, OTHER_GROUP)
        return path

    def as_peer(self, command):
        """The command, run by a user who is not root."""
        if os.geteuid() != 0:
            return command
        if not self.shared or not shutil.which("setpriv"):
            raise Missing("root needs setpriv and a build folder that other users can reach; run it as another user")
        return ["setpriv", "--reuid", OTHER_USER, "--regid", OTHER_GROUP, "--clear-groups", *command]

    def secret(self, name, text):
        """A file that only the peers' user can read."""
        path = os.path.join(self.path, name)
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(text)
        if os.geteuid() == 0:
            shutil.chown(path, OTHER_USER, OTHER_GROUP)
        return path

    def filesystem(self):
        """Type and device of the file system."""
        with open("/proc/mounts") as mounts:
            entries = [line.split()[:3] for line in mounts]
        inside = [entry for entry in entries if os.path.commonpath([entry[1], self.path]) == entry[1]]
        device, _, kind = max(inside, key=lambda entry: len(entry[1]))
        return f"{kind} on {device}"

    def remove(self):
        shutil.rmtree(self.path, ignore_errors=True)


def _reachable(path):
    """Whether every user can enter it."""
    while path != "/":
        if not os.stat(path).st_mode & stat.S_IXOTH:
            return False
        path = os.path.dirname(path)
    return True


def _same_disk(one, other):
    return os.path.isdir(other) and os.stat(one).st_dev == os.stat(other).st_dev
