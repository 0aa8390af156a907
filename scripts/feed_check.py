#!/usr/bin/env python3
"""The feed beside a real PostgreSQL: examples/feed_to_postgres.py, and the server, are killed at random while a crowd
claims; at the end the table must hold exactly the coupons that the server holds.

    python3 scripts/feed_check.py FOLDER_OF_BINARIES [ROUNDS] [SEED]

Needs PostgreSQL's programs (Debian: postgresql); starts a cluster of its own in a temporary folder.
"""

import glob
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
ADDRESS, BATCHES = "127.0.0.1:7480", (1, 2)


class Cluster:
    """A PostgreSQL of our own, on a socket in its folder. Root may not run it: then the user postgres does."""

    def __init__(self, folder):
        found = sorted(glob.glob("/usr/lib/postgresql/*/bin"))
        programs = found[-1] if found else os.path.dirname(shutil.which("initdb") or "")
        if not programs:
            sys.exit("PostgreSQL is not here: apt-get install postgresql")
        self.folder = os.path.join(folder, "postgres")
        os.mkdir(self.folder)
        self.prefix = []
        if os.geteuid() == 0:
            shutil.chown(self.folder, "postgres")
            os.chmod(folder, 0o755)
            self.prefix = ["runuser", "-u", "postgres", "--"]
        data = os.path.join(self.folder, "data")
        self.run([f"{programs}/initdb", "-D", data, "-A", "trust", "-U", "check", "--no-instructions"])
        options = f"-c listen_addresses='' -c unix_socket_directories={self.folder} -c port=5480"
        self.control = [f"{programs}/pg_ctl", "-D", data, "-w", "-l", os.path.join(self.folder, "log")]
        self.run([*self.control, "-o", options, "start"])
        self.conninfo = f"host={self.folder} port=5480 user=check dbname=postgres"

    def run(self, command):
        subprocess.run(self.prefix + command, check=True, stdout=subprocess.DEVNULL)

    def stop(self):
        self.run([*self.control, "-m", "immediate", "stop"])

    def rows(self, sql):
        command = ["psql", "-X", "-q", "-A", "-t", self.conninfo, "-c", sql]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()


class Check:
    def __init__(self, binaries, seed):
        self.stockade = os.path.join(binaries, "stockade")
        self.random = random.Random(seed)
        self.environment = {**os.environ, "STOCKADE_SERVER": ADDRESS}

    def cli(self, *words):
        command = [self.stockade, "--json", "--timeout", "30s", *words]
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True)
        return done.returncode, done.stdout

    def serve(self, data):
        listen = ["--listen", ADDRESS, "--admin-listen", "127.0.0.1:0"]
        server = subprocess.Popen([self.stockade, "serve", "--data", data, *listen], stdout=subprocess.PIPE, text=True)
        for line in server.stdout:
            if line.startswith("listening"):
                return server
        sys.exit("the server does not start")

    def consume(self, cluster):
        script = os.path.join(ROOT, "examples", "feed_to_postgres.py")
        return subprocess.Popen([sys.executable, script, ADDRESS, "shop", cluster.conninfo], stderr=subprocess.DEVNULL)

    def trade(self, user):
        """A little of everything that changes a coupon."""
        batch = str(self.random.choice(BATCHES))
        request = str(self.random.randrange(1 << 60))
        if self.random.random() < 0.5:
            status, text = self.cli("claim", batch, "--user", str(user), "--request", request, "--quantity", "2")
            if status == 0 and self.random.random() < 0.5:
                serial = str(json.loads(text)["serials"][0])
                for action in self.random.choice((["lock", "redeem"], ["lock", "unlock"], ["return"], ["void"])):
                    order = ["--order", "7"] if action not in ("return", "void") else []
                    self.cli("coupon", action, batch, serial, "--user", str(user), *order)
        else:
            self.cli("reserve", batch, "--user", str(user), "--request", request, "--ttl", "60s")
            self.cli(self.random.choice(("confirm", "cancel")), batch, "--user", str(user), "--request", request)

    def held(self):
        """What the server holds: batch, serial and state of every unit that was taken."""
        found = set()
        for batch in BATCHES:
            status, text = self.cli("coupon", "list", str(batch))
            assert status == 0, text
            found |= {f"{batch}|{coupon['serial']}|{coupon['state']}" for coupon in json.loads(text)}
        return found


def main(binaries, rounds=20, seed=None):
    seed = seed or random.randrange(1 << 32)
    print(f"seed {seed}")
    check = Check(binaries, seed)
    with tempfile.TemporaryDirectory() as folder:
        cluster = Cluster(folder)
        data = os.path.join(folder, "data")
        server, consumer = check.serve(data), None
        try:
            for batch in BATCHES:
                check.cli("batch", "create", str(batch), "--stock", "400", "--per-user", "unlimited")
            kills = {"consumer": 0, "server": 0}
            for turn in range(rounds):
                consumer = consumer or check.consume(cluster)
                for user in range(8):
                    check.trade(user)
                time.sleep(check.random.random() * 0.3)
                consumer.send_signal(signal.SIGKILL)
                consumer.wait()
                consumer, kills["consumer"] = None, kills["consumer"] + 1
                if check.random.random() < 0.3:
                    server.kill()
                    server.wait()
                    server, kills["server"] = check.serve(data), kills["server"] + 1
            consumer = check.consume(cluster)
            held = check.held()
            for _ in range(600):
                stored = set(cluster.rows("select batch || '|' || serial || '|' || state from coupon"))
                if stored == held:
                    break
                time.sleep(0.1)
            missing, extra = sorted(held - stored), sorted(stored - held)
            print(f"{kills['consumer']} kills of the consumer, {kills['server']} of the server, {len(held)} units")
            if missing or extra:
                sys.exit(f"DIFFERENT: the table lacks {missing[:5]} and has {extra[:5]}")
            print("the table holds exactly what the server holds")
        finally:
            for process in filter(None, (consumer, server)):
                process.kill()
            cluster.stop()


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    main(sys.argv[1], *map(int, sys.argv[2:]))
