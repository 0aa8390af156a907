#!/usr/bin/env python3
"""Writes the golden bytes of the wire protocol. Derived from docs/protocol.md alone: shares no code with the server.

    python3 protocol/vectors.py            prints vectors.json
    python3 protocol/vectors.py --write    writes it beside this file
"""

import json
import pathlib
import struct
import sys

sys.dont_write_bytecode = True  # a run leaves nothing in the source tree

from layouts import (FAULTS, CLAIM_REFUSALS, LATER, REPLY_BODY_BYTES_MAX, REPLY_ITEMS, REQUEST_BODY_BYTES_MAX,
                     REQUEST_ITEMS, U32_MAX, U64_MAX, check_sizes, header, reply_bytes, request_bytes)


def shown(layout, item):
    """The item as JSON: 64-bit numbers as decimal strings."""
    wide = {name for name, code in layout if code == "Q"}
    return {name: str(value) if name in wide else value for name, value in item.items()}


def request(name, opcode, items, correlation=1, deadline_ms=0):
    shown_items = [shown(REQUEST_ITEMS[opcode], item) for item in items]
    return {"name": name, "opcode": opcode, "correlation": str(correlation), "deadline_ms": deadline_ms,
            "items": shown_items, "hex": request_bytes(opcode, items, correlation, deadline_ms).hex()}


def reply(name, opcode, items, correlation=1):
    return {"name": name, "opcode": opcode, "correlation": str(correlation),
            "items": [shown(REPLY_ITEMS[opcode], item) for item in items],
            "hex": reply_bytes(opcode, items, correlation).hex()}


def slug(status):
    return status.lower().replace("_", "-")


def hello(client_name="", token=""):
    return {"client_name": client_name, "token": token}


def claim(batch=7, user=1001, request=500, quantity=1, flags=0):
    return {"batch": batch, "user": user, "request": request, "quantity": quantity, "flags": flags}


def key(batch=7, user=1001, request=500):
    return {"batch": batch, "user": user, "request": request}


def create(batch=7, stock=10_000, per_user=1, starts_ms=0, ends_ms=0, flags=0, name=""):
    return {"batch": batch, "stock": stock, "per_user": per_user, "starts_ms": starts_ms, "ends_ms": ends_ms,
            "flags": flags, "name": name}


def claim_reply(status, flags=0, granted=0, run=0, serial=0, remaining=0, user_units=0, epoch=42):
    return {"status": status, "flags": flags, "granted": granted, "run": run, "serial": serial, "remaining": remaining,
            "user_units": user_units, "epoch": epoch}


def info(status, state, **fields):
    base = {"status": status, "state": state, "batch": 7, "total": 10_000, "granted": 4_662, "remaining": 5_338,
            "per_user": 1, "starts_ms": 0, "ends_ms": 0, "created_ms": 1_795_348_800_000, "epoch": 42,
            "name": "ten thousand"}
    return {**base, **fields}


def no_batch(status, batch=7, epoch=42):
    return {"status": status, "state": 0, "batch": batch, "total": 0, "granted": 0, "remaining": 0, "per_user": 0,
            "starts_ms": 0, "ends_ms": 0, "created_ms": 0, "epoch": epoch, "name": ""}


