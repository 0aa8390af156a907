#!/usr/bin/env python3
"""A client written from docs/protocol.md alone: Python's standard library, no code of the project.

    python3 tests/handwritten_client.py HOST:PORT [TOKEN]

Needs a running server and, where it asks for tokens, an operator's. Walks through the whole protocol on batches of its
own, compares every answer, prints one line for each step, and exits with 1 at the first difference.
"""

import contextlib
import itertools
import os
import socket
import struct
import sys

# Guards against a hang only: no answer takes that long, and no step measures time.
ANSWER_TIMEOUT_S = 20

HEADER = struct.Struct("<4sBBHIIQII")
HELLO, WELCOME = struct.Struct("<8s56s64s"), struct.Struct("<BBHIIHHQQQ24s")
PING, PAGE, CLIENT = struct.Struct("<Q"), struct.Struct("<II"), struct.Struct("<H6s56s")
CLAIM, CLAIM_REPLY = struct.Struct("<QQQIBBH"), struct.Struct("<BBBBIIHHQ")
REQUEST_KEY, SERIAL_RUN = struct.Struct("<QQQ"), struct.Struct("<II")
RESERVE, EXTEND = struct.Struct("<QQQIBBH"), struct.Struct("<QQQH6s")
CREATE = struct.Struct("<QIIQQBBHHBB88sIIQIIIHH40sII48s")
BATCH_INFO = struct.Struct("<BBHIQIIIIQQQQII88sIIQIIIHHBBHI40sI12s")
BATCH_ID, LIST, CHANGE, ADD_STOCK = (struct.Struct(code) for code in ("<Q", "<QII", "<QB7s", "<QQII"))
STATS_QUERY, STATS, REFUSALS = struct.Struct("<QiIQ"), struct.Struct("<i15I"), struct.Struct("<B7sQ")
COUPON_CHANGE, COUPON_CHANGED = struct.Struct("<QQQIB3s"), struct.Struct("<BBBBIQQ")
COUPON_KEY, COUPON_LIST, COUPON = struct.Struct("<QII"), struct.Struct("<QIIQ"), struct.Struct("<BBHIQQQQQQQQII")
WALLET, WALLET_ITEM = struct.Struct("<QHHI16sQ"), struct.Struct("<QQ16sQQQIB3s")
SUBSCRIBE, EVENT = struct.Struct("<QIIB7s40s"), struct.Struct("<QIBBHQQQQQII")
ACKNOWLEDGE, ACKNOWLEDGED = struct.Struct("<QQII"), struct.Struct("<B7sQ")
CONSUMER, FORGET = struct.Struct("<QIB3sQ40s"), struct.Struct("<40s")
FAULT = struct.Struct("<BB6s120s")

REPLY_BODY_BYTES_MAX = 262_144

OP_HELLO, OP_PING, OP_CLIENT_LIST = 0x01, 0x02, 0x03
OP_CLAIM, OP_LOOKUP, OP_SERIALS, OP_RESERVE, OP_CONFIRM, OP_CANCEL, OP_EXTEND = range(0x10, 0x17)
OP_CREATE, OP_SHOW, OP_LIST, OP_CHANGE, OP_ADD_STOCK, OP_EDIT, OP_WITHDRAW = range(0x20, 0x27)
OP_STATS, OP_REFUSALS, OP_RECONCILE = 0x27, 0x28, 0x29
OP_COUPON_CHANGE, OP_COUPON_SHOW, OP_COUPON_LIST, OP_COUPON_LOG, OP_WALLET = range(0x30, 0x35)
OP_SUBSCRIBE, OP_ACKNOWLEDGE, OP_FEED_LIST, OP_FORGET = range(0x40, 0x44)
OP_FAULT = 0x7F
REPLY_BIT = 0x80
REPLY_ITEMS = {
    OP_HELLO: WELCOME, OP_PING: PING, OP_CLIENT_LIST: CLIENT, OP_SERIALS: SERIAL_RUN,
    **dict.fromkeys((OP_CLAIM, OP_LOOKUP, OP_RESERVE, OP_CONFIRM, OP_CANCEL, OP_EXTEND), CLAIM_REPLY),
    **dict.fromkeys((OP_CREATE, OP_SHOW, OP_LIST, OP_CHANGE, OP_ADD_STOCK, OP_EDIT, OP_WITHDRAW), BATCH_INFO),
    OP_STATS: STATS, OP_REFUSALS: REFUSALS, OP_RECONCILE: STATS,
    OP_COUPON_CHANGE: COUPON_CHANGED, OP_COUPON_SHOW: COUPON, OP_COUPON_LIST: COUPON, OP_COUPON_LOG: EVENT,
    OP_WALLET: WALLET_ITEM, OP_SUBSCRIBE: EVENT, OP_ACKNOWLEDGE: ACKNOWLEDGED, OP_FEED_LIST: CONSUMER,
    OP_FORGET: ACKNOWLEDGED, OP_FAULT: FAULT,
}

# Their replies have as many items as there are.
PAGES = {OP_SERIALS, OP_CLIENT_LIST, OP_LIST, OP_STATS, OP_REFUSALS, OP_COUPON_LIST, OP_COUPON_LOG, OP_WALLET,
         OP_SUBSCRIBE, OP_FEED_LIST}

GRANTED, DONE, RESERVED = 1, 2, 3
MALFORMED, VERSION_UNSUPPORTED, OPCODE_UNKNOWN, FRAME_TOO_LARGE, HANDSHAKE_REQUIRED, TOKEN_INVALID = range(10, 16)
FORBIDDEN = 16
BATCH_UNKNOWN, BATCH_CONFLICT, STATE_CONFLICT, TERMS_INVALID, QUANTITY_INVALID, STOCK_OVERFLOW = range(30, 36)
TTL_INVALID, ZONE_INVALID, CURSOR_INVALID, CURSOR_TOO_OLD = range(36, 40)
REQUEST_CONFLICT, REQUEST_UNKNOWN = 40, 41
RESERVATION_CONFIRMED, RESERVATION_CANCELLED, RESERVATION_EXPIRED, RESERVATION_EXTENDED, HISTORY_FULL = range(42, 47)
BATCH_DRAFT, NOT_STARTED, PAUSED, ENDED, CLOSED = range(50, 55)
AUDIENCE_REFUSED, QUANTITY_ABOVE_LIMIT, HOLDS_USER_LIMIT, HOLDS_BATCH_LIMIT, DAY_LIMIT_REACHED = range(55, 60)
LIMIT_REACHED, SOLD_OUT, DAY_SOLD_OUT = 60, 61, 62
SERIAL_UNKNOWN, NOT_YOURS, ORDER_ENDED, ORDER_CONFLICT, COUPON_STATE_CONFLICT, COUPON_EXPIRED = range(64, 70)

