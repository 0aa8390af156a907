"""Measures the tables of docs/performance.md:   python3 scripts/figures BIN_FOLDER [ROW …]

Of claims: rates, loads, open, batches, sizes, cores, million, turnover, steady (five minutes), writes, syncs. Of the
rest of a coupon's life: operations, wallets, lag, expiry. All of them without one. CLAIMS=100000000 for larger sizes,
TURNOVER=9600 for longer short batches.

Starts its own servers on a temporary folder of the disk that holds the build folder, loads them with
stockade-loadtest on the same machine, and prints one line a row. Rows of claims run without the index for readers, or
with it where the environment has STOCKADE_READING_INDEX=true. Set CEILING to the path of a yardstick's run.sh to run
that in the same minute; its lines are printed as they are. Standard library only.
"""

import sys

sys.dont_write_bytecode = True

import os
import shutil
import signal
import subprocess
import tempfile
import time

import claims
import coupons
from machine import disturbances
from server import Server, warm_memory

ROWS = claims.ROWS | coupons.ROWS


def main():
    binaries = sys.argv[1]
    rows = sys.argv[2:] or list(ROWS)
    cores = int(os.environ.get("CORES", "1"))
    print(f"{time.strftime('%Y-%m-%d %H:%M')}, {os.cpu_count()} cores, server with {cores} network thread(s), fsync")
    for disturbance in disturbances(binaries):
        print(f"disturbing: {disturbance}")
    for row in rows:
        warm_memory()
        base = tempfile.mkdtemp(prefix="stockade-figures-", dir=binaries)
        try:
            if row == "rates" and "CEILING" in os.environ:
                subprocess.run([os.environ["CEILING"], base], check=True)
            ROWS[row](binaries, os.path.join(base, "data"), cores)
        finally:
            for server in list(Server.running):
                server.end(signal.SIGKILL)
            shutil.rmtree(base)
            # Giving the space back is not the next row's business.
            os.sync()
            time.sleep(3)


if __name__ == "__main__":
    main()
