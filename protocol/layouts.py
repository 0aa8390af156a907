"""The layouts of docs/protocol.md as tables, and bytes from them. Shares no code with the server."""

import pathlib
import re
import struct

U8_MAX, U16_MAX, U32_MAX, U64_MAX = 2**8 - 1, 2**16 - 1, 2**32 - 1, 2**64 - 1
I32_MIN, I32_MAX = -2**31, 2**31 - 1

# §2
REQUEST_BODY_BYTES_MAX, REPLY_BODY_BYTES_MAX = 262_144, 262_144
PAGE_MAX, FEED_WINDOW_MAX = 1_024, 65_536

# §3: the number of each opcode, and of request and reply the bytes of an item, the fewest items and the most.
OPCODES = {
    "HELLO": (0x01, (128, 1, 1), (64, 1, 1)),
    "PING": (0x02, (8, 1, 1), (8, 1, 1)),
    "CLIENT_LIST": (0x03, (8, 1, 1), (64, 0, 1024)),
    "CLAIM": (0x10, (32, 1, 8192), (24, 1, 8192)),
    "LOOKUP": (0x11, (24, 1, 8192), (24, 1, 8192)),
    "SERIALS": (0x12, (24, 1, 1), (8, 1, 255)),
    "RESERVE": (0x13, (32, 1, 8192), (24, 1, 8192)),
    "CONFIRM": (0x14, (24, 1, 8192), (24, 1, 8192)),
    "CANCEL": (0x15, (24, 1, 8192), (24, 1, 8192)),
    "EXTEND": (0x16, (32, 1, 8192), (24, 1, 8192)),
    "BATCH_CREATE": (0x20, (256, 1, 1024), (256, 1, 1024)),
    "BATCH_SHOW": (0x21, (8, 1, 1024), (256, 1, 1024)),
    "BATCH_LIST": (0x22, (16, 1, 1), (256, 0, 1024)),
    "BATCH_CHANGE": (0x23, (16, 1, 1024), (256, 1, 1024)),
    "BATCH_ADD_STOCK": (0x24, (24, 1, 1024), (256, 1, 1024)),
    "BATCH_EDIT": (0x25, (256, 1, 1024), (256, 1, 1024)),
    "BATCH_WITHDRAW": (0x26, (24, 1, 1024), (256, 1, 1024)),
    "BATCH_STATS": (0x27, (24, 1, 1), (64, 1, 1024)),
    "BATCH_REFUSALS": (0x28, (8, 1, 1), (16, 0, 255)),
    "BATCH_RECONCILE": (0x29, (8, 1, 1), (64, 1, 1)),
    "COUPON_CHANGE": (0x30, (32, 1, 8192), (24, 1, 8192)),
    "COUPON_SHOW": (0x31, (16, 1, 1024), (80, 1, 1024)),
    "COUPON_LIST": (0x32, (24, 1, 1), (80, 0, 1024)),
    "COUPON_LOG": (0x33, (16, 1, 1), (64, 0, 1024)),
    "WALLET": (0x34, (40, 1, 1), (64, 0, 1024)),
    "FEED_SUBSCRIBE": (0x40, (64, 1, 1), (64, 0, 4096)),
    "FEED_ACKNOWLEDGE": (0x41, (24, 1, 1), (16, 1, 1)),
    "FEED_LIST": (0x42, (8, 1, 1), (64, 0, 1024)),
    "FEED_FORGET": (0x43, (40, 1, 1), (16, 1, 1)),
    "FAULT": (0x7F, None, (128, 1, 1)),
}
NUMBERS = {name: number for name, (number, _, _) in OPCODES.items()}
REPLY_BIT = 0x80

