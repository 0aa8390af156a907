"""Programs of the peers: found, or installed from the distribution's packages where that needs no password."""

import glob
import os
import shutil
import subprocess

# Beside PATH: where Debian keeps PostgreSQL's programs, and servers for ordinary users.
FOLDERS = ["/usr/lib/postgresql/*/bin", "/usr/sbin"]

# Debian starts a service as soon as it is installed, unless this program says no (101). The comparison starts its own.
INSTALL = r"""
policy=/usr/sbin/policy-rc.d
if [ ! -e $policy ]; then
    trap 'rm -f $policy' EXIT
    printf '#!/bin/sh\nexit 101\n' >$policy && chmod 755 $policy
fi
apt-get -qq update || true
apt-get -qq install -y --no-install-recommends -o DPkg::Lock::Timeout=120 "$@"
"""


class Missing(Exception):
    """A peer cannot run here; the text says what to do."""


def programs(names, packages, services=()):
    """Returns the path of each program by its name. What is missing is installed."""
    found = {name: _find(name) for name in names}
    if not all(found.values()):
        _install(packages, services)
        found = {name: _find(name) for name in names}
    lacking = [name for name, path in found.items() if not path]
    if lacking:
        raise Missing(f"{', '.join(packages)} installed, but {', '.join(lacking)} not found")
    return found


def version(program, *arguments):
    """The first line of what the program says about its version."""
    result = subprocess.run([program, *(arguments or ["--version"])], stdout=subprocess.PIPE, text=True, check=True)
    return result.stdout.splitlines()[0]


def _find(name):
    path = shutil.which(name)
    if path:
        return os.path.realpath(path) if name == "postgres" else path
    found = [path for folder in FOLDERS for path in glob.glob(os.path.join(folder, name))]
    # The newest version of several.
    return max(found, key=lambda path: [int(part) if part.isdigit() else 0 for part in path.split("/")], default=None)


def _install(packages, services):
    by_hand = f"as root: apt-get install {' '.join(packages)}"
    rights = _rights()
    if rights is None:
        raise Missing(f"not installed; {by_hand}")
    print(f"installing {' '.join(packages)} with apt-get", flush=True)
    command = [*rights, "env", "DEBIAN_FRONTEND=noninteractive", "sh", "-c", INSTALL, "sh", *packages]
    result = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                            text=True)
    if result.returncode != 0:
        print(result.stdout, flush=True)
        raise Missing(f"apt-get could not install it; {by_hand}")
    # Nor shall they start with the machine: nobody asked for that.
    for service in services if shutil.which("systemctl") else ():
        disable = [*rights, "systemctl", "-q", "disable", service]
        subprocess.run(disable, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def _rights():
    """What to put before a command that needs root: nothing for root; None if there is no way without a password."""
    if not shutil.which("apt-get"):
        return None
    if os.geteuid() == 0:
        return []
    if shutil.which("sudo") and subprocess.run(["sudo", "-n", "true"], stderr=subprocess.DEVNULL).returncode == 0:
        return ["sudo", "-n"]
    return None