def requests():
    largest = claim(U64_MAX, U64_MAX - 1, U64_MAX - 2, 255, 1)
    actions = ["activate", "pause", "resume", "end", "close"]
    return [
        request("example-hello", "HELLO", [hello("example")]),
        request("hello-with-token", "HELLO", [hello("gateway-3", "correct horse battery staple")], correlation=9),
        request("hello-longest-texts", "HELLO", [hello("é" * 28, "0123456789abcdef" * 4)]),
        request("hello-empty", "HELLO", [hello()], correlation=0),
        request("ping", "PING", [{"nonce": 0x0102030405060708}], correlation=3),
        request("ping-largest", "PING", [{"nonce": U64_MAX}], correlation=U64_MAX, deadline_ms=U32_MAX),
        request("example-claim", "CLAIM", [claim(quantity=2)], correlation=2, deadline_ms=250),
        request("claim-up-to", "CLAIM", [claim(quantity=5, flags=1)]),
        request("claim-zero-ids", "CLAIM", [claim(0, 0, 0)], correlation=0),
        request("claim-largest", "CLAIM", [largest], correlation=U64_MAX, deadline_ms=U32_MAX),
        request("claim-three", "CLAIM", [claim(user=user, request=user * 10) for user in (1, 2, 3)], correlation=4),
        request("lookup", "LOOKUP", [key()]),
        request("lookup-two", "LOOKUP", [key(), key(U64_MAX, U64_MAX, U64_MAX)], deadline_ms=1),
        request("serials", "SERIALS", [key(7, 1002, 501)]),
        request("batch-create", "BATCH_CREATE", [create(name="ten thousand")]),
        request("batch-create-window", "BATCH_CREATE", [
            create(8, 1, 0, 1_795_348_800_000, 1_795_348_800_001, name="一分钟")]),
        request("batch-create-draft", "BATCH_CREATE", [create(9, flags=1)]),
        request("batch-create-largest", "BATCH_CREATE", [
            create(U64_MAX, U32_MAX, U32_MAX, U64_MAX - 1, U64_MAX, 1, "n" * 88)]),
        request("batch-create-two", "BATCH_CREATE", [create(1), create(2, name="second")]),
        request("batch-show", "BATCH_SHOW", [{"batch": 7}]),
        request("batch-show-two", "BATCH_SHOW", [{"batch": 7}, {"batch": U64_MAX}]),
        request("batch-list", "BATCH_LIST", [{"from": 0, "limit": 1024}]),
        request("batch-list-one", "BATCH_LIST", [{"from": 8, "limit": 1}]),
        *(request(f"batch-change-{action}", "BATCH_CHANGE", [{"batch": 7, "action": number}])
          for number, action in enumerate(actions, 1)),
        request("batch-change-two", "BATCH_CHANGE", [{"batch": 7, "action": 2}, {"batch": 8, "action": 4}]),
        request("batch-add-stock", "BATCH_ADD_STOCK", [{"batch": 7, "request": 77, "units": 500}]),
        request("batch-add-stock-largest", "BATCH_ADD_STOCK", [
            {"batch": U64_MAX, "request": U64_MAX, "units": U32_MAX}]),
    ]


def welcome(durability, **fields):
    base = {"protocol_version": 1, "durability": durability, "cores": 2, "claims_per_frame_max": 8192,
            "in_flight_claims_max": 65_536, "store_id": 0x1122334455667788, "durable_epoch": 41,
            "now_ms": 1_795_348_800_000, "server_version": "0.1.0"}
    return {**base, **fields}