# §13: the number of each status.
STATUSES = {
    "GRANTED": 1, "DONE": 2, "RESERVED": 3,
    "MALFORMED": 10, "VERSION_UNSUPPORTED": 11, "OPCODE_UNKNOWN": 12, "FRAME_TOO_LARGE": 13,
    "HANDSHAKE_REQUIRED": 14, "TOKEN_INVALID": 15, "FORBIDDEN": 16,
    "DEADLINE_PASSED": 20, "OVERLOADED": 21, "NO_SPACE": 22, "UNAVAILABLE": 23,
    "BATCH_UNKNOWN": 30, "BATCH_CONFLICT": 31, "STATE_CONFLICT": 32, "TERMS_INVALID": 33, "QUANTITY_INVALID": 34,
    "STOCK_OVERFLOW": 35, "TTL_INVALID": 36, "ZONE_INVALID": 37, "CURSOR_INVALID": 38, "CURSOR_TOO_OLD": 39,
    "REQUEST_CONFLICT": 40, "REQUEST_UNKNOWN": 41, "RESERVATION_CONFIRMED": 42, "RESERVATION_CANCELLED": 43,
    "RESERVATION_EXPIRED": 44, "RESERVATION_EXTENDED": 45, "HISTORY_FULL": 46,
    "BATCH_DRAFT": 50, "NOT_STARTED": 51, "PAUSED": 52, "ENDED": 53, "CLOSED": 54,
    "AUDIENCE_REFUSED": 55, "QUANTITY_ABOVE_LIMIT": 56, "HOLDS_USER_LIMIT": 57, "HOLDS_BATCH_LIMIT": 58,
    "DAY_LIMIT_REACHED": 59, "LIMIT_REACHED": 60, "SOLD_OUT": 61, "DAY_SOLD_OUT": 62,
    "SERIAL_UNKNOWN": 64, "NOT_YOURS": 65, "ORDER_ENDED": 66, "ORDER_CONFLICT": 67, "COUPON_STATE_CONFLICT": 68,
    "COUPON_EXPIRED": 69,
}
# §13: what comes as a fault.
FAULTS = [name for name, number in STATUSES.items() if 10 <= number <= 23] + [
    "BATCH_UNKNOWN", "CURSOR_INVALID", "CURSOR_TOO_OLD", "REQUEST_UNKNOWN", "RESERVATION_CANCELLED",
    "RESERVATION_EXPIRED", "CLOSED", "SERIAL_UNKNOWN"]
LATER = ["DEADLINE_PASSED", "OVERLOADED", "NO_SPACE", "UNAVAILABLE"]
# §6, §8, §9: how each request of the claim reply may be refused.
NOT_NOW = ["BATCH_DRAFT", "NOT_STARTED", "PAUSED", "ENDED", "CLOSED", "AUDIENCE_REFUSED", "QUANTITY_ABOVE_LIMIT"]
NO_ROOM = ["DAY_LIMIT_REACHED", "LIMIT_REACHED", "SOLD_OUT", "DAY_SOLD_OUT"]
SETTLED = ["RESERVATION_CANCELLED", "RESERVATION_EXPIRED"]
CLAIM_REFUSALS = {
    "CLAIM": [*LATER, "BATCH_UNKNOWN", "QUANTITY_INVALID", "REQUEST_CONFLICT", *NOT_NOW, *NO_ROOM],
    "LOOKUP": [*LATER, "BATCH_UNKNOWN", "REQUEST_UNKNOWN", *SETTLED, "CLOSED"],
    "RESERVE": [*LATER, "BATCH_UNKNOWN", "QUANTITY_INVALID", "TTL_INVALID", "REQUEST_CONFLICT", *SETTLED,
                "HISTORY_FULL", *NOT_NOW, "HOLDS_USER_LIMIT", "HOLDS_BATCH_LIMIT", *NO_ROOM],
    "CONFIRM": ["DEADLINE_PASSED", "OVERLOADED", "UNAVAILABLE", "BATCH_UNKNOWN", "REQUEST_CONFLICT", "REQUEST_UNKNOWN",
                *SETTLED, "CLOSED"],
    "CANCEL": ["DEADLINE_PASSED", "OVERLOADED", "UNAVAILABLE", "BATCH_UNKNOWN", "REQUEST_CONFLICT",
               "RESERVATION_CONFIRMED", "RESERVATION_EXPIRED", "CLOSED"],
    "EXTEND": [*LATER, "BATCH_UNKNOWN", "TTL_INVALID", "REQUEST_CONFLICT", "REQUEST_UNKNOWN", "RESERVATION_CONFIRMED",
               *SETTLED, "RESERVATION_EXTENDED", "CLOSED"],
}

