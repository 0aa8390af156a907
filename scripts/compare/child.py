"""Child processes: a server that ends whatever happens, and commands with a time limit."""

import os
import shlex
import shutil
import signal
import socket
import subprocess
import time

from pace import own_s

READY_S = 60
STOP_S = 60


class Server:
    """Runs while the `with` block does. `ready` is asked until it says yes; `run_as` changes the user."""

    def __init__(self, command, log, ready, stop=signal.SIGTERM, environment=None, run_as=list):
        # The kernel ends it should this script be killed. A change of user would undo that, so it comes after.
        tether = ["setpriv", "--pdeathsig", "KILL"] if shutil.which("setpriv") else []
        self.command = run_as([*tether, *command])
        self.log, self.ready, self.stop, self.environment = log, ready, stop, environment
        self.process = None

    def __enter__(self):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            env=dict(os.environ, **(self.environment or {})), start_new_session=True)
        try:
            self._wait_until_ready()
        except BaseException:
            self._kill()
            raise
        return self

    def __exit__(self, *_):
        try:
            if self.process.poll() is None:
                self.process.send_signal(self.stop)
                self.process.wait(STOP_S)
        finally:
            self._kill()

    def said(self, text):
        """Whether the server's log has the text."""
        with open(self.log, errors="replace") as log:
            return text in log.read()

    def _wait_until_ready(self):
        deadline = time.monotonic() + READY_S
        while not self.ready():
            if self.process.poll() is not None or time.monotonic() > deadline:
                with open(self.log, errors="replace") as log:
                    raise RuntimeError(f"{' '.join(self.command)} did not start:\n{log.read()[-2000:]}")
            time.sleep(0.05)

    def _kill(self):
        """Whatever is left of it and its own children."""
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()


def run(command, environment=None, text=None, timeout_s=120):
    """Runs it to its end and returns what it printed; raises with its own words if it fails."""
    result = subprocess.run(command, input=text, stdin=None if text else subprocess.DEVNULL, stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, text=True, timeout=timeout_s,
                            env=dict(os.environ, **(environment or {})))
    if result.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}: exit status {result.returncode}\n"
                           f"{result.stdout[-1000:]}\n{result.stderr[-2000:]}")
    return result.stdout


def run_client(command, environment=None, timeout_s=120):
    """As `run`; returns its processor time in seconds as well."""
    before_s = own_s()
    output = run(command, environment, timeout_s=timeout_s)
    return output, own_s() - before_s


def succeeds(command, environment=None):
    quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    return subprocess.run(command, env=dict(os.environ, **(environment or {})), **quiet).returncode == 0


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def shown(command, **secrets):
    """The command as a reader may type it: no folders of this machine, names for what changes from run to run."""
    text = shlex.join([os.path.basename(command[0]), *command[1:]])
    for name, value in sorted(secrets.items(), key=lambda item: -len(str(item[1]))):
        text = text.replace(str(value), name)
    return text