def replies():
    grant = {"remaining": 5_338, "user_units": 2}
    states = ["draft", "scheduled", "active", "paused", "ended", "closed"]
    largest_info = info("DONE", 6, batch=U64_MAX, total=U32_MAX, granted=U32_MAX - 1, remaining=1, per_user=U32_MAX,
                        starts_ms=U64_MAX - 2, ends_ms=U64_MAX - 1, created_ms=U64_MAX, epoch=U64_MAX, name="é" * 44)
    return [
        reply("example-welcome", "HELLO", [welcome(0)]),
        reply("welcome-os", "HELLO", [welcome(1, cores=65_535, server_version="12.34.56-0123456789abcde")]),
        reply("welcome-memory", "HELLO", [welcome(2, store_id=0, claims_per_frame_max=64, in_flight_claims_max=1)]),
        reply("ping-reply", "PING", [{"nonce": 0x0102030405060708}], correlation=3),
        reply("example-claim-reply", "CLAIM", [
            claim_reply("GRANTED", 0, 2, 2, 4_660, **grant)], correlation=2),
        reply("claim-reply-replayed", "CLAIM", [claim_reply("GRANTED", 1, 2, 2, 4_660, 0, 2, 99)]),
        reply("claim-reply-split", "CLAIM", [claim_reply("GRANTED", 2, 5, 3, 9_997, 0, 5)]),
        reply("claim-reply-largest", "CLAIM", [
            claim_reply("GRANTED", 3, 255, 254, U32_MAX, U32_MAX, U32_MAX, U64_MAX)], correlation=U64_MAX),
        *(reply(f"claim-refused-{slug(status)}", "CLAIM", [claim_reply(status)])
          for status in CLAIM_REFUSALS),
        reply("claim-reply-three", "CLAIM", [
            claim_reply("GRANTED", 0, 1, 1, 0, 9, 1), claim_reply("LIMIT_REACHED", user_units=1),
            claim_reply("SOLD_OUT", epoch=43)], correlation=4),
        reply("lookup-granted", "LOOKUP", [claim_reply("GRANTED", 1, 2, 2, 4_660, **grant)]),
        reply("lookup-unknown", "LOOKUP", [claim_reply("REQUEST_UNKNOWN"), claim_reply("BATCH_UNKNOWN", epoch=0)]),
        reply("serials-one-run", "SERIALS", [{"first": 4_660, "count": 2}]),
        reply("serials-runs", "SERIALS", [
            {"first": 9_997, "count": 3}, {"first": 0, "count": 1}, {"first": U32_MAX, "count": 1}]),
        *(reply(f"batch-show-{state}", "BATCH_SHOW", [info("DONE", number)]) for number, state in enumerate(states, 1)),
        reply("batch-show-largest", "BATCH_SHOW", [largest_info]),
        reply("batch-show-unknown", "BATCH_SHOW", [info("DONE", 3), no_batch("BATCH_UNKNOWN", U64_MAX)]),
        reply("batch-create-done", "BATCH_CREATE", [info("DONE", 3, granted=0, remaining=10_000)]),
        reply("batch-create-conflict", "BATCH_CREATE", [info("BATCH_CONFLICT", 3)]),
        reply("batch-create-impossible", "BATCH_CREATE", [no_batch("TERMS_INVALID")]),
        *(reply(f"batch-create-{slug(status)}", "BATCH_CREATE", [no_batch(status, epoch=0)])
          for status in LATER),
        reply("batch-list-empty", "BATCH_LIST", []),
        reply("batch-list-two", "BATCH_LIST", [info("DONE", 3), info("DONE", 1, batch=9, name="")]),
        reply("batch-change-done", "BATCH_CHANGE", [info("DONE", 4)]),
        reply("batch-change-conflict", "BATCH_CHANGE", [info("STATE_CONFLICT", 6)]),
        reply("batch-add-stock-done", "BATCH_ADD_STOCK", [info("DONE", 3, total=10_500, remaining=5_838)]),
        *(reply(f"batch-add-stock-{slug(status)}", "BATCH_ADD_STOCK", [info(status, state)])
          for status, state in [("BATCH_CONFLICT", 3), ("QUANTITY_INVALID", 3), ("STOCK_OVERFLOW", 3), ("ENDED", 5),
                                ("CLOSED", 6)]),
        *(reply(f"fault-{slug(status)}", "FAULT", [
            {"status": status, "version": 1, "text": f"refused: {status}"}]) for status in FAULTS),
        reply("fault-longest-text", "FAULT", [{"status": "MALFORMED", "version": 1, "text": "é" * 60}], correlation=0),
    ]


def item_refusals():
    bad_name = bytearray(request_bytes("BATCH_CREATE", [create(name="ab")]))
    bad_name[32 + 40 + 1] = 0xFF  # no UTF-8 has this byte
    late_name = bytearray(request_bytes("BATCH_CREATE", [create(name="ab")]))
    late_name[-1] = ord("x")  # after the first zero
    def of_create(**fields):
        return "BATCH_CREATE", "TERMS_INVALID", request_bytes("BATCH_CREATE", [create(**fields)])

    add_nothing = request_bytes("BATCH_ADD_STOCK", [{"batch": 7, "request": 77, "units": 0}])
    cases = [
        ("claim-quantity-zero", "CLAIM", "QUANTITY_INVALID", request_bytes("CLAIM", [claim(quantity=0)])),
        ("add-no-units", "BATCH_ADD_STOCK", "QUANTITY_INVALID", add_nothing),
        ("create-no-stock", *of_create(stock=0)),
        ("create-window-empty", *of_create(starts_ms=5, ends_ms=5)),
        ("create-window-reversed", *of_create(starts_ms=6, ends_ms=5)),
        ("create-name-control", *of_create(name="a\nb")),
        ("create-name-control-c1", *of_create(name="a\u0085b")),
        ("create-name-not-utf8", "BATCH_CREATE", "TERMS_INVALID", bytes(bad_name)),
        ("create-name-after-end", "BATCH_CREATE", "TERMS_INVALID", bytes(late_name)),
    ]
    fields = ("name", "opcode", "status")
    return [dict(zip(fields, case)) | {"hex": case[3].hex()} for case in cases]