# §10 and §12: numbers that stand in items.
COUPON_STATES = ["reserved", "granted", "locked", "redeemed", "returned", "voided", "expired", "cancelled", "lapsed"]
COUPON_ACTIONS = ["lock", "unlock", "redeem", "restore", "return", "void"]
BATCH_STATES = ["draft", "scheduled", "active", "paused", "ended", "closed"]
BATCH_ACTIONS = ["activate", "pause", "resume", "end", "close", "purge"]
KINDS = {
    "granted": 1, "reserved": 2, "confirmed": 3, "cancelled": 4, "lapsed": 5, "extended": 6, "cancelled_ahead": 7,
    "locked": 8, "unlocked": 9, "redeemed": 10, "restored": 11, "returned": 12, "voided": 13, "batch_created": 20,
    "batch_changed": 21, "batch_added": 22, "batch_withdrawn": 23, "batch_edited": 24, "batch_purged": 25,
    "batch_expired": 26, "batch_condensed": 27,
}
# §9: the bit of `fields` that changes each field of a batch.
EDIT_BITS = {
    "name": 0, "per_user": 1, "per_user_day": 2, "per_day": 3, "quantity_max": 4, "audience_all": 5, "audience_any": 5,
    "audience_none": 5, "holds_per_user": 6, "holds_share": 6, "starts_ms": 7, "ends_ms": 8,
}

# The layouts, as (field, struct code). "<n>s" is text, "<n>x" reserved, "status" a status name, "cursor" hexadecimal.
REQUEST_KEY = [("batch", "Q"), ("user", "Q"), ("request", "Q")]
BATCH_ID = [("batch", "Q")]
PAGE = [("from", "I"), ("limit", "I")]
STOCK = [("batch", "Q"), ("request", "Q"), ("units", "I"), ("", "4x")]
COUPON_KEY = [("batch", "Q"), ("serial", "I"), ("", "4x")]
AUDIENCE = [("audience_all", "I"), ("audience_any", "I"), ("audience_none", "I")]


def terms(stock, flags, edit):
    """What creates or edits a batch. Some fields are reserved in the one, some in the other."""
    return [("batch", "Q"), stock, ("per_user", "I"), ("starts_ms", "Q"), ("ends_ms", "Q"), flags,
            ("quantity_max", "B"), ("valid_days", "H"), ("return_days", "H"), ("holds_share", "B"), ("", "1x"),
            ("name", "88s"), ("per_user_day", "I"), ("per_day", "I"), ("expires_ms", "Q"), *AUDIENCE,
            ("holds_per_user", "H"), ("", "2x"), ("zone", "40s"), *edit, ("", "48x")]


REQUEST_ITEMS = {
    "HELLO": [("", "8x"), ("client_name", "56s"), ("token", "64s")],
    "PING": [("nonce", "Q")],
    "CLIENT_LIST": PAGE,
    "CLAIM": [*REQUEST_KEY, ("audience", "I"), ("quantity", "B"), ("flags", "B"), ("", "2x")],
    "LOOKUP": REQUEST_KEY,
    "SERIALS": REQUEST_KEY,
    "RESERVE": [*REQUEST_KEY, ("audience", "I"), ("quantity", "B"), ("flags", "B"), ("ttl_s", "H")],
    "CONFIRM": REQUEST_KEY,
    "CANCEL": REQUEST_KEY,
    "EXTEND": [*REQUEST_KEY, ("ttl_s", "H"), ("", "6x")],
    "BATCH_CREATE": terms(("stock", "I"), ("flags", "B"), [("", "4x"), ("", "4x")]),
    "BATCH_SHOW": BATCH_ID,
    "BATCH_LIST": [("from", "Q"), ("limit", "I"), ("", "4x")],
    "BATCH_CHANGE": [("batch", "Q"), ("action", "B"), ("", "7x")],
    "BATCH_ADD_STOCK": STOCK,
    "BATCH_EDIT": terms(("", "4x"), ("", "1x"), [("fields", "I"), ("version", "I")]),
    "BATCH_WITHDRAW": STOCK,
    "BATCH_STATS": [("batch", "Q"), ("from_day", "i"), ("limit", "I"), ("see_epoch", "Q")],
    "BATCH_REFUSALS": BATCH_ID,
    "BATCH_RECONCILE": BATCH_ID,
    "COUPON_CHANGE": [("batch", "Q"), ("user", "Q"), ("order", "Q"), ("serial", "I"), ("action", "B"), ("", "3x")],
    "COUPON_SHOW": COUPON_KEY,
    "COUPON_LIST": [("batch", "Q"), ("from", "I"), ("limit", "I"), ("see_epoch", "Q")],
    "COUPON_LOG": COUPON_KEY,
    "WALLET": [("user", "Q"), ("states", "H"), ("limit", "H"), ("", "4x"), ("cursor", "16s"), ("see_epoch", "Q")],
    "FEED_SUBSCRIBE": [("epoch", "Q"), ("index", "I"), ("window", "I"), ("flags", "B"), ("", "7x"),
                       ("consumer", "40s")],
    "FEED_ACKNOWLEDGE": [("subscription", "Q"), ("epoch", "Q"), ("index", "I"), ("", "4x")],
    "FEED_LIST": PAGE,
    "FEED_FORGET": [("consumer", "40s")],
}
# Bits of a field that are reserved although the field is not.
REQUEST_BITS = {
    ("CLAIM", "flags"): 0xFE, ("RESERVE", "flags"): 0xFE, ("BATCH_CREATE", "flags"): 0xFE,
    ("FEED_SUBSCRIBE", "flags"): 0xFE, ("BATCH_EDIT", "fields"): 0xFFFF_FE00,
}
CLAIM_REPLY = [("status", "B"), ("flags", "B"), ("granted", "B"), ("run", "B"), ("serial", "I"), ("remaining", "I"),
               ("user_units", "H"), ("day_units", "H"), ("epoch", "Q")]