UP_TO, DRAFT, REPLAYED, SPLIT, ABOUT = 1, 1, 1, 2, 4
ACTIVATE, PAUSE, RESUME, END, CLOSE, PURGE = range(1, 7)
STATE_DRAFT, STATE_SCHEDULED, STATE_ACTIVE, STATE_PAUSED, STATE_ENDED, STATE_CLOSED = range(1, 7)
LOCK, UNLOCK, REDEEM, RESTORE, RETURN, VOID = range(1, 7)
(UNIT_RESERVED, UNIT_GRANTED, UNIT_LOCKED, UNIT_REDEEMED, UNIT_RETURNED, UNIT_VOIDED, UNIT_EXPIRED, UNIT_CANCELLED,
 UNIT_LAPSED) = range(1, 10)
EDIT_NAME, EDIT_PER_USER, EDIT_QUANTITY_MAX, EDIT_AUDIENCE, EDIT_STARTS = 1, 1 << 1, 1 << 4, 1 << 5, 1 << 7
WHOLE = -2**31
(E_GRANTED, E_RESERVED, E_CONFIRMED, E_CANCELLED, E_LAPSED, E_EXTENDED, E_CANCELLED_AHEAD, E_LOCKED, E_UNLOCKED,
 E_REDEEMED, E_RESTORED, E_RETURNED, E_VOIDED) = range(1, 14)
E_CREATED, E_CHANGED, E_ADDED, E_WITHDRAWN, E_EDITED, E_PURGED = range(20, 26)


class Difference(Exception):
    """The server did not do what the specification says."""


def expect(what, got, wanted):
    if got != wanted:
        raise Difference(f"{what}: got {got!r}, expected {wanted!r}")


@contextlib.contextmanager
def step(name):
    try:
        yield
    except (Difference, OSError, struct.error) as trouble:
        print(f"FAILED {name}: {trouble!r}", flush=True)
        sys.exit(1)
    print(f"ok     {name}", flush=True)


def frame(opcode, body, count=1, correlation=1, deadline_ms=0, version=1, flags=0, length=None, reserved=0):
    length = len(body) if length is None else length
    return HEADER.pack(b"STKD", version, opcode, flags, length, count, correlation, deadline_ms, reserved) + body


def text(field):
    """A text field: UTF-8, then zeros only."""
    content, _, rest = field.partition(b"\0")
    expect("bytes after the end of a text", rest.strip(b"\0"), b"")
    return content.decode()


class Connection:
    def __init__(self, address):
        self.socket = socket.create_connection(address, ANSWER_TIMEOUT_S)
        self.correlation = 0

    def close(self):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)

    def receive(self, size):
        data = b""
        while len(data) < size:
            more = self.socket.recv(size - len(data))
            if not more:
                raise Difference(f"the server closed the connection after {len(data)} of {size} bytes")
            data += more
        return data

    def read_reply(self):
        """The next reply frame: its opcode without the reply bit, its correlation id, its items as tuples."""
        header = HEADER.unpack(self.receive(HEADER.size))
        magic, version, opcode, flags, length, count, correlation, deadline_ms, reserved = header
        expect("magic, version, flags", (magic, version, flags), (b"STKD", 1, 0))
        expect("deadline, reserved", (deadline_ms, reserved), (0, 0))
        expect("reply bit", opcode & REPLY_BIT, REPLY_BIT)
        opcode ^= REPLY_BIT
        if opcode not in REPLY_ITEMS or length > REPLY_BODY_BYTES_MAX:
            raise Difference(f"reply with opcode {opcode:#x} and {length} bytes")
        expect("body length", length, count * REPLY_ITEMS[opcode].size)
        return opcode, correlation, list(REPLY_ITEMS[opcode].iter_unpack(self.receive(length)))

    def ask(self, opcode, items, deadline_ms=0):
        """One frame and its reply, which may be a fault."""
        self.correlation += 1
        self.send(frame(opcode, b"".join(items), len(items), self.correlation, deadline_ms))
        answered, correlation, replies = self.read_reply()
        expect("correlation", correlation, self.correlation)
        return answered, replies

    def call(self, opcode, *items, deadline_ms=0):
        answered, replies = self.ask(opcode, items, deadline_ms)
        if answered == OP_FAULT:
            raise Difference(f"fault {replies[0][0]}: {text(replies[0][3])}")
        expect("opcode", answered, opcode)
        if opcode not in PAGES:
            expect("items", len(replies), len(items))
        return replies

    def expect_fault(self, what, data, status, correlation):
        """Sends bytes that are refused in step; the connection must go on."""
        self.send(data)
        answered, echoed, replies = self.read_reply()
        expect(f"{what}: opcode, correlation, status, version",
               (answered, echoed, *replies[0][:2]), (OP_FAULT, correlation, status, 1))
        text(replies[0][3])
        self.ping()

    def expect_close(self, what, data, status):
        """Sends bytes after which the server must close. A fault may come first."""
        try:
            self.send(data)
            rest = b""
            while more := self.socket.recv(4096):
                rest += more
        except ConnectionError:
            return  # closed with bytes unread: the fault is lost
        if rest:
            expect(f"{what}: length of the farewell", len(rest), HEADER.size + FAULT.size)
            expect(f"{what}: opcode, status", (rest[5], rest[HEADER.size]), (OP_FAULT | REPLY_BIT, status))

    def ping(self):
        nonce = int.from_bytes(os.urandom(8), "little")
        expect("nonce", self.call(OP_PING, PING.pack(nonce)), [(nonce,)])

    def hello(self, token):
        (welcome,) = self.call(OP_HELLO, HELLO.pack(bytes(8), "handwritten ✓".encode(), token.encode()))
        version, durability, cores, claims_max, window, ttl_s_max, reserved, _, _, now_ms, server_version = welcome
        expect("version, reserved", (version, reserved), (1, 0))
        limits = (cores, 1 <= claims_max <= 8192, window, ttl_s_max)
        if durability > 2 or not all(limits) or not text(server_version):
            raise Difference(f"welcome {welcome}")
        return window, now_ms

    # One method an operation: what it sends is what docs/protocol.md lays out.

    def claims(self, *claims, deadline_ms=0):
        """Claims as (batch, user, request, quantity, flags)."""
        packed = [CLAIM.pack(*key, 0, quantity, flags, 0) for *key, quantity, flags in claims]
        return self.call(OP_CLAIM, *packed, deadline_ms=deadline_ms)

    def claim(self, batch, user, request, quantity=1, flags=0, deadline_ms=0):
        return self.claims((batch, user, request, quantity, flags), deadline_ms=deadline_ms)[0]

    def lookup(self, batch, user, request):
        return self.call(OP_LOOKUP, REQUEST_KEY.pack(batch, user, request))[0]

    def serials(self, batch, user, request):
        runs = self.call(OP_SERIALS, REQUEST_KEY.pack(batch, user, request))
        return runs, [serial for first, count in runs for serial in range(first, first + count)]

    def create(self, *args, **terms):
        return info(self.call(OP_CREATE, create_item(*args, **terms))[0])

    def show(self, *batches):
        return [info(item) for item in self.call(OP_SHOW, *map(BATCH_ID.pack, batches))]

    def change(self, batch, action):
        return info(self.call(OP_CHANGE, CHANGE.pack(batch, action, bytes(7)))[0])

    def add_stock(self, batch, request, units):
        return info(self.call(OP_ADD_STOCK, ADD_STOCK.pack(batch, request, units, 0))[0])

    def withdraw(self, batch, request, units):
        return info(self.call(OP_WITHDRAW, ADD_STOCK.pack(batch, request, units, 0))[0])

    def edit(self, batch, fields, version=0, **terms):
        return info(self.call(OP_EDIT, create_item(batch, 0, fields=fields, version=version, **terms))[0])

    def reserve(self, batch, user, request, quantity=1, ttl_s=600, flags=0):
        return self.call(OP_RESERVE, RESERVE.pack(batch, user, request, 0, quantity, flags, ttl_s))[0]

    def settle(self, opcode, batch, user, request):
        """CONFIRM or CANCEL."""
        return self.call(opcode, REQUEST_KEY.pack(batch, user, request))[0]

    def extend(self, batch, user, request, ttl_s):
        return self.call(OP_EXTEND, EXTEND.pack(batch, user, request, ttl_s, bytes(6)))[0]

    def coupon(self, batch, user, serial, action, order):
        """Status, state, flags and serial."""
        item = COUPON_CHANGE.pack(batch, user, order, serial, action, bytes(3))
        status, state, flags, reserved, told, _order, _epoch = self.call(OP_COUPON_CHANGE, item)[0]
        expect("reserved", reserved, 0)
        return status, state, flags, told

    def wallet(self, user, states=0, limit=1024, cursor=bytes(16), see_epoch=0):
        return self.call(OP_WALLET, WALLET.pack(user, states, limit, 0, cursor, see_epoch))


