"""PostgreSQL: one function a claim, driven by pgbench with prepared statements."""

import glob
import os
import re
import secrets
import signal

import child
import package
from disk import percentile
from row import Audit, Outcome, Row

SETTINGS = {
    "fsync": "on", "synchronous_commit": "on", "full_page_writes": "on",
    # Memory for more than the data, and no checkpoint while it is measured.
    "shared_buffers": "1GB", "max_wal_size": "8GB", "checkpoint_timeout": "30min",
    # No more in the log than this machine's own recovery needs.
    "wal_level": "minimal", "max_wal_senders": "0",
    "max_connections": "100", "listen_addresses": "127.0.0.1", "unix_socket_directories": "",
}
HOT, UNITS, MANY = "pgbench_one.sql", "pgbench_unit.sql", "pgbench_many.sql"
STYLES = [
    # section, name, clients, script, claims a transaction, with commit_delay
    ("one", "one stock row", 1, HOT, 1, False),
    ("eight", "one stock row", 8, HOT, 1, False),
    ("crowd", "one stock row", 64, HOT, 1, False),
    ("crowd", "one stock row, commit_delay", 64, HOT, 1, True),
    ("crowd", "a row per unit, commit_delay", 64, UNITS, 1, True),
    ("batch", "8 connections, 64 claims a transaction", 8, MANY, 64, False),
]
STOCK = 4_000_000_000
# Rows of the table of units: more than can be claimed while it is measured.
UNIT_ROWS_PER_S = 20_000
UNIT_ROWS_MIN = 100_000
WARM_UP_S = 1
USER = "stockade"