BATCH_INFO = [("status", "B"), ("state", "B"), ("", "2x"), ("moved", "I"), ("batch", "Q"), ("total", "I"),
              ("granted", "I"), ("remaining", "I"), ("per_user", "I"), ("starts_ms", "Q"), ("ends_ms", "Q"),
              ("created_ms", "Q"), ("epoch", "Q"), ("held", "I"), ("voided", "I"), ("name", "88s"),
              ("per_user_day", "I"), ("per_day", "I"), ("expires_ms", "Q"), *AUDIENCE, ("valid_days", "H"),
              ("return_days", "H"), ("quantity_max", "B"), ("holds_share", "B"), ("holds_per_user", "H"),
              ("version", "I"), ("zone", "40s"), ("day_units", "I"), ("", "12x")]
STATS = [("day", "i")] + [(name, "I") for name in (
    "added", "withdrawn", "remaining", "reserved", "granted", "locked", "redeemed", "unlocked", "restored", "returned",
    "voided", "expired", "cancelled", "lapsed", "confirmed")]
COUPON_INFO = [("status", "B"), ("state", "B"), ("", "2x"), ("serial", "I"), ("batch", "Q"), ("user", "Q"),
               ("request", "Q"), ("order", "Q"), ("taken_ms", "Q"), ("expires_ms", "Q"), ("changed_ms", "Q"),
               ("epoch", "Q"), ("new_serial", "I"), ("", "4x")]
EVENT = [("epoch", "Q"), ("index", "I"), ("kind", "B"), ("units", "B"), ("client", "H"), ("batch", "Q"), ("user", "Q"),
         ("request", "Q"), ("order", "Q"), ("time_ms", "Q"), ("serial", "I"), ("value", "I")]
ACKNOWLEDGED = [("status", "B"), ("", "7x"), ("epoch", "Q")]
REPLY_ITEMS = {
    "HELLO": [("protocol_version", "B"), ("durability", "B"), ("cores", "H"), ("claims_per_frame_max", "I"),
              ("in_flight_claims_max", "I"), ("ttl_s_max", "H"), ("", "2x"), ("store_id", "Q"), ("durable_epoch", "Q"),
              ("now_ms", "Q"), ("server_version", "24s")],
    "PING": [("nonce", "Q")],
    "CLIENT_LIST": [("client", "H"), ("", "6x"), ("name", "56s")],
    **dict.fromkeys(("CLAIM", "LOOKUP", "RESERVE", "CONFIRM", "CANCEL", "EXTEND"), CLAIM_REPLY),
    "SERIALS": [("first", "I"), ("count", "I")],
    **dict.fromkeys(("BATCH_CREATE", "BATCH_SHOW", "BATCH_LIST", "BATCH_CHANGE", "BATCH_ADD_STOCK", "BATCH_EDIT",
                     "BATCH_WITHDRAW"), BATCH_INFO),
    "BATCH_STATS": STATS,
    "BATCH_REFUSALS": [("status", "B"), ("", "7x"), ("count", "Q")],
    "BATCH_RECONCILE": STATS,
    "COUPON_CHANGE": [("status", "B"), ("state", "B"), ("flags", "B"), ("", "1x"), ("serial", "I"), ("order", "Q"),
                      ("epoch", "Q")],
    "COUPON_SHOW": COUPON_INFO,
    "COUPON_LIST": COUPON_INFO,
    "COUPON_LOG": EVENT,
    "WALLET": [("batch", "Q"), ("request", "Q"), ("cursor", "16s"), ("taken_ms", "Q"), ("expires_ms", "Q"),
               ("order", "Q"), ("serial", "I"), ("state", "B"), ("", "3x")],
    "FEED_SUBSCRIBE": EVENT,
    "FEED_ACKNOWLEDGE": ACKNOWLEDGED,
    "FEED_LIST": [("epoch", "Q"), ("index", "I"), ("connected", "B"), ("", "3x"), ("behind_bytes", "Q"),
                  ("consumer", "40s")],
    "FEED_FORGET": ACKNOWLEDGED,
    "FAULT": [("status", "B"), ("version", "B"), ("", "6x"), ("text", "120s")],
}


