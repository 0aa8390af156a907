"""MariaDB: one function a claim, driven by sysbench with prepared statements."""

import os
import re
import secrets

import child
import package
from row import Audit, Outcome, Row

SETTINGS = [
    "--innodb-flush-log-at-trx-commit=1", "--skip-log-bin", "--innodb-doublewrite=1",
    # Memory for more than the data, and no checkpoint that the log's size forces.
    "--innodb-buffer-pool-size=1G", "--innodb-log-file-size=2G",
    # No search for deadlocks among those who wait for the hot row, and no locks on gaps.
    "--innodb-deadlock-detect=OFF", "--transaction-isolation=READ-COMMITTED",
    # For many connections with short statements.
    "--thread-handling=pool-of-threads",
    "--max-connections=200", "--skip-name-resolve", "--bind-address=127.0.0.1",
]
STYLES = [
    # section, name, clients, claims a transaction
    ("one", "one stock row", 1, 1),
    ("eight", "one stock row", 8, 1),
    ("crowd", "one stock row", 64, 1),
    ("batch", "8 connections, 64 claims a transaction", 8, 64),
]
STOCK = 4_000_000_000
WARM_UP_S = 1
USER = "stockade"


class MariaDb:
    def __init__(self, place, claims):
        self.place, self.claims, self.data = place, claims, None
        self.password = secrets.token_hex(16)
        names = ["mariadbd", "mariadb-install-db", "mariadb", "sysbench"]
        # The package with the server's programs alone has no service to start.
        self.programs = package.programs(names, ["mariadb-server-core", "mariadb-client", "sysbench"])
        self.system = "MariaDB " + re.search(r"Ver ([\d.]+)", package.version(self.programs["mariadbd"])).group(1)

    def rows(self):
        for section, name, clients, claims in STYLES:
            yield Row("mariadb", section, "power", name, {"clients": clients, "claims": claims})

    def measure(self, row, seconds, _fdatasync_us):
        self._initialize()
        port = child.free_port()
        command = [self.programs["mariadbd"], "--no-defaults", f"--datadir={self.data}", f"--port={port}",
                   "--socket=mariadb.sock", "--pid-file=mariadb.pid", f"--init-file={self.init_file}", *SETTINGS]
        client = [self.programs["mariadb"], "--no-defaults", "-h127.0.0.1", f"-P{port}", f"-u{USER}"]
        environment = {"MYSQL_PWD": self.password}

        def ask(text, *words):
            return child.run([*client, "--batch", "--skip-column-names", *words], environment, text).strip()

        log = os.path.join(self.place.path, "mariadb.log")
        with child.Server(command, log, lambda: child.succeeds([*client, "-e", "SELECT 1"], environment),
                          run_as=self.place.as_peer):
            ask(f"DROP DATABASE {USER}; CREATE DATABASE {USER};")
            with open(os.path.join(self.claims, "mariadb.sql")) as schema:
                ask(schema.read(), USER)
            ask(f"INSERT INTO stock (batch, total) VALUES (1, {STOCK});", USER)
            transactions, tps, p50_us, p99_us, client_us, shown = self._load(row, seconds, port)
            claims = row.options["claims"]
            return Outcome(tps * claims, p50_us, p99_us, client_us / claims, _audit(ask, transactions * claims),
                           child.shown(command, DIR=self.data, PORT=port, INIT=self.init_file), shown)

    def _initialize(self):
        if self.data is not None:
            return
        home = self.place.folder("mariadb")
        data = os.path.join(home, "data")
        child.run(self.place.as_peer([self.programs["mariadb-install-db"], "--no-defaults", f"--datadir={data}",
                                      "--skip-test-db", "--auth-root-authentication-method=socket"]))
        # A user who may do nothing outside the one database.
        self.init_file = self.place.secret("mariadb-init.sql", f"""
            CREATE DATABASE IF NOT EXISTS {USER};
            CREATE OR REPLACE USER {USER}@'127.0.0.1' IDENTIFIED BY '{self.password}';
            GRANT ALL ON {USER}.* TO {USER}@'127.0.0.1';
        """)
        self.data = data

    def _load(self, row, seconds, port):
        """Warms up and measures. All transactions made, transactions/s, p50 and p99 in µs, the client's processor time
        in µs for one, the command."""
        script = os.path.join(self.claims, "sysbench.lua")
        sysbench = [self.programs["sysbench"], script, "--db-driver=mysql", "--mysql-host=127.0.0.1",
                    f"--mysql-port={port}", f"--mysql-user={USER}", f"--mysql-password={self.password}",
                    f"--mysql-db={USER}", f"--threads={row.options['clients']}", f"--claims={row.options['claims']}",
                    "--histogram=on"]
        warm_up = child.run([*sysbench, f"--time={WARM_UP_S}", "run"])
        measuring = [*sysbench, f"--time={seconds}", "run"]
        measured, client_s = child.run_client(measuring, timeout_s=60 + 2 * seconds)
        tps = float(re.search(r"transactions:\s+\d+\s+\(([\d.]+) per sec", measured).group(1))
        return (_transactions(warm_up) + _transactions(measured), tps, _percentile_us(measured, 0.5),
                _percentile_us(measured, 0.99), client_s / _transactions(measured) * 1e6,
                child.shown(measuring, PORT=port, PASSWORD=self.password, **{"": self.claims + os.sep}))


def _transactions(output):
    if int(re.search(r"ignored errors:\s+(\d+)", output).group(1)) != 0:
        raise RuntimeError(f"sysbench ignored errors:\n{output}")
    return int(re.search(r"transactions:\s+(\d+)", output).group(1))


def _percentile_us(output, share):
    """From the lines of sysbench's histogram, such as `    0.562 |****    71`."""
    lines = re.findall(r"^\s*([\d.]+) \|\**\s+(\d+)$", output, re.MULTILINE)
    histogram = [(float(ms), int(count)) for ms, count in lines]
    wanted = sum(count for _, count in histogram) * share
    for ms, count in histogram:
        wanted -= count
        if wanted <= 0:
            return ms * 1000
    raise RuntimeError(f"sysbench printed no histogram:\n{output}")


def _audit(ask, answered):
    counts = ask("SELECT count(DISTINCT user), count(*), count(DISTINCT serial) FROM claims;"
                 "SELECT granted FROM stock;", USER).split()
    users, rows, serials, decrease = (int(count) for count in counts)
    if serials != rows:
        raise RuntimeError(f"MariaDB has {rows} claims with {serials} serials")
    return Audit(answered, users, decrease, rows)