def verdict(name, verdict, status, data, correlation=0, reader="server", layer="frame", before_handshake=False,
            skip=None):
    entry = {"name": name, "reader": reader, "before_handshake": before_handshake, "layer": layer, "verdict": verdict}
    if status:
        entry |= {"status": status, "correlation": str(correlation)}
    if verdict == "fault":
        entry["skip"] = len(data) if skip is None else skip
    return entry | {"hex": data.hex()}


def invalid_closing():
    """Bytes whose end cannot be known, and bytes that are not all here."""
    ping, pong = request_bytes("PING", [{"nonce": 5}], 6), reply_bytes("PING", [{"nonce": 5}], 6)
    partial = [
        ("nothing", "server", b""),
        ("one-byte", "server", ping[:1]),
        ("magic-only", "server", ping[:4]),
        ("header-less-one", "server", ping[:31]),
        ("header-without-body", "server", ping[:32]),
        ("body-less-one", "server", ping[:-1]),
        ("reply-less-one", "client", pong[:-1]),
        ("longest-body-announced", "server", header(0x10, REQUEST_BODY_BYTES_MAX, 8192)),
        ("longest-reply-announced", "client", header(0x90, REPLY_BODY_BYTES_MAX, 8192)),
    ]
    magic = [
        ("http", "server", b"GET / HTTP/1.1\r\n\r\n"),
        ("magic-first-byte", "server", b"X"),
        ("magic-last-byte", "server", b"STKX"),
        ("magic-wrong", "server", b"stkd" + ping[4:]),
        ("magic-wrong-in-reply", "client", b"DKTS" + pong[4:]),
    ]
    version = [
        ("version-0", "server", header(0x02, 8, 1, 6, version=0) + bytes(8)),
        ("version-2", "server", header(0x02, 8, 1, 6, version=2) + bytes(8)),
        ("version-255-header-alone", "server", header(0x02, 8, 1, 6, version=255)),
        ("version-2-in-reply", "client", header(0x82, 8, 1, 6, version=2)),
        ("version-before-length", "server", header(0x10, U32_MAX, U32_MAX, 6, version=2)),
    ]
    too_large = [
        ("body-too-long", "server", header(0x10, REQUEST_BODY_BYTES_MAX + 1, 8192, 6)),
        ("body-longest-number", "server", header(0x10, U32_MAX, U32_MAX, 6)),
        ("claims-8193", "server", header(0x10, 8193 * 32, 8193, 6)),
        ("length-before-opcode", "server", header(0x55, REQUEST_BODY_BYTES_MAX + 1, 1, 6)),
        ("reply-too-long", "client", header(0x90, REPLY_BODY_BYTES_MAX + 1, 8192, 6)),
    ]
    too_large_before_handshake = [
        ("before-handshake-too-long", "server", header(0x01, 129, 1, 6)),
        ("before-handshake-claims", "server", header(0x10, 160, 5, 6)),
    ]

    def closing(status, correlation, cases, **options):
        return [verdict(name, "close", status, data, correlation, reader, **options) for name, reader, data in cases]

    return [
        *(verdict(name, "incomplete", None, data, reader=reader) for name, reader, data in partial),
        verdict("longest-hello-announced", "incomplete", None, header(0x01, 128, 1), before_handshake=True),
        *closing("MALFORMED", 0, magic),
        *closing("VERSION_UNSUPPORTED", 6, version),
        *closing("FRAME_TOO_LARGE", 6, too_large),
        *closing("FRAME_TOO_LARGE", 6, too_large_before_handshake, before_handshake=True),
    ]