def pack_field(name, code, value):
    if name == "status":
        value = STATUSES[value]
    elif name == "cursor":
        value = bytes.fromhex(value)
        assert len(value) == 16, value
    elif code.endswith("s"):
        value = value.encode()
        assert len(value) <= int(code[:-1]), (name, len(value))
    return struct.pack("<" + code, value)


def pack_item(layout, item):
    """One item's bytes; every field of the layout must be given, and no other."""
    names = [name for name, _ in layout if name]
    assert sorted(names) == sorted(item), (names, item)
    return b"".join(pack_field(name, code, item[name]) if name else struct.pack("<" + code) for name, code in layout)


def item_bytes(layout):
    return struct.calcsize("<" + "".join(code for _, code in layout))


def places(layout):
    """The fields with their offsets: (offset, bytes, field)."""
    end = 0
    for name, code in layout:
        begin, end = end, end + struct.calcsize("<" + code)
        yield begin, end - begin, name


def header(opcode, body_bytes, count, correlation=0, deadline_ms=0, magic=b"STKD", version=1, flags=0, reserved=0):
    fields = (magic, version, opcode, flags, body_bytes, count, correlation, deadline_ms, reserved)
    return struct.pack("<4sBBHIIQII", *fields)


def request_bytes(opcode, items, correlation=1, deadline_ms=0):
    body = b"".join(pack_item(REQUEST_ITEMS[opcode], item) for item in items)
    return header(NUMBERS[opcode], len(body), len(items), correlation, deadline_ms) + body


def reply_bytes(opcode, items, correlation=1):
    body = b"".join(pack_item(REPLY_ITEMS[opcode], item) for item in items)
    return header(NUMBERS[opcode] | REPLY_BIT, len(body), len(items), correlation) + body


def check_layouts():
    """The sizes that §3 states, and the byte tables of the page: a slip in a layout above stops here."""
    for opcode, (_, request, reply) in OPCODES.items():
        assert request is None or item_bytes(REQUEST_ITEMS[opcode]) == request[0], opcode
        assert item_bytes(REPLY_ITEMS[opcode]) == reply[0], opcode
    assert len(header(0, 0, 0)) == 32

    page = pathlib.Path(__file__).parent.with_name("docs").joinpath("protocol.md").read_text(encoding="utf-8")
    tables = re.findall(r"^\*\*(`.*) items?, \d+ bytes\*\*\n\n\| offset .*\n\|.*\n((?:\|.*\n)+)", page, re.MULTILINE)
    seen = set()
    for title, table in tables:
        rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()]
        for direction, items in (("request", REQUEST_ITEMS), ("reply", REPLY_ITEMS)):
            for opcode in re.findall(r"`(\w+)`", title) if direction in title else []:
                written = [(int(offset), int(size), written_field(opcode, field.strip("`"), meaning))
                           for offset, size, field, meaning in rows]
                assert written == list(places(items[opcode])), (opcode, direction, written)
                seen.add((opcode, direction))
    assert seen == {(opcode, "request") for opcode in REQUEST_ITEMS} | {(opcode, "reply") for opcode in REPLY_ITEMS}


def written_field(opcode, field, meaning):
    """A field of a byte table as in the layouts: no name if it is reserved, always or for this opcode."""
    return "" if (field, meaning) == ("reserved", "") or f"`{opcode}`: reserved" in meaning else field
