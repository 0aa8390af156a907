#!/usr/bin/env python3
"""Writes what users have into PostgreSQL, from Stockade's feed, exactly once in effect.

    python3 examples/feed_to_postgres.py HOST:PORT CONSUMER CONNINFO

CONNINFO is what psql takes, such as "dbname=shop". STOCKADE_TOKEN may hold an operator's token.

Each transaction holds what some events do and the place behind them (docs/protocol.md §12). So whenever this program is
killed, the table and the place are of one moment, and it goes on exactly there: events that it is sent again lie before
that place. Only then are they acknowledged, which lets the server give their journal back. Standard library and psql.
"""

import os
import socket
import struct
import subprocess
import sys

HEADER, HELLO = struct.Struct("<4sBBHIIQII"), struct.Struct("<8s56s64s")
SUBSCRIBE, EVENT = struct.Struct("<QIIB7s40s"), struct.Struct("<QIBBHQQQQQII")
ACKNOWLEDGE, PING = struct.Struct("<QQII"), struct.Struct("<Q")
OP_HELLO, OP_PING, OP_SUBSCRIBE, OP_ACKNOWLEDGE, OP_FAULT = 0x01, 0x02, 0x40, 0x41, 0x7F
SUBSCRIPTION, WINDOW, QUIET_S = 1, 16_384, 20

GRANTED, RESERVED, CONFIRMED, CANCELLED, LAPSED = 1, 2, 3, 4, 5
LOCKED, UNLOCKED, REDEEMED, RESTORED, RETURNED, VOIDED, PURGED = 8, 9, 10, 11, 12, 13, 25

TABLES = """
create table if not exists stockade_cursor (consumer text primary key, epoch numeric(20), index bigint);
create table if not exists coupon (
    batch numeric(20), serial bigint, owner numeric(20), request numeric(20), state text, primary key (batch, serial)
);
create index if not exists coupon_request on coupon (batch, owner, request);
"""


class Database:
    """psql, fed statement by statement: no driver is needed to show the idea."""

    def __init__(self, conninfo):
        command = ["psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", conninfo]
        pipe = subprocess.PIPE
        self.psql = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, bufsize=1)

    def run(self, sql):
        """Runs it and returns its rows as lines. A failure ends the program: a restart goes on from the last commit."""
        self.psql.stdin.write(sql + "\n\\echo :done\n")
        self.psql.stdin.flush()
        rows = []
        for line in self.psql.stdout:
            if line == ":done\n":
                return rows
            rows.append(line.rstrip("\n"))
        sys.exit("psql ended: see its message above")


class Feed:
    """One connection to the server, with one subscription."""

    def __init__(self, server, consumer, place):
        host, _, port = server.rpartition(":")
        self.socket = socket.create_connection((host, int(port)))
        self.socket.settimeout(QUIET_S)
        token = os.environ.get("STOCKADE_TOKEN", "").encode()
        self.send(OP_HELLO, 0, HELLO.pack(bytes(8), b"feed_to_postgres", token))
        self.frame()
        subscribe = SUBSCRIBE.pack(*place, WINDOW, 0, bytes(7), consumer.encode())
        self.send(OP_SUBSCRIBE, SUBSCRIPTION, subscribe)

    def send(self, opcode, correlation, item):
        header = HEADER.pack(b"STKD", 1, opcode, 0, len(item), 1, correlation, 0, 0)
        self.socket.sendall(header + item)

    def bytes(self, count):
        parts = []
        while count:
            part = self.socket.recv(count)
            if not part:
                sys.exit("the server closed the connection: start again, it goes on where it was")
            parts.append(part)
            count -= len(part)
        return b"".join(parts)

    def frame(self):
        """The opcode and the body of the next frame."""
        try:
            header = self.bytes(HEADER.size)
        except TimeoutError:
            self.send(OP_PING, 0, PING.pack(0))
            return OP_PING, b""
        _, _, opcode, _, length, _, _, _, _ = HEADER.unpack(header)
        body = self.bytes(length)
        if opcode & 0x7F == OP_FAULT:
            sys.exit(f"the server refuses: status {body[0]}, {body[8:].rstrip(bytes(1)).decode()}")
        return opcode & 0x7F, body

    def acknowledge(self, place):
        self.send(OP_ACKNOWLEDGE, 2, ACKNOWLEDGE.pack(SUBSCRIPTION, *place, 0))


def statements(event):
    """What an event does to the table."""
    _, _, kind, units, _, batch, user, request, _, _, serial, _ = event
    serials = range(serial, serial + units)
    if kind in (GRANTED, RESERVED):
        state = "granted" if kind == GRANTED else "reserved"
        rows = ", ".join(f"({batch}, {serial}, {user}, {request}, '{state}')" for serial in serials)
        # No "on conflict": an event that came twice would be a defect, and must be seen.
        return f"insert into coupon values {rows};"
    if kind in (CONFIRMED, CANCELLED, LAPSED):
        state = {CONFIRMED: "granted", CANCELLED: "cancelled", LAPSED: "lapsed"}[kind]
        return (
            f"update coupon set state = '{state}' "
            f"where batch = {batch} and owner = {user} and request = {request};"
        )
    if kind in (LOCKED, UNLOCKED, REDEEMED, RESTORED, RETURNED, VOIDED):
        state = {LOCKED: "locked", REDEEMED: "redeemed", RETURNED: "returned", VOIDED: "voided"}.get(kind, "granted")
        marks_only = kind == UNLOCKED and event[11] == 1
        return "" if marks_only else f"update coupon set state = '{state}' where batch = {batch} and serial = {serial};"
    return f"delete from coupon where batch = {batch};" if kind == PURGED else ""


def follow(server, consumer, conninfo):
    database = Database(conninfo)
    database.run("set client_min_messages = warning;" + TABLES)
    name = consumer.replace("'", "''")
    found = database.run(f"select epoch, index from stockade_cursor where consumer = '{name}';")
    place = tuple(int(number) for number in found[0].split("|")) if found else (0, 0)
    feed = Feed(server, consumer, place)
    print(f"from {place}", flush=True)
    while True:
        opcode, body = feed.frame()
        if opcode != OP_SUBSCRIBE or not body:
            continue
        events = list(EVENT.iter_unpack(body))
        place = (events[-1][0], events[-1][1] + 1)
        work = "\n".join(filter(None, map(statements, events)))
        cursor = (
            f"insert into stockade_cursor values ('{name}', {place[0]}, {place[1]}) "
            f"on conflict (consumer) do update set epoch = excluded.epoch, index = excluded.index;"
        )
        database.run(f"begin;\n{work}\n{cursor}\ncommit;")
        feed.acknowledge(place)


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    follow(*sys.argv[1:])