def invalid_in_step():
    """Frames whose end is known and whose header is wrong."""
    body = bytes(8)
    pong = reply_bytes("PING", [{"nonce": 5}], 6)
    cases = [
        ("opcode-unknown", "OPCODE_UNKNOWN", header(0x55, 8, 1, 6) + body),
        ("opcode-zero", "OPCODE_UNKNOWN", header(0x00, 0, 0, 6)),
        ("opcode-fault-as-request", "OPCODE_UNKNOWN", header(0x7F, 0, 0, 6)),
        ("opcode-of-a-reply", "OPCODE_UNKNOWN", pong),
        ("opcode-before-flags", "OPCODE_UNKNOWN", header(0x55, 8, 1, 6, flags=1) + body),
        ("count-zero", "MALFORMED", header(0x10, 0, 0, 6)),
        ("count-zero-with-body", "MALFORMED", header(0x10, 32, 0, 6) + bytes(32)),
        ("count-two-pings", "FRAME_TOO_LARGE", header(0x02, 16, 2, 6) + bytes(16)),
        ("count-largest", "FRAME_TOO_LARGE", header(0x02, 8, U32_MAX, 6) + body),
        ("count-8193-without-body", "FRAME_TOO_LARGE", header(0x10, 0, 8193, 6)),
        ("count-1025-lists", "FRAME_TOO_LARGE", header(0x21, 1025 * 8, 1025, 6) + bytes(1025 * 8)),
        ("count-before-flags", "FRAME_TOO_LARGE", header(0x02, 16, 2, 6, flags=1) + bytes(16)),
        ("body-longer-than-items", "MALFORMED", header(0x02, 9, 1, 6) + bytes(9)),
        ("body-shorter-than-items", "MALFORMED", header(0x02, 7, 1, 6) + bytes(7)),
        ("body-without-items", "MALFORMED", header(0x02, 0, 1, 6)),
        ("count-times-size-wraps", "FRAME_TOO_LARGE", header(0x10, 0, 1 << 27, 6)),
        ("flags-first-bit", "MALFORMED", header(0x02, 8, 1, 6, flags=1) + body),
        ("flags-last-bit", "MALFORMED", header(0x02, 8, 1, 6, flags=0x8000) + body),
        ("reserved-first-bit", "MALFORMED", header(0x02, 8, 1, 6, reserved=1) + body),
        ("reserved-last-bit", "MALFORMED", header(0x02, 8, 1, 6, reserved=0x80000000) + body),
    ]
    of_client = [
        ("opcode-unknown-in-reply", "OPCODE_UNKNOWN", header(0xD5, 8, 1, 6) + body),
        ("opcode-of-a-request", "OPCODE_UNKNOWN", header(0x02, 8, 1, 6) + body),
        ("count-zero-in-reply", "MALFORMED", header(0x90, 0, 0, 6)),
        ("count-two-welcomes", "FRAME_TOO_LARGE", header(0x81, 128, 2, 6) + bytes(128)),
        ("count-256-runs", "FRAME_TOO_LARGE", header(0x92, 256 * 8, 256, 6) + bytes(256 * 8)),
        ("body-longer-than-items-in-reply", "MALFORMED", header(0x82, 16, 1, 6) + bytes(16)),
        ("flags-in-reply", "MALFORMED", header(0x82, 8, 1, 6, flags=2) + body),
        ("reserved-in-reply", "MALFORMED", header(0x82, 8, 1, 6, reserved=2) + body),
    ]
    followed = header(0x55, 8, 1, 6) + body + pong
    return [
        *(verdict(name, "fault", status, data, 6) for name, status, data in cases),
        *(verdict(name, "fault", status, data, 6, reader="client") for name, status, data in of_client),
        verdict("then-another-frame", "fault", "OPCODE_UNKNOWN", followed, 6, skip=40),
    ]