class Postgres:
    def __init__(self, place, claims):
        self.place, self.claims, self.data = place, claims, None
        self.password = secrets.token_hex(16)
        names = ["postgres", "initdb", "psql", "pg_isready", "pgbench"]
        self.programs = package.programs(names, ["postgresql", "postgresql-contrib"], ["postgresql"])
        server = self.programs["postgres"]
        for name in names:
            # The client of the server's own version, where it is there.
            beside = os.path.join(os.path.dirname(server), name)
            self.programs[name] = beside if os.path.exists(beside) else self.programs[name]
        self.system = "PostgreSQL " + package.version(server).split()[2]

    def rows(self):
        for section, name, clients, script, claims, delay in STYLES:
            yield Row("postgres", section, "power", name,
                      {"clients": clients, "script": script, "claims": claims, "delay": delay})

    def measure(self, row, seconds, fdatasync_us):
        self._initialize()
        port = child.free_port()
        settings = [word for name, value in SETTINGS.items() for word in ("-c", f"{name}={value}")]
        command = [self.programs["postgres"], "-D", self.data, "-p", str(port), *settings]
        environment = {"PGHOST": "127.0.0.1", "PGPORT": str(port), "PGUSER": USER, "PGPASSWORD": self.password,
                       "PGDATABASE": USER}

        def ask(*words, database=USER):
            return child.run([self.programs["psql"], "-XqAt", "-v", "ON_ERROR_STOP=1", *words],
                             dict(environment, PGDATABASE=database)).strip()

        log = os.path.join(self.place.path, "postgres.log")
        ready = [self.programs["pg_isready"], "-q"]
        with child.Server(command, log, lambda: child.succeeds(ready, environment), signal.SIGINT,
                          run_as=self.place.as_peer):
            ask("-c", f"DROP DATABASE IF EXISTS {USER}", "-c", f"CREATE DATABASE {USER}", database="postgres")
            self._create_stock(ask, row, seconds)
            if row.options["delay"]:
                # "Half of the average time … a single 8kB write operation" takes, says its documentation.
                environment["PGOPTIONS"] = f"-c commit_delay={int(fdatasync_us / 2)}"
            transactions, tps, times, client_us, client = self._load(row, seconds, environment)
            if "PGOPTIONS" in environment:
                client = f"PGOPTIONS='{environment['PGOPTIONS']}' {client}"
            claims = row.options["claims"]
            return Outcome(tps * claims, percentile(times, 0.5), percentile(times, 0.99),
                           client_us / claims, _audit(ask, row, transactions * claims),
                           child.shown(command, DIR=self.data, PORT=port), client)

    def _initialize(self):
        if self.data is not None:
            return
        home = self.place.folder("postgres")
        secret = self.place.secret("postgres-password", self.password)
        data = os.path.join(home, "data")
        child.run(self.place.as_peer([self.programs["initdb"], "-D", data, "-U", USER, "-A", "scram-sha-256",
                                      f"--pwfile={secret}", "-E", "UTF8", "--no-locale"]))
        self.data = data

    def _create_stock(self, ask, row, seconds):
        schema = "postgres_units.sql" if row.options["script"] == UNITS else "postgres.sql"
        ask("-f", os.path.join(self.claims, schema))
        if row.options["script"] == UNITS:
            row.options["units"] = max(UNIT_ROWS_MIN, int(UNIT_ROWS_PER_S * (seconds + WARM_UP_S)))
            last = row.options["units"] - 1
            ask("-c", f"INSERT INTO units SELECT 1, serial FROM generate_series(0, {last}) AS serial")
        else:
            ask("-c", f"INSERT INTO stock (batch, total) VALUES (1, {STOCK})")
        ask("-c", "VACUUM ANALYZE", "-c", "CHECKPOINT")

    def _load(self, row, seconds, environment):
        """Warms up and measures. All transactions made, transactions/s, sorted latencies in µs, the client's processor
        time in µs for one, the command."""
        clients = row.options["clients"]
        pgbench = [self.programs["pgbench"], "-n", "-M", "prepared", "-c", str(clients), "-j", str(min(clients, 2)),
                   "-f", os.path.join(self.claims, row.options["script"])]
        warm_up = child.run([*pgbench, "-T", str(WARM_UP_S)], environment)
        for old in glob.glob(os.path.join(self.place.path, "pgbench.*")):
            os.unlink(old)
        prefix = os.path.join(self.place.path, "pgbench")
        measuring = [*pgbench, "-T", str(seconds), "--log", f"--log-prefix={prefix}"]
        measured, client_s = child.run_client(measuring, environment, timeout_s=60 + 2 * seconds)
        times = []
        for path in glob.glob(os.path.join(self.place.path, "pgbench.*")):
            with open(path) as log:
                times += [float(line.split()[2]) for line in log]
        tps = float(re.search(r"^tps = ([\d.]+)", measured, re.MULTILINE).group(1))
        shown = child.shown(measuring, **{"": self.claims + os.sep, "DIR": self.place.path})
        made = _transactions(measured)
        return _transactions(warm_up) + made, tps, sorted(times), client_s / made * 1e6, shown


def _transactions(output):
    failed = re.search(r"number of failed transactions: (\d+)", output)
    if failed and int(failed.group(1)) != 0:
        raise RuntimeError(f"pgbench's transactions failed:\n{output}")
    return int(re.search(r"number of transactions actually processed: (\d+)", output).group(1))


def _audit(ask, row, answered):
    if row.options["script"] == UNITS:
        recorded = "SELECT count(DISTINCT buyer), count(*), count(DISTINCT serial) FROM units WHERE buyer IS NOT NULL"
        decrease = f"SELECT {row.options['units']} - count(*) FROM units WHERE buyer IS NULL"
    else:
        recorded = "SELECT count(DISTINCT buyer), count(*), count(DISTINCT serial) FROM claims"
        decrease = "SELECT granted FROM stock"
    users, rows, serials = (int(count) for count in ask("-c", recorded).split("|"))
    if serials != rows:
        raise RuntimeError(f"PostgreSQL has {rows} claims with {serials} serials")
    return Audit(answered, users, int(ask("-c", decrease)), rows)
