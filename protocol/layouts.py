"""The layouts of docs/protocol.md as tables, and bytes from them. Shares no code with the server."""

import struct

U32_MAX, U64_MAX = 2**32 - 1, 2**64 - 1
REQUEST_BODY_BYTES_MAX, REPLY_BODY_BYTES_MAX = 262_144, 196_608

# §3: opcode numbers.
OPCODES = {
    "HELLO": 0x01, "PING": 0x02, "CLAIM": 0x10, "LOOKUP": 0x11, "SERIALS": 0x12, "BATCH_CREATE": 0x20,
    "BATCH_SHOW": 0x21, "BATCH_LIST": 0x22, "BATCH_CHANGE": 0x23, "BATCH_ADD_STOCK": 0x24, "FAULT": 0x7F,
}
REPLY_BIT = 0x80

# §9: status numbers, and which of them come as the status of a claim, of a batch item, or as a fault.
STATUSES = {
    "GRANTED": 1, "DONE": 2,
    "MALFORMED": 10, "VERSION_UNSUPPORTED": 11, "OPCODE_UNKNOWN": 12, "FRAME_TOO_LARGE": 13,
    "HANDSHAKE_REQUIRED": 14, "TOKEN_INVALID": 15, "FORBIDDEN": 16,
    "DEADLINE_PASSED": 20, "OVERLOADED": 21, "NO_SPACE": 22, "UNAVAILABLE": 23,
    "BATCH_UNKNOWN": 30, "BATCH_CONFLICT": 31, "STATE_CONFLICT": 32, "TERMS_INVALID": 33, "QUANTITY_INVALID": 34,
    "STOCK_OVERFLOW": 35, "REQUEST_CONFLICT": 40, "REQUEST_UNKNOWN": 41,
    "BATCH_DRAFT": 50, "NOT_STARTED": 51, "PAUSED": 52, "ENDED": 53, "CLOSED": 54,
    "LIMIT_REACHED": 60, "SOLD_OUT": 61,
}
LATER = ["DEADLINE_PASSED", "OVERLOADED", "NO_SPACE", "UNAVAILABLE"]
CLAIM_REFUSALS = LATER + ["BATCH_UNKNOWN", "QUANTITY_INVALID", "REQUEST_CONFLICT", "BATCH_DRAFT", "NOT_STARTED",
                          "PAUSED", "ENDED", "CLOSED", "LIMIT_REACHED", "SOLD_OUT"]
FAULTS = [name for name, number in STATUSES.items() if 10 <= number <= 23] + [
    "BATCH_UNKNOWN", "REQUEST_UNKNOWN", "CLOSED"]

# The layouts, as (field, struct code). "<n>s" is text, "<n>x" reserved, "status" a status name.
REQUEST_ITEMS = {
    "HELLO": [("", "8x"), ("client_name", "56s"), ("token", "64s")],
    "PING": [("nonce", "Q")],
    "CLAIM": [("batch", "Q"), ("user", "Q"), ("request", "Q"), ("", "4x"), ("quantity", "B"), ("flags", "B"),
              ("", "2x")],
    "LOOKUP": [("batch", "Q"), ("user", "Q"), ("request", "Q")],
    "SERIALS": [("batch", "Q"), ("user", "Q"), ("request", "Q")],
    "BATCH_CREATE": [("batch", "Q"), ("stock", "I"), ("per_user", "I"), ("starts_ms", "Q"), ("ends_ms", "Q"),
                     ("flags", "B"), ("", "7x"), ("name", "88s")],
    "BATCH_SHOW": [("batch", "Q")],
    "BATCH_LIST": [("from", "Q"), ("limit", "I"), ("", "4x")],
    "BATCH_CHANGE": [("batch", "Q"), ("action", "B"), ("", "7x")],
    "BATCH_ADD_STOCK": [("batch", "Q"), ("request", "Q"), ("units", "I"), ("", "4x")],
}
CLAIM_REPLY = [("status", "B"), ("flags", "B"), ("granted", "B"), ("run", "B"), ("serial", "I"), ("remaining", "I"),
               ("user_units", "I"), ("epoch", "Q")]
BATCH_INFO = [("status", "B"), ("state", "B"), ("", "6x"), ("batch", "Q"), ("total", "I"), ("granted", "I"),
              ("remaining", "I"), ("per_user", "I"), ("starts_ms", "Q"), ("ends_ms", "Q"), ("created_ms", "Q"),
              ("epoch", "Q"), ("", "8x"), ("name", "88s")]
REPLY_ITEMS = {
    "HELLO": [("protocol_version", "B"), ("durability", "B"), ("cores", "H"), ("claims_per_frame_max", "I"),
              ("in_flight_claims_max", "I"), ("", "4x"), ("store_id", "Q"), ("durable_epoch", "Q"), ("now_ms", "Q"),
              ("server_version", "24s")],
    "PING": [("nonce", "Q")],
    "CLAIM": CLAIM_REPLY,
    "LOOKUP": CLAIM_REPLY,
    "SERIALS": [("first", "I"), ("count", "I")],
    "BATCH_CREATE": BATCH_INFO,
    "BATCH_SHOW": BATCH_INFO,
    "BATCH_LIST": BATCH_INFO,
    "BATCH_CHANGE": BATCH_INFO,
    "BATCH_ADD_STOCK": BATCH_INFO,
    "FAULT": [("status", "B"), ("version", "B"), ("", "6x"), ("text", "120s")],
}


def pack_item(layout, item):
    """One item's bytes; every field of the layout must be given, and no other."""
    names = [name for name, _ in layout if name]
    assert sorted(names) == sorted(item), (names, item)
    out = b""
    for name, code in layout:
        if not name:
            out += struct.pack("<" + code)
        elif code.endswith("s"):
            text = item[name].encode()
            assert len(text) <= int(code[:-1]), (name, len(text))
            out += struct.pack("<" + code, text)
        else:
            out += struct.pack("<" + code, STATUSES[item[name]] if name == "status" else item[name])
    return out


def item_bytes(layout):
    return struct.calcsize("<" + "".join(code for _, code in layout))


def header(opcode, body_bytes, count, correlation=0, deadline_ms=0, magic=b"STKD", version=1, flags=0, reserved=0):
    fields = (magic, version, opcode, flags, body_bytes, count, correlation, deadline_ms, reserved)
    return struct.pack("<4sBBHIIQII", *fields)


def request_bytes(opcode, items, correlation=1, deadline_ms=0):
    body = b"".join(pack_item(REQUEST_ITEMS[opcode], item) for item in items)
    return header(OPCODES[opcode], len(body), len(items), correlation, deadline_ms) + body


def reply_bytes(opcode, items, correlation=1):
    body = b"".join(pack_item(REPLY_ITEMS[opcode], item) for item in items)
    return header(OPCODES[opcode] | REPLY_BIT, len(body), len(items), correlation) + body


def check_sizes():
    """The sizes that §3 states: a slip in a layout above stops here."""
    stated = {"HELLO": (128, 64), "PING": (8, 8), "CLAIM": (32, 24), "LOOKUP": (24, 24), "SERIALS": (24, 8),
              "BATCH_CREATE": (128, 160), "BATCH_SHOW": (8, 160), "BATCH_LIST": (16, 160), "BATCH_CHANGE": (16, 160),
              "BATCH_ADD_STOCK": (24, 160)}
    for opcode, sizes in stated.items():
        assert (item_bytes(REQUEST_ITEMS[opcode]), item_bytes(REPLY_ITEMS[opcode])) == sizes, opcode
    assert item_bytes(REPLY_ITEMS["FAULT"]) == 128 and len(header(0, 0, 0)) == 32