def invalid_items():
    """Frames whose header is right and one of whose items is not: the whole frame is refused."""

    def altered(opcode, items, offset, bits):
        data = bytearray(request_bytes(opcode, items, 6))
        data[32 + offset] |= bits
        return bytes(data)

    create_one, add_one = [create()], [{"batch": 7, "request": 77, "units": 500}]
    change_one, list_one = [{"batch": 7, "action": 2}], [{"from": 0, "limit": 1}]
    cases = [
        ("claim-reserved-first", altered("CLAIM", [claim()], 24, 0x01)),
        ("claim-reserved-last", altered("CLAIM", [claim()], 31, 0x80)),
        ("claim-flag-unknown", altered("CLAIM", [claim()], 29, 0x02)),
        ("claim-second-of-two", altered("CLAIM", [claim(), claim(user=2)], 32 + 30, 0x01)),
        ("create-flag-unknown", altered("BATCH_CREATE", create_one, 32, 0x02)),
        ("create-reserved-first", altered("BATCH_CREATE", create_one, 33, 0x01)),
        ("create-reserved-last", altered("BATCH_CREATE", create_one, 39, 0x80)),
        ("list-reserved", altered("BATCH_LIST", list_one, 15, 0x80)),
        ("list-limit-zero", request_bytes("BATCH_LIST", [{"from": 0, "limit": 0}], 6)),
        ("list-limit-1025", request_bytes("BATCH_LIST", [{"from": 0, "limit": 1025}], 6)),
        ("change-action-zero", request_bytes("BATCH_CHANGE", [{"batch": 7, "action": 0}], 6)),
        ("change-action-six", request_bytes("BATCH_CHANGE", [{"batch": 7, "action": 6}], 6)),
        ("change-reserved-first", altered("BATCH_CHANGE", change_one, 9, 0x01)),
        ("change-reserved-last", altered("BATCH_CHANGE", change_one, 15, 0x80)),
        ("add-reserved", altered("BATCH_ADD_STOCK", add_one, 23, 0x80)),
    ]
    of_hello = [
        ("hello-reserved", altered("HELLO", [hello("example")], 0, 0x01)),
        ("hello-name-not-utf8", altered("HELLO", [hello("example")], 8, 0xFF)),
        ("hello-name-after-end", altered("HELLO", [hello("example")], 63, 0x41)),
        ("hello-name-control", request_bytes("HELLO", [hello("a\tb")], 6)),
        ("hello-token-after-end", altered("HELLO", [hello("example", "secret")], 127, 0x41)),
        ("hello-token-control", request_bytes("HELLO", [hello("example", "a\x7fb")], 6)),
    ]
    return [
        *(verdict(name, "fault", "MALFORMED", data, 6, layer="item") for name, data in cases),
        *(verdict(name, "close", "MALFORMED", data, 6, layer="item", before_handshake=True) for name, data in of_hello),
    ]


def uuids():
    cases = ["123e4567-e89b-12d3-a456-426614174000", "00000000-0000-0000-0000-000000000000",
             "00112233-4455-6677-8899-aabbccddeeff", "ffffffff-ffff-ffff-0000-000000000001"]
    halves = [struct.unpack(">QQ", bytes.fromhex(text.replace("-", ""))) for text in cases]
    return [{"uuid": text, "request": str(high ^ low)} for text, (high, low) in zip(cases, halves)]


def main():
    check_sizes()
    sections = {"requests": requests(), "replies": replies(), "item_refusals": item_refusals(),
                "invalid": invalid_closing() + invalid_in_step() + invalid_items(), "uuids": uuids()}
    # One vector a line: a change shows as the lines it touches.
    parts = []
    for name, entries in sections.items():
        lines = ",\n".join("    " + json.dumps(entry, ensure_ascii=False) for entry in entries)
        parts.append(f"  {json.dumps(name)}: [\n{lines}\n  ]")
    text = '{\n  "version": 1,\n' + ",\n".join(parts) + "\n}\n"
    if sys.argv[1:] == ["--write"]:
        pathlib.Path(__file__).with_name("vectors.json").write_text(text, encoding="utf-8")
    else:
        sys.stdout.buffer.write(text.encode())


if __name__ == "__main__":
    main()