def create_item(batch, stock, per_user=0, starts_ms=0, ends_ms=0, flags=0, name=b"", zone=b"", fields=0, version=0,
                **limits):
    """A creation, or an edit; what it does not name is 0."""
    early = ("quantity_max", "valid_days", "return_days", "holds_share")
    late = ("per_user_day", "per_day", "expires_ms", "audience_all", "audience_any", "audience_none", "holds_per_user")
    if unknown := set(limits) - set(early) - set(late):
        raise TypeError(unknown)
    early, late = ([limits.get(field, 0) for field in names] for names in (early, late))
    return CREATE.pack(batch, stock, per_user, starts_ms, ends_ms, flags, *early, 0, name, *late, 0, zone, fields,
                       version, bytes(48))


def info(item):
    """A batch reply as a dictionary; its sum must be right."""
    names = ("status", "state", "_", "moved", "batch", "total", "granted", "remaining", "per_user", "starts_ms",
             "ends_ms", "created_ms", "epoch", "held", "voided", "name", "per_user_day", "per_day", "expires_ms",
             "audience_all", "audience_any", "audience_none", "valid_days", "return_days", "quantity_max",
             "holds_share", "holds_per_user", "version", "zone", "day_units", "_")
    fields = dict(zip(names, item, strict=True))
    fields["name"], fields["zone"] = text(fields["name"]), text(fields["zone"])
    expect("total", fields["total"], sum(fields[part] for part in ("granted", "held", "voided", "remaining")))
    return fields


def expect_batch(what, fields, **wanted):
    expect(what, {name: fields[name] for name in wanted}, wanted)


def decision(reply):
    """Status, flags, granted, run and serial; not ABOUT, which is about a hint."""
    status, flags, *units = reply[:5]
    return status, flags & ~ABOUT, *units


def expect_refused(what, reply, status):
    expect(f"{what}: status, flags, granted, run, serial", decision(reply), (status, 0, 0, 0, 0))


def expect_granted(what, reply, granted, flags=0, user_units=None):
    """A grant; SPLIT is set exactly when the first run is not all of it."""
    got = (reply[0], reply[1] & ~(SPLIT | ABOUT), reply[2])
    expect(f"{what}: status, flags, granted", got, (GRANTED, flags, granted))
    run = reply[3]
    if not 1 <= run <= granted or (reply[1] & SPLIT != 0) != (run < granted):
        raise Difference(f"{what}: run {run} of {granted}, flags {reply[1]}")
    if user_units is not None:
        expect(f"{what}: user_units", reply[6], user_units)


def expect_replayed(what, reply, original):
    """The original answer: status, granted, run, serial and SPLIT as they were, REPLAYED set."""
    status, flags, *units = decision(original)
    expect(what, decision(reply), (status, flags | REPLAYED, *units))


class Walk:
    """The steps, on one connection and a few batches whose ids nobody else uses."""

    def __init__(self, address, token):
        self.address, self.token = address, token
        self.batch = int.from_bytes(os.urandom(8), "little") & ~0xF
        self.draft, self.scheduled, self.wide, self.missing = (self.batch + offset for offset in (1, 2, 3, 9))
        self.held, self.edited = self.batch + 6, self.batch + 7
        self.grants = {}  # (user, request) on self.batch: the reply

    def grant(self, what, user, request, quantity, granted=None, flags=0, user_units=None):
        reply = self.server.claim(self.batch, user, request, quantity, flags)
        self.remember(what, user, request, reply, granted or quantity, user_units)

    def remember(self, what, user, request, reply, granted, user_units=None):
        expect_granted(what, reply, granted, 0, user_units)
        self.grants[user, request] = reply

    def refuse(self, what, status, user, request, quantity=1, flags=0):
        expect_refused(what, self.server.claim(self.batch, user, request, quantity, flags), status)

    def all_replay(self, what):
        """Every grant so far, claimed again and looked up: the original answers."""
        quantities = {key: (reply[2], 0) for key, reply in self.grants.items()} | self.asked_otherwise
        for (user, request), original in self.grants.items():
            quantity, flags = quantities[user, request]
            again = self.server.claim(self.batch, user, request, quantity, flags)
            expect_replayed(f"{what}: claim of user {user}", again, original)
            expect_replayed(f"{what}: look-up of user {user}", self.server.lookup(self.batch, user, request), original)

    # Claims of user 2 and 6 asked for more than they were granted.
    asked_otherwise = {(2, 1): (200, UP_TO), (6, 2): (3, UP_TO)}

    def run(self):
        with step("handshake"):
            self.server = Connection(self.address)
            self.window, self.now_ms = self.server.hello(self.token)
        with step("ping"):
            self.server.ping()
        self.create_and_show()
        self.claim_and_replay()
        self.sell_out()
        self.look_up()
        self.add_stock()
        self.pause_and_resume()
        self.draft_and_scheduled()
        self.list_batches()
        self.pipeline()
        self.reserve_and_settle()
        self.lock_and_redeem()
        self.edit_and_withdraw()
        self.read_back()
        self.follow_the_feed()
        self.refused_in_step()
        self.purge()
        self.end_and_close()
        self.refused_and_closed()

    def create_and_show(self):
        server, batch = self.server, self.batch
        new = {"batch": batch, "state": STATE_ACTIVE, "total": 20, "granted": 0, "remaining": 20, "per_user": 4,
               "starts_ms": 0, "ends_ms": 0, "name": "twenty ✓", "held": 0, "voided": 0, "zone": ""}
        with step("a batch is created"):
            expect_batch("created", server.create(batch, 20, 4, name="twenty ✓".encode()), status=DONE, **new)
        with step("the same creation again is done already"):
            expect_batch("repeated", server.create(batch, 20, 4, name="twenty ✓".encode()), status=DONE, **new)
        with step("a creation with other terms is a conflict"):
            expect_batch("name", server.create(batch, 20, 4, name=b"thirty"), status=BATCH_CONFLICT, **new)
            expect_batch("stock", server.create(batch, 21, 4, name="twenty ✓".encode()), status=BATCH_CONFLICT)
        with step("impossible terms are refused"):
            impossible = {"status": TERMS_INVALID, "batch": self.missing, "state": 0}
            expect_batch("stock", server.create(self.missing, 0), **impossible)
            expect_batch("window", server.create(self.missing, 1, starts_ms=9, ends_ms=9), **impossible)
            expect_batch("name", server.create(self.missing, 1, name=b"\xff"), **impossible)
        with step("batches are shown"):
            shown, missing = server.show(batch, self.missing)
            expect_batch("shown", shown, status=DONE, **new)
            nothing = dict.fromkeys(set(missing) - {"status", "batch", "epoch", "_"}, 0) | {"name": "", "zone": ""}
            expect_batch("missing", missing, status=BATCH_UNKNOWN, batch=self.missing, **nothing)

    def claim_and_replay(self):
        server, batch = self.server, self.batch
        with step("a claim is granted"):
            self.grant("claim", 1, 1, 1, user_units=1)
        with step("the same claim again is replayed"):
            self.all_replay("replay")
        with step("its request id with another quantity or mode is a conflict"):
            self.refuse("quantity", REQUEST_CONFLICT, 1, 1, 2)
            self.refuse("mode", REQUEST_CONFLICT, 1, 1, 1, UP_TO)
        with step("a claim above the user's limit is refused and leaves its id free"):
            self.refuse("limit", LIMIT_REACHED, 1, 2, 4)
            self.grant("the same id", 1, 2, 3, user_units=4)
            self.refuse("the limit is held", LIMIT_REACHED, 1, 3, 1, UP_TO)
        with step("an UP_TO claim stops at the user's limit"):
            self.grant("up to", 2, 1, 200, granted=4, flags=UP_TO, user_units=4)
        with step("each claim of a frame is answered alone and in order"):
            replies = server.claims(
                (batch, 3, 1, 4, 0), (batch, 3, 1, 4, 0), (batch, 3, 2, 1, 0), (self.missing, 3, 1, 1, 0),
                (batch, 4, 9, 0, 0), (batch, 4, 1, 4, 0), (batch, 5, 1, 2, 0))
            self.remember("first", 3, 1, replies[0], 4)
            expect_replayed("second", replies[1], replies[0])
            for reply, status in zip(replies[2:5], (LIMIT_REACHED, BATCH_UNKNOWN, QUANTITY_INVALID)):
                expect_refused("in a frame", reply, status)
            self.remember("sixth", 4, 1, replies[5], 4)
            self.remember("seventh", 5, 1, replies[6], 2)

    def sell_out(self):
        with step("all or nothing: nothing when fewer are left"):
            self.refuse("three of two", SOLD_OUT, 6, 1, 3)
        with step("up to: what is left"):
            self.grant("two of three", 6, 2, 3, granted=2, flags=UP_TO, user_units=2)
        with step("sold out"):
            self.refuse("one", SOLD_OUT, 7, 1)
            self.refuse("up to one", SOLD_OUT, 7, 2, 1, UP_TO)
            expect_batch("all granted", self.server.show(self.batch)[0], total=20, granted=20, remaining=0)
        with step("every grant is replayed after the sell-out"):
            self.all_replay("sold out")

    def look_up(self):
        server, batch = self.server, self.batch
        with step("look-ups of what was not granted"):
            expect_refused("refused claim", server.lookup(batch, 7, 1), REQUEST_UNKNOWN)
            expect_refused("unknown user", server.lookup(batch, 99, 1), REQUEST_UNKNOWN)
            expect_refused("unknown batch", server.lookup(self.missing, 1, 1), BATCH_UNKNOWN)
        with step("serials of every grant: complete, unique, below the total"):
            everything = []
            for (user, request), reply in self.grants.items():
                runs, serials = server.serials(batch, user, request)
                expect(f"first run of user {user}", runs[0], (reply[4], reply[3]))
                expect(f"serials of user {user}", len(serials), reply[2])
                everything += serials
            expect("serials", sorted(everything), list(range(20)))
        with step("serials of an unknown request are a fault, and the connection goes on"):
            unknown = frame(OP_SERIALS, REQUEST_KEY.pack(batch, 99, 1), correlation=71)
            server.expect_fault("serials", unknown, REQUEST_UNKNOWN, 71)

    def add_stock(self):
        server, batch = self.server, self.batch
        added = {"total": 25, "granted": 20, "remaining": 5}
        with step("stock is added once, however often it is asked for"):
            expect_batch("added", server.add_stock(batch, 77, 5), status=DONE, **added)
            expect_batch("repeated", server.add_stock(batch, 77, 5), status=DONE, **added)
        with step("wrong additions are refused"):
            expect_batch("other units", server.add_stock(batch, 77, 6), status=BATCH_CONFLICT, **added)
            expect_batch("no units", server.add_stock(batch, 78, 0), status=QUANTITY_INVALID, **added)
            expect_batch("overflow", server.add_stock(batch, 79, 2**32 - 1), status=STOCK_OVERFLOW, **added)
            expect_batch("missing", server.add_stock(self.missing, 1, 1), status=BATCH_UNKNOWN, state=0)
        with step("of several refusals the one of the highest precedence is answered"):
            expect_refused("claim of nothing from no batch", server.claim(self.missing, 1, 1, 0), QUANTITY_INVALID)
            self.refuse("claim of nothing under a known request", QUANTITY_INVALID, 1, 1, 0)
            expect_batch("nothing to no batch", server.add_stock(self.missing, 1, 0), status=QUANTITY_INVALID)
            expect_batch("nothing, again", server.add_stock(batch, 77, 0), status=QUANTITY_INVALID)
            expect_batch("impossible, other terms", server.create(batch, 0), status=TERMS_INVALID)
        with step("a refused claim may be granted later, with the same id"):
            self.grant("after the addition", 7, 1, 1, user_units=1)
        with step("a claim within its deadline is granted"):
            reply = server.claim(batch, 8, 1, deadline_ms=2**32 - 1)
            self.remember("deadline", 8, 1, reply, 1)

    def pause_and_resume(self):
        server, batch = self.server, self.batch
        with step("a paused batch refuses new claims and replays old ones"):
            expect_batch("paused", server.change(batch, PAUSE), status=DONE, state=STATE_PAUSED)
            self.refuse("new claim", PAUSED, 9, 1)
            self.all_replay("paused")
        with step("actions that do not fit the state are refused"):
            expect_batch("pause again", server.change(batch, PAUSE), status=DONE, state=STATE_PAUSED)
            expect_batch("activate", server.change(batch, ACTIVATE), status=STATE_CONFLICT, state=STATE_PAUSED)
            expect_batch("close", server.change(batch, CLOSE), status=STATE_CONFLICT, state=STATE_PAUSED)
            expect_batch("missing", server.change(self.missing, PAUSE), status=BATCH_UNKNOWN, state=0)
        with step("a resumed batch grants again"):
            expect_batch("resumed", server.change(batch, RESUME), status=DONE, state=STATE_ACTIVE)
            expect_batch("resume again", server.change(batch, RESUME), status=DONE, state=STATE_ACTIVE)
            self.grant("the same id", 9, 1, 1, user_units=1)

    def draft_and_scheduled(self):
        server = self.server
        with step("a draft grants nothing until it is activated"):
            expect_batch("created", server.create(self.draft, 1, flags=DRAFT), status=DONE, state=STATE_DRAFT, per_user=0)
            expect_refused("claim", server.claim(self.draft, 1, 1), BATCH_DRAFT)
            expect_batch("pause", server.change(self.draft, PAUSE), status=STATE_CONFLICT, state=STATE_DRAFT)
            expect_batch("activate", server.change(self.draft, ACTIVATE), status=DONE, state=STATE_ACTIVE)
            expect_batch("activate again", server.change(self.draft, ACTIVATE), status=DONE, state=STATE_ACTIVE)
            expect_granted("claim", server.claim(self.draft, 1, 1), 1)
        with step("a batch before its start grants nothing"):
            starts_ms = self.now_ms + 24 * 3_600_000
            created = server.create(self.scheduled, 5, 1, starts_ms, starts_ms + 1)
            window = {"starts_ms": starts_ms, "ends_ms": starts_ms + 1}
            expect_batch("created", created, status=DONE, state=STATE_SCHEDULED, **window)
            expect_refused("claim", server.claim(self.scheduled, 1, 1), NOT_STARTED)
        with step("a batch whose window is over has ended"):
            expect_batch("created", server.create(self.wide + 1, 5, 1, 1, 2), status=DONE, state=STATE_ENDED)
            expect_refused("claim", server.claim(self.wide + 1, 1, 1), ENDED)
            expect_batch("draft", server.create(self.wide + 2, 5, 1, 1, 2, DRAFT), status=DONE, state=STATE_ENDED)
        with step("a batch paused before its start is paused"):
            expect_batch("paused", server.change(self.scheduled, PAUSE), status=DONE, state=STATE_PAUSED)
            expect_refused("claim", server.claim(self.scheduled, 1, 1), PAUSED)
            expect_batch("resumed", server.change(self.scheduled, RESUME), status=DONE, state=STATE_SCHEDULED)

    def list_batches(self):
        with step("batches are listed in order of id, page by page"):
            wanted, start = [self.batch, self.draft, self.scheduled], self.batch
            pages = []
            for limit in (2, 1):
                page = [info(item) for item in self.server.call(OP_LIST, LIST.pack(start, limit, 0))]
                expect("size of the page", len(page), limit)
                pages += page
                start = page[-1]["batch"] + 1
            expect("ids", [item["batch"] for item in pages], wanted)
            expect("statuses", [item["status"] for item in pages], [DONE] * 3)

    def pipeline(self):
        count = min(64, self.window)
        with step(f"{count} frames in one write, answered in any order"):
            expect_batch("created", self.server.create(self.wide, count), status=DONE, state=STATE_ACTIVE)
            packed = (CLAIM.pack(self.wide, user, 1, 0, 1, 0, 0) for user in range(count))
            self.server.send(b"".join(frame(OP_CLAIM, item, correlation=1000 + at) for at, item in enumerate(packed)))
            serials, correlations = [], []
            for _ in range(count):
                opcode, correlation, (reply,) = self.server.read_reply()
                expect("opcode", opcode, OP_CLAIM)
                expect_granted("pipelined", reply, 1, 0, user_units=1)
                serials.append(reply[4])
                correlations.append(correlation)
            expect("serials", sorted(serials), list(range(count)))
            expect("correlations", sorted(correlations), list(range(1000, 1000 + count)))

    def reserve_and_settle(self):
        server, batch = self.server, self.held
        with step("a reservation holds its units"):
            created = server.create(batch, 10, holds_per_user=5)
            expect_batch("created", created, status=DONE, state=STATE_ACTIVE)
            self.feed_epoch = created["epoch"]
            reply = server.reserve(batch, 1, 1, 2)
            expect("status, granted", (reply[0], reply[2]), (RESERVED, 2))
            expect_replayed("again", server.reserve(batch, 1, 1, 2), reply)
            expect_replayed("looked up", server.lookup(batch, 1, 1), reply)
            expect_batch("held", server.show(batch)[0], held=2, granted=0, remaining=8)
        with step("it is refused as a claim would be"):
            expect_refused("no units", server.reserve(batch, 1, 2, 0), QUANTITY_INVALID)
            expect_refused("no time", server.reserve(batch, 1, 2, 1, 0), TTL_INVALID)
            expect_refused("too much time", server.reserve(batch, 1, 2, 1, 65_535), TTL_INVALID)
            expect_refused("too many held", server.reserve(batch, 1, 2, 4), HOLDS_USER_LIMIT)
            expect_refused("another quantity", server.reserve(batch, 1, 1, 3), REQUEST_CONFLICT)
            expect_refused("a claim with its id", server.claim(batch, 1, 1, 2), REQUEST_CONFLICT)
        with step("it is extended once"):
            expect("status", server.extend(batch, 1, 1, 900)[0], RESERVED)
            expect("the same time", server.extend(batch, 1, 1, 900)[:2][0], RESERVED)
            expect_refused("another time", server.extend(batch, 1, 1, 901), RESERVATION_EXTENDED)
        with step("confirmed, it is a grant"):
            confirmed = server.settle(OP_CONFIRM, batch, 1, 1)
            expect("the same units", decision(confirmed), (GRANTED, *decision(reply)[1:]))
            expect_replayed("again", server.settle(OP_CONFIRM, batch, 1, 1), confirmed)
            expect_refused("cancel", server.settle(OP_CANCEL, batch, 1, 1), RESERVATION_CONFIRMED)
            expect_refused("extend", server.extend(batch, 1, 1, 60), RESERVATION_CONFIRMED)
            expect_batch("granted", server.show(batch)[0], held=0, granted=2, remaining=8)
        with step("cancelled, its units come back"):
            expect("status", server.reserve(batch, 2, 1, 3)[0], RESERVED)
            expect_refused("cancel", server.settle(OP_CANCEL, batch, 2, 1), DONE)
            expect("again", decision(server.settle(OP_CANCEL, batch, 2, 1)), (DONE, REPLAYED, 0, 0, 0))
            expect_refused("confirm", server.settle(OP_CONFIRM, batch, 2, 1), RESERVATION_CANCELLED)
            expect_refused("reserve", server.reserve(batch, 2, 1, 3), RESERVATION_CANCELLED)
            expect_batch("back", server.show(batch)[0], held=0, granted=2, remaining=8)
        with step("one that has not come is cancelled ahead, and of no other is anything known"):
            expect_refused("confirm", server.settle(OP_CONFIRM, batch, 3, 1), REQUEST_UNKNOWN)
            expect_refused("extend", server.extend(batch, 3, 1, 60), REQUEST_UNKNOWN)
            expect_refused("cancel", server.settle(OP_CANCEL, batch, 3, 1), DONE)
            expect_refused("reserve", server.reserve(batch, 3, 1, 1), RESERVATION_CANCELLED)
            expect_refused("no batch", server.settle(OP_CANCEL, self.missing, 3, 1), BATCH_UNKNOWN)

    def lock_and_redeem(self):
        server, batch = self.server, self.held
        claim = server.claim(batch, 4, 1, 3)
        expect_granted("three coupons", claim, 3)
        _, (first, second, third) = server.serials(batch, 4, 1)
        self.units = first, second, third
        with step("a coupon is locked, unlocked, locked by another order, redeemed and restored"):
            steps = [
                (REDEEM, 70, COUPON_STATE_CONFLICT, UNIT_GRANTED, 0),
                (LOCK, 70, DONE, UNIT_LOCKED, 0),
                (LOCK, 70, DONE, UNIT_LOCKED, REPLAYED),
                (LOCK, 71, ORDER_CONFLICT, UNIT_LOCKED, 0),
                (UNLOCK, 70, DONE, UNIT_GRANTED, 0),
                (LOCK, 70, ORDER_ENDED, UNIT_GRANTED, 0),
                (LOCK, 71, DONE, UNIT_LOCKED, 0),
                (REDEEM, 71, DONE, UNIT_REDEEMED, 0),
                (RESTORE, 71, DONE, UNIT_GRANTED, 0),
                (LOCK, 72, DONE, UNIT_LOCKED, 0),
                (REDEEM, 72, DONE, UNIT_REDEEMED, 0),
            ]
            for number, (action, order, *wanted) in enumerate(steps):
                expect(f"step {number}", server.coupon(batch, 4, first, action, order), (*wanted, first))
        with step("a returned coupon's unit gets a new serial"):
            status, state, flags, back = server.coupon(batch, 4, second, RETURN, 0)
            expect("returned", (status, state, flags), (DONE, UNIT_RETURNED, 0))
            if back in self.units:
                raise Difference(f"serial {back} was used before")
            expect("again", server.coupon(batch, 4, second, RETURN, 0), (DONE, UNIT_RETURNED, REPLAYED, back))
            self.back = back
        with step("a voided coupon is voided"):
            expect("voided", server.coupon(batch, 4, third, VOID, 0), (DONE, UNIT_VOIDED, 0, third))
            expect("locked", server.coupon(batch, 4, third, LOCK, 70), (COUPON_STATE_CONFLICT, UNIT_VOIDED, 0, third))
        with step("what is not the user's coupon"):
            expect("another's", server.coupon(batch, 5, first, LOCK, 70)[:2], (NOT_YOURS, 0))
            expect("nobody's", server.coupon(batch, 4, 2**32 - 1, LOCK, 70)[:2], (SERIAL_UNKNOWN, 0))
            expect("no batch", server.coupon(self.missing, 4, first, LOCK, 70)[:2], (BATCH_UNKNOWN, 0))
        with step("the batch says where its units are"):
            expect_batch("shown", server.show(batch)[0], total=10, granted=3, held=0, voided=1, remaining=6)
            expect_replayed("the claim got what it got", server.claim(batch, 4, 1, 3), claim)

    def edit_and_withdraw(self):
        server, batch = self.server, self.edited
        with step("a batch is created with every limit"):
            limits = {"per_user": 9, "quantity_max": 3, "valid_days": 30, "return_days": 2, "holds_share": 50,
                      "per_user_day": 5, "per_day": 40, "expires_ms": 2**41, "audience_all": 1, "audience_any": 6,
                      "audience_none": 8, "holds_per_user": 4}
            terms = {**limits, "name": b"many", "zone": b"Asia/Shanghai"}
            told = {**limits, "name": "many", "zone": "Asia/Shanghai"}
            expect_batch("created", server.create(batch, 50, **terms), status=DONE, version=1, day_units=0, **told)
            expect_batch("again", server.create(batch, 50, **terms), status=DONE, **told)
            expect_batch("no zone", server.create(self.missing, 1, zone=b"Nowhere/Land"), status=ZONE_INVALID, state=0)
            expect_batch("share", server.create(self.missing, 1, holds_share=101), status=TERMS_INVALID, state=0)
        with step("its limits refuse"):
            def ask(request, audience, quantity, flags=0):
                item = CLAIM.pack(batch, 1, request, audience, quantity, flags, 0)
                return server.call(OP_CLAIM, item)[0]
            for audience in (0, 1, 6, 2 | 8 | 1):
                expect_refused(f"audience {audience}", ask(1, audience, 1), AUDIENCE_REFUSED)
            expect_refused("quantity", ask(1, 3, 4), QUANTITY_ABOVE_LIMIT)
            expect_granted("three", ask(1, 3, 3), 3)
            expect_refused("day", ask(2, 5, 3), DAY_LIMIT_REACHED)
            expect_granted("up to the day's limit", ask(3, 5, 3, UP_TO), 2)
            expect_batch("day's units", server.show(batch)[0], day_units=5, granted=5)
        with step("it is edited: what is named changes, and nothing else"):
            edited = server.edit(batch, EDIT_NAME | EDIT_QUANTITY_MAX, 0, name=b"fewer", quantity_max=2, per_user=1)
            now = {**told, "name": "fewer", "quantity_max": 2}
            expect_batch("edited", edited, status=DONE, version=2, **now)
            expect_batch("again", server.edit(batch, EDIT_NAME, 1, name=b"fewer"), status=DONE, version=2, **now)
            expect_batch("old", server.edit(batch, EDIT_NAME, 1, name=b"x"), status=BATCH_CONFLICT, version=2, **now)
            expect_batch("start", server.edit(batch, EDIT_STARTS, starts_ms=1), status=STATE_CONFLICT, **now)
            expect_batch("missing", server.edit(self.missing, EDIT_NAME), status=BATCH_UNKNOWN, state=0)
        with step("units that nobody has are withdrawn"):
            expect_batch("some", server.withdraw(batch, 1, 5), status=DONE, moved=5, total=45, remaining=40)
            expect_batch("again", server.withdraw(batch, 1, 5), status=DONE, moved=5, total=45)
            expect_batch("other units", server.withdraw(batch, 1, 6), status=BATCH_CONFLICT, total=45)
            expect_batch("its id", server.add_stock(batch, 1, 5), status=BATCH_CONFLICT, total=45)
            expect_batch("none", server.withdraw(batch, 2, 0), status=QUANTITY_INVALID, total=45)
            expect_batch("all", server.withdraw(batch, 3, 1_000), status=DONE, moved=40, total=5, remaining=0)

    def read_back(self):
        server, batch = self.server, self.held
        first, second, third = self.units
        with step("a wallet, newest first and page by page"):
            whole = [item for item in server.wallet(4) if item[0] == batch]
            states = {item[6]: item[7] for item in whole}
            expect("states", states, {first: UNIT_REDEEMED, second: UNIT_RETURNED, third: UNIT_VOIDED})
            pages, cursor = [], bytes(16)
            while page := server.wallet(4, limit=1, cursor=cursor):
                pages, cursor = pages + page, page[0][2]
            expect("pages of one", [item for item in pages if item[0] == batch], whole)
            voided = server.wallet(4, states=1 << UNIT_VOIDED)
            expect("of one state", [item[6] for item in voided if item[0] == batch], [third])
            wrong = WALLET.pack(4, 1 << UNIT_VOIDED, 1, 0, cursor, 0)
            server.expect_fault("another query's cursor", frame(OP_WALLET, wrong, correlation=73), CURSOR_INVALID, 73)
        with step("an answer's epoch can be waited for, one that never was cannot"):
            reply = server.claim(batch, 6, 1)
            (newest,) = server.wallet(6, limit=1, see_epoch=reply[8])
            expect("batch, request, serial", (newest[0], newest[1], newest[6]), (batch, 1, reply[4]))
            never = WALLET.pack(6, 0, 1, 0, bytes(16), 2**64 - 1)
            server.expect_fault("never", frame(OP_WALLET, never, correlation=74), CURSOR_INVALID, 74)
        with step("units are shown by serial"):
            keys = [(batch, first), (batch, second), (batch, 2**32 - 1), (self.missing, 0)]
            shown = server.call(OP_COUPON_SHOW, *(COUPON_KEY.pack(*key, 0) for key in keys))
            expect("status, state", [item[:2] for item in shown],
                   [(DONE, UNIT_REDEEMED), (DONE, UNIT_RETURNED), (SERIAL_UNKNOWN, 0), (BATCH_UNKNOWN, 0)])
            expect("user, request, order", shown[0][5:8], (4, 1, 72))
            expect("new serial", shown[1][12], self.back)
        with step("a batch's units are listed in order of serial"):
            listed = server.call(OP_COUPON_LIST, COUPON_LIST.pack(batch, 0, 1024, 0))
            serials = [item[3] for item in listed]
            expect("in order", serials, sorted(set(serials)))
            # Two confirmed, three cancelled, three claimed, one more.
            expect("how many", len(serials), 9)
            rest = server.call(OP_COUPON_LIST, COUPON_LIST.pack(batch, serials[4], 2, 0))
            expect("a page", [item[3] for item in rest], serials[4:6])
        with step("all that happened to a unit"):
            log = server.call(OP_COUPON_LOG, COUPON_KEY.pack(batch, first, 0))
            kinds = [E_GRANTED, E_LOCKED, E_UNLOCKED, E_LOCKED, E_REDEEMED, E_RESTORED, E_LOCKED, E_REDEEMED]
            expect("kinds", [event[2] for event in log], kinds)
            clients = {number: text(name) for number, _, name in server.call(OP_CLIENT_LIST, PAGE.pack(0, 1024))}
            expect("who asked", {clients.get(event[4]) for event in log[2:]}, {"handwritten ✓"})
        with step("a batch in numbers, and counted anew"):
            stats = server.call(OP_STATS, STATS_QUERY.pack(batch, WHOLE, 1024, 0))
            # Day, added, withdrawn, remaining, reserved, granted, locked, redeemed, unlocked, restored, returned,
            # voided, expired, cancelled, lapsed, confirmed.
            whole = (WHOLE, 10, 0, 5, 0, 4, 0, 1, 1, 1, 1, 1, 0, 3, 0, 2)
            expect("as a whole", stats[0], whole)
            expect("days add up", [sum(day[at] for day in stats[1:]) for at in (1, 4, 5, 6, 7)], [10, 5, 6, 3, 2])
            expect("counted anew", server.call(OP_RECONCILE, BATCH_ID.pack(batch)), [whole])
            refusals = {item[0]: item[2] for item in server.call(OP_REFUSALS, BATCH_ID.pack(batch))}
            expect("refused", refusals.get(HOLDS_USER_LIMIT), 1)
            unknown = frame(OP_STATS, STATS_QUERY.pack(self.missing, 0, 1, 0), correlation=75)
            server.expect_fault("no batch", unknown, BATCH_UNKNOWN, 75)

    def follow_the_feed(self):
        name, window = f"handwritten {self.batch:x}".encode(), 4
        with step("a consumer is told every effect in order, no more than its window ahead"):
            feed = Connection(self.address)
            feed.hello(self.token)
            feed.send(frame(OP_SUBSCRIBE, SUBSCRIBE.pack(self.feed_epoch, 0, window, 0, bytes(7), name), correlation=7))
            expect("it stands", feed.read_reply(), (OP_SUBSCRIBE, 7, []))
            events, ahead = [], []
            # The newest effect on the batch is the claim of user 6.
            while (self.held, 6) not in (event[5:7] for event in events):
                opcode, correlation, more = feed.read_reply()
                if opcode == OP_ACKNOWLEDGE:
                    expect("acknowledged", (correlation, more[0][0]), (8, DONE))
                    continue
                expect("opcode, correlation", (opcode, correlation), (OP_SUBSCRIBE, 7))
                events, ahead = events + more, ahead + more
                if len(ahead) > window:
                    raise Difference(f"{len(ahead)} events are ahead")
                if len(ahead) == window:
                    epoch, index = ahead[-1][:2]
                    feed.send(frame(OP_ACKNOWLEDGE, ACKNOWLEDGE.pack(7, epoch, index + 1, 0), correlation=8))
                    ahead = []
            places = [event[:2] for event in events]
            expect("in order", places, sorted(set(places)))
            kinds = [E_CREATED, E_RESERVED, E_EXTENDED, E_CONFIRMED, E_RESERVED, E_CANCELLED, E_CANCELLED_AHEAD,
                     E_GRANTED, E_LOCKED, E_UNLOCKED, E_LOCKED, E_REDEEMED, E_RESTORED, E_LOCKED, E_REDEEMED,
                     E_RETURNED, E_VOIDED, E_GRANTED]
            # What has several runs of serials is several events in a row: kind, user, request and order are the same.
            ours = [(event[2], *event[6:9]) for event in events if event[5] == self.held]
            expect("kinds", [kind for (kind, *_), _ in itertools.groupby(ours)], kinds)
        with step("an acknowledgement beyond what was sent is refused"):
            feed.send(frame(OP_ACKNOWLEDGE, ACKNOWLEDGE.pack(7, 2**63, 0, 0), correlation=9))
            while (reply := feed.read_reply())[1] != 9:
                pass
            expect("status", reply[2][0][0], CURSOR_INVALID)
        with step("the consumer is listed, and forgotten"):
            def listed():
                infos = self.server.call(OP_FEED_LIST, PAGE.pack(0, 1024))
                return [info[2] for info in infos if text(info[5]).encode() == name]
            expect("connected", listed(), [1])
            feed.close()
            expect("forgotten", self.server.call(OP_FORGET, FORGET.pack(name))[0][0], DONE)
            expect("twice", self.server.call(OP_FORGET, FORGET.pack(name))[0][0], REQUEST_UNKNOWN)
            expect("not listed", listed(), [])

    def refused_in_step(self):
        server = self.server
        ping, claim = PING.pack(5), CLAIM.pack(self.batch, 50, 1, 0, 1, 0, 0)
        bad_claim = CLAIM.pack(self.batch, 51, 1, 0, 1, 2, 0)
        cases = [
            ("a flag in the header", MALFORMED, frame(OP_PING, ping, correlation=80, flags=1)),
            ("a reserved bit in the header", MALFORMED, frame(OP_PING, ping, correlation=80, reserved=1 << 31)),
            ("a count of zero", MALFORMED, frame(OP_CLAIM, b"", 0, 80)),
            ("a body longer than its items", MALFORMED, frame(OP_PING, ping + b"x", 1, 80)),
            ("an unknown flag in a claim", MALFORMED, frame(OP_CLAIM, claim + bad_claim, 2, 80)),
            ("an unknown action", MALFORMED, frame(OP_CHANGE, CHANGE.pack(self.batch, 7, bytes(7)), 1, 80)),
            ("a page of no batches", MALFORMED, frame(OP_LIST, LIST.pack(0, 0, 0), 1, 80)),
            ("too many items", FRAME_TOO_LARGE, frame(OP_PING, ping * 2, 2, 80)),
            ("an unknown opcode", OPCODE_UNKNOWN, frame(0x55, ping, 1, 80)),
            ("a reply sent to the server", OPCODE_UNKNOWN, frame(OP_PING | REPLY_BIT, ping, 1, 80)),
            ("a second handshake", HANDSHAKE_REQUIRED, frame(OP_HELLO, bytes(128), 1, 80)),
        ]
        for what, status, data in cases:
            with step(f"{what} is a fault, and the connection goes on"):
                server.expect_fault(what, data, status, 80)
        with step("no item of a refused frame had an effect"):
            expect_refused("its neighbour", server.lookup(self.batch, 50, 1), REQUEST_UNKNOWN)

    def purge(self):
        server, batch = self.server, self.held
        with step("a purged batch is forgotten"):
            expect_batch("active", server.change(batch, PURGE), status=STATE_CONFLICT, state=STATE_ACTIVE)
            for action, state in ((END, STATE_ENDED), (CLOSE, STATE_CLOSED)):
                expect_batch("changed", server.change(batch, action), status=DONE, state=state)
            expect("still in the wallet", len([item for item in server.wallet(4) if item[0] == batch]), 3)
            expect_batch("purged", server.change(batch, PURGE), status=DONE, state=0)
            expect_batch("shown", server.show(batch)[0], status=BATCH_UNKNOWN, state=0)
            expect("not in the wallet", [item for item in server.wallet(4) if item[0] == batch], [])
            expect_refused("claim", server.claim(batch, 4, 1, 3), BATCH_UNKNOWN)

    def end_and_close(self):
        server, batch = self.server, self.batch
        totals = {"total": 25, "granted": 23, "remaining": 2}
        with step("an ended batch refuses new claims and stock, and replays old claims and additions"):
            expect_batch("ended", server.change(batch, END), status=DONE, state=STATE_ENDED, **totals)
            expect_batch("end again", server.change(batch, END), status=DONE, state=STATE_ENDED)
            self.refuse("new claim", ENDED, 10, 1)
            self.all_replay("ended")
            expect_batch("new stock", server.add_stock(batch, 80, 1), status=ENDED, state=STATE_ENDED, **totals)
            expect_batch("old stock", server.add_stock(batch, 77, 5), status=DONE, state=STATE_ENDED, **totals)
            expect_batch("too much stock", server.add_stock(batch, 82, 2**32 - 1), status=STOCK_OVERFLOW)
            expect_batch("resume", server.change(batch, RESUME), status=STATE_CONFLICT, state=STATE_ENDED)
        with step("a closed batch has given its claims away"):
            expect_batch("closed", server.change(batch, CLOSE), status=DONE, state=STATE_CLOSED, **totals)
            expect_batch("close again", server.change(batch, CLOSE), status=DONE, state=STATE_CLOSED)
            expect_batch("end", server.change(batch, END), status=STATE_CONFLICT, state=STATE_CLOSED)
            self.refuse("new claim", CLOSED, 10, 1)
            self.refuse("old claim", CLOSED, 1, 1)
            expect_refused("look-up", server.lookup(batch, 1, 1), CLOSED)
            server.expect_fault("serials", frame(OP_SERIALS, REQUEST_KEY.pack(batch, 1, 1), correlation=72), CLOSED, 72)
            expect_batch("new stock", server.add_stock(batch, 81, 1), status=CLOSED, state=STATE_CLOSED)
            expect_batch("shown", server.show(batch)[0], status=DONE, state=STATE_CLOSED, name="twenty ✓", **totals)

    def refused_and_closed(self):
        ping = frame(OP_PING, PING.pack(5))
        hello = HELLO.pack(bytes(8), b"stranger", self.token.encode())
        first = [
            ("wrong magic", MALFORMED, b"GET / HTTP/1.1\r\n\r\n"),
            ("a ping", HANDSHAKE_REQUIRED, ping),
            ("an unknown opcode", OPCODE_UNKNOWN, frame(0x55, PING.pack(5))),
            ("a handshake with a reserved bit", MALFORMED, frame(OP_HELLO, b"\x01" + hello[1:])),
            ("a body over 128 bytes", FRAME_TOO_LARGE, frame(OP_CLAIM, b"", 5, length=160)),
        ]
        if self.token:
            wrong = HELLO.pack(bytes(8), b"stranger", b"not the token")
            first.append(("a wrong token", TOKEN_INVALID, frame(OP_HELLO, wrong)))
        later = [
            ("wrong magic", MALFORMED, b"stkd" + ping[4:]),
            ("wrong version", VERSION_UNSUPPORTED, frame(OP_PING, PING.pack(5), version=2)),
            ("oversized length", FRAME_TOO_LARGE, frame(OP_CLAIM, b"", 8192, length=262_145)),
            ("largest length", FRAME_TOO_LARGE, frame(OP_CLAIM, b"", 2**32 - 1, length=2**32 - 1)),
        ]
        for what, status, data in first + later:
            handshake_first = (what, status, data) in later
            moment = "after the handshake" if handshake_first else "as the first frame"
            with step(f"{what} {moment} closes the connection"), contextlib.closing(Connection(self.address)) as other:
                if handshake_first:
                    other.hello(self.token)
                other.expect_close(what, data, status)
        with step("the first connection did not notice"):
            self.server.ping()
            self.server.close()


def main():
    if len(sys.argv) not in (2, 3) or ":" not in sys.argv[1]:
        print("usage: handwritten_client.py HOST:PORT [TOKEN]", file=sys.stderr)
        sys.exit(2)
    host, _, port = sys.argv[1].rpartition(":")
    Walk((host.strip("[]"), int(port)), sys.argv[2] if len(sys.argv) == 3 else "").run()
    print("every answer was as specified")


if __name__ == "__main__":
    main()
