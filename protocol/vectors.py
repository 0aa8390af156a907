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

from layouts import (BATCH_ACTIONS, BATCH_STATES, CLAIM_REFUSALS, COUPON_ACTIONS, COUPON_STATES, EDIT_BITS, FAULTS,
                     FEED_WINDOW_MAX, I32_MAX, I32_MIN, KINDS, LATER, OPCODES, PAGE_MAX, REPLY_BIT,
                     REPLY_BODY_BYTES_MAX, REPLY_ITEMS, REQUEST_BITS, REQUEST_BODY_BYTES_MAX, REQUEST_ITEMS, U8_MAX,
                     U16_MAX, U32_MAX, U64_MAX, check_layouts, header, item_bytes, places, reply_bytes, request_bytes)

NOON_MS, TODAY = 1_795_348_800_000, 20_779  # 2026-11-22T12:00Z, and its day


def shown(layout, item):
    """The item as JSON: 64-bit numbers as decimal strings."""
    wide = {name for name, code in layout if code == "Q"}
    return {name: str(value) if name in wide else value for name, value in item.items()}


def request(name, opcode, *items, correlation=1, deadline_ms=0):
    shown_items = [shown(REQUEST_ITEMS[opcode], item) for item in items]
    return {"name": name, "opcode": opcode, "correlation": str(correlation), "deadline_ms": deadline_ms,
            "items": shown_items, "hex": request_bytes(opcode, items, correlation, deadline_ms).hex()}


def reply(name, opcode, *items, correlation=1):
    return {"name": name, "opcode": opcode, "correlation": str(correlation),
            "items": [shown(REPLY_ITEMS[opcode], item) for item in items],
            "hex": reply_bytes(opcode, items, correlation).hex()}


def slug(name):
    return name.lower().replace("_", "-")


# Items of requests. What is not given is what a first reader would expect there.

def hello(client_name="", token=""):
    return {"client_name": client_name, "token": token}


def page(start=0, limit=PAGE_MAX):
    return {"from": start, "limit": limit}


def key(batch=7, user=1001, request=500):
    return {"batch": batch, "user": user, "request": request}


def claim(batch=7, user=1001, request=500, quantity=1, flags=0, audience=0):
    return key(batch, user, request) | {"audience": audience, "quantity": quantity, "flags": flags}


def reserve(*args, ttl_s=900, **fields):
    return claim(*args, **fields) | {"ttl_s": ttl_s}


def extend(*args, ttl_s=1_800):
    return key(*args) | {"ttl_s": ttl_s}


def no_terms():
    """Every field that both a creation and an edit have, without a limit."""
    numbers = ("per_user", "starts_ms", "ends_ms", "quantity_max", "valid_days", "return_days", "holds_share",
               "per_user_day", "per_day", "expires_ms", "audience_all", "audience_any", "audience_none",
               "holds_per_user")
    return dict.fromkeys(numbers, 0) | {"name": "", "zone": ""}


def create(batch=7, stock=10_000, per_user=1, flags=0, **terms):
    return no_terms() | {"batch": batch, "stock": stock, "per_user": per_user, "flags": flags} | terms


def edit(batch=7, fields=None, version=0, **terms):
    """Changes what is given, unless `fields` says otherwise."""
    bits = sum(1 << bit for bit in {EDIT_BITS[name] for name in terms}) if fields is None else fields
    return no_terms() | {"batch": batch, "fields": bits, "version": version} | terms


def stock(batch=7, request=77, units=500):
    return {"batch": batch, "request": request, "units": units}


def stats_query(batch=7, from_day=TODAY, limit=PAGE_MAX, see_epoch=0):
    return {"batch": batch, "from_day": from_day, "limit": limit, "see_epoch": see_epoch}


def coupon_change(action, batch=7, user=1001, order=9_001, serial=4_660):
    return {"batch": batch, "user": user, "order": order, "serial": serial, "action": action}


def coupon_key(batch=7, serial=4_660):
    return {"batch": batch, "serial": serial}


def coupon_list(batch=7, start=0, limit=PAGE_MAX, see_epoch=0):
    return {"batch": batch, "from": start, "limit": limit, "see_epoch": see_epoch}


def wallet(user=1001, states=0, limit=20, cursor="00" * 16, see_epoch=0):
    return {"user": user, "states": states, "limit": limit, "cursor": cursor, "see_epoch": see_epoch}


def subscribe(epoch=0, index=0, window=10_000, flags=0, consumer=""):
    return {"epoch": epoch, "index": index, "window": window, "flags": flags, "consumer": consumer}


def acknowledge(subscription=5, epoch=42, index=3):
    return {"subscription": subscription, "epoch": epoch, "index": index}


TERMS = {"quantity_max": 5, "valid_days": 30, "return_days": 7, "holds_share": 20, "per_user_day": 2, "per_day": 500,
         "audience_all": 0x03, "audience_any": 0x0C, "audience_none": 0x8000_0000, "holds_per_user": 3,
         "zone": "Asia/Shanghai", "expires_ms": NOON_MS + 90 * 86_400_000}
LARGEST_TERMS = {"per_user": U32_MAX, "starts_ms": U64_MAX - 1, "ends_ms": U64_MAX, "quantity_max": U8_MAX,
                 "valid_days": U16_MAX, "return_days": U16_MAX, "holds_share": 100, "per_user_day": U32_MAX,
                 "per_day": U32_MAX, "expires_ms": U64_MAX, "audience_all": U32_MAX, "audience_any": U32_MAX,
                 "audience_none": U32_MAX, "holds_per_user": U16_MAX, "name": "n" * 88, "zone": "é" * 20}
LARGEST_EDIT = {name: value for name, value in LARGEST_TERMS.items() if name in EDIT_BITS}
# A value for each bit of `fields`, and what the edit is called.
EDITS = {"name": {"name": "renamed"}, "per-user": {"per_user": 3}, "per-user-day": {"per_user_day": 1},
         "per-day": {"per_day": 1_000}, "quantity-max": {"quantity_max": 2},
         "audience": {"audience_all": 1, "audience_any": 6, "audience_none": 8},
         "holds": {"holds_per_user": 2, "holds_share": 50}, "starts": {"starts_ms": NOON_MS},
         "ends": {"ends_ms": NOON_MS + 1}}


def requests_of_claims():
    largest_key = (U64_MAX, U64_MAX - 1, U64_MAX - 2)
    largest_claim = {"quantity": U8_MAX, "flags": 1, "audience": U32_MAX}
    return [
        request("example-claim", "CLAIM", claim(quantity=2), correlation=2, deadline_ms=250),
        request("claim-up-to", "CLAIM", claim(quantity=5, flags=1)),
        request("claim-audience", "CLAIM", claim(audience=0x8000_0001)),
        request("claim-zero-ids", "CLAIM", claim(0, 0, 0), correlation=0),
        request("claim-largest", "CLAIM", claim(*largest_key, **largest_claim), correlation=U64_MAX,
                deadline_ms=U32_MAX),
        request("claim-three", "CLAIM", *(claim(user=user, request=user * 10) for user in (1, 2, 3)), correlation=4),
        request("lookup", "LOOKUP", key()),
        request("lookup-two", "LOOKUP", key(), key(U64_MAX, U64_MAX, U64_MAX), deadline_ms=1),
        request("serials", "SERIALS", key(7, 1002, 501)),
        request("reserve", "RESERVE", reserve(quantity=2), correlation=11, deadline_ms=250),
        request("reserve-up-to", "RESERVE", reserve(quantity=5, flags=1, audience=0x0C)),
        request("reserve-smallest", "RESERVE", reserve(0, 0, 0, ttl_s=1), correlation=0),
        request("reserve-largest", "RESERVE", reserve(*largest_key, **largest_claim, ttl_s=U16_MAX)),
        request("reserve-two", "RESERVE", reserve(user=1), reserve(user=2, ttl_s=60)),
        *(entry for opcode in ("CONFIRM", "CANCEL") for entry in (
            request(slug(opcode), opcode, key()),
            request(f"{slug(opcode)}-zero-ids", opcode, key(0, 0, 0)),
            request(f"{slug(opcode)}-largest", opcode, key(*largest_key), correlation=U64_MAX, deadline_ms=U32_MAX),
            request(f"{slug(opcode)}-two", opcode, key(), key(8, 1002, 501)))),
        request("extend", "EXTEND", extend()),
        request("extend-smallest", "EXTEND", extend(0, 0, 0, ttl_s=1)),
        request("extend-largest", "EXTEND", extend(*largest_key, ttl_s=U16_MAX)),
        request("extend-two", "EXTEND", extend(), extend(8, 1002, 501, ttl_s=60)),
    ]


def requests_of_batches():
    return [
        request("batch-create", "BATCH_CREATE", create(name="ten thousand")),
        request("batch-create-window", "BATCH_CREATE",
                create(8, 1, 0, starts_ms=NOON_MS, ends_ms=NOON_MS + 1, name="一分钟")),
        request("batch-create-draft", "BATCH_CREATE", create(9, flags=1)),
        request("batch-create-terms", "BATCH_CREATE", create(name="all terms", **TERMS)),
        request("batch-create-smallest", "BATCH_CREATE", create(0, 1, 0)),
        request("batch-create-largest", "BATCH_CREATE", create(U64_MAX, U32_MAX, flags=1, **LARGEST_TERMS)),
        request("batch-create-two", "BATCH_CREATE", create(1), create(2, name="second")),
        request("batch-show", "BATCH_SHOW", {"batch": 7}),
        request("batch-show-two", "BATCH_SHOW", {"batch": 7}, {"batch": U64_MAX}),
        request("batch-list", "BATCH_LIST", page()),
        request("batch-list-one", "BATCH_LIST", page(8, 1)),
        request("batch-list-last", "BATCH_LIST", page(U64_MAX)),
        *(request(f"batch-change-{action}", "BATCH_CHANGE", {"batch": 7, "action": number})
          for number, action in enumerate(BATCH_ACTIONS, 1)),
        request("batch-change-two", "BATCH_CHANGE", {"batch": 7, "action": 2}, {"batch": U64_MAX, "action": 4}),
        request("batch-add-stock", "BATCH_ADD_STOCK", stock()),
        request("batch-add-stock-largest", "BATCH_ADD_STOCK", stock(U64_MAX, U64_MAX, U32_MAX)),
        *(request(f"batch-edit-{name}", "BATCH_EDIT", edit(**fields)) for name, fields in EDITS.items()),
        request("batch-edit-nothing", "BATCH_EDIT", edit(0)),
        request("batch-edit-to-unlimited", "BATCH_EDIT", edit(fields=0x1FF, version=1)),
        request("batch-edit-of-a-version", "BATCH_EDIT", edit(version=3, per_day=0, ends_ms=0)),
        request("batch-edit-ignored-fields", "BATCH_EDIT",
                edit(fields=0x001, name="only this", **(TERMS | {"zone": ""}))),
        request("batch-edit-largest", "BATCH_EDIT", edit(U64_MAX, version=U32_MAX, **LARGEST_EDIT)),
        request("batch-edit-two", "BATCH_EDIT", edit(per_user=2), edit(8, quantity_max=1)),
        request("batch-withdraw", "BATCH_WITHDRAW", stock(request=78)),
        request("batch-withdraw-smallest", "BATCH_WITHDRAW", stock(0, 0, 1)),
        request("batch-withdraw-largest", "BATCH_WITHDRAW", stock(U64_MAX, U64_MAX, U32_MAX)),
        request("batch-withdraw-two", "BATCH_WITHDRAW", stock(request=78), stock(8, 79, 1)),
        request("batch-stats", "BATCH_STATS", stats_query()),
        request("batch-stats-seen", "BATCH_STATS", stats_query(see_epoch=42)),
        request("batch-stats-before-1970", "BATCH_STATS", stats_query(from_day=-1)),
        request("batch-stats-smallest", "BATCH_STATS", stats_query(0, I32_MIN, 1)),
        request("batch-stats-largest", "BATCH_STATS", stats_query(U64_MAX, I32_MAX, PAGE_MAX, U64_MAX)),
        *(request(name + suffix, opcode, {"batch": batch})
          for name, opcode in [("batch-refusals", "BATCH_REFUSALS"), ("batch-reconcile", "BATCH_RECONCILE")]
          for suffix, batch in [("", 7), ("-smallest", 0), ("-largest", U64_MAX)]),
    ]


def requests_of_coupons():
    largest = {"batch": U64_MAX, "user": U64_MAX - 1, "order": U64_MAX - 2, "serial": U32_MAX}
    return [
        *(request(f"coupon-change-{action}", "COUPON_CHANGE", coupon_change(number))
          for number, action in enumerate(COUPON_ACTIONS, 1)),
        request("coupon-change-smallest", "COUPON_CHANGE", coupon_change(1, 0, 0, 0, 0), correlation=0),
        request("coupon-change-largest", "COUPON_CHANGE", coupon_change(6, **largest), correlation=U64_MAX,
                deadline_ms=U32_MAX),
        request("coupon-change-two", "COUPON_CHANGE", coupon_change(1), coupon_change(3), deadline_ms=500),
        *(entry for opcode in ("COUPON_SHOW", "COUPON_LOG") for entry in (
            request(slug(opcode), opcode, coupon_key()),
            request(f"{slug(opcode)}-smallest", opcode, coupon_key(0, 0)),
            request(f"{slug(opcode)}-largest", opcode, coupon_key(U64_MAX, U32_MAX)))),
        request("coupon-show-two", "COUPON_SHOW", coupon_key(), coupon_key(serial=4_661)),
        request("coupon-list", "COUPON_LIST", coupon_list()),
        request("coupon-list-smallest", "COUPON_LIST", coupon_list(0, 0, 1)),
        request("coupon-list-largest", "COUPON_LIST", coupon_list(U64_MAX, U32_MAX, PAGE_MAX, U64_MAX)),
        request("wallet", "WALLET", wallet()),
        *(request(f"wallet-{state}", "WALLET", wallet(states=1 << number))
          for number, state in enumerate(COUPON_STATES, 1)),
        request("wallet-usable", "WALLET", wallet(states=0b0000_1100, see_epoch=42)),
        request("wallet-next-page", "WALLET", wallet(cursor="000102030405060708090a0b0c0d0e0f")),
        request("wallet-smallest", "WALLET", wallet(0, limit=1)),
        request("wallet-largest", "WALLET", wallet(U64_MAX, 0x03FE, PAGE_MAX, "ff" * 16, U64_MAX)),
    ]


def requests():
    longest_consumer = "é" * 20
    return [
        request("example-hello", "HELLO", hello("example")),
        request("hello-with-token", "HELLO", hello("gateway-3", "correct horse battery staple"), correlation=9),
        request("hello-longest-texts", "HELLO", hello("é" * 28, "0123456789abcdef" * 4)),
        request("hello-empty", "HELLO", hello(), correlation=0),
        request("ping", "PING", {"nonce": 0x0102030405060708}, correlation=3),
        request("ping-largest", "PING", {"nonce": U64_MAX}, correlation=U64_MAX, deadline_ms=U32_MAX),
        request("client-list", "CLIENT_LIST", page()),
        request("client-list-one", "CLIENT_LIST", page(8, 1)),
        request("client-list-largest", "CLIENT_LIST", page(U32_MAX)),
        *requests_of_claims(),
        *requests_of_batches(),
        *requests_of_coupons(),
        request("feed-subscribe", "FEED_SUBSCRIBE", subscribe(consumer="orders"), correlation=5),
        request("feed-subscribe-stored", "FEED_SUBSCRIBE", subscribe(flags=1, consumer="orders")),
        request("feed-subscribe-from", "FEED_SUBSCRIBE", subscribe(42, 3)),
        request("feed-subscribe-smallest", "FEED_SUBSCRIBE", subscribe(window=1), correlation=0),
        request("feed-subscribe-largest", "FEED_SUBSCRIBE",
                subscribe(U64_MAX, U32_MAX, FEED_WINDOW_MAX, 1, longest_consumer), correlation=U64_MAX),
        request("feed-acknowledge", "FEED_ACKNOWLEDGE", acknowledge()),
        request("feed-acknowledge-smallest", "FEED_ACKNOWLEDGE", acknowledge(0, 0, 0)),
        request("feed-acknowledge-largest", "FEED_ACKNOWLEDGE", acknowledge(U64_MAX, U64_MAX, U32_MAX)),
        request("feed-list", "FEED_LIST", page()),
        request("feed-list-one", "FEED_LIST", page(8, 1)),
        request("feed-list-largest", "FEED_LIST", page(U32_MAX)),
        request("feed-forget", "FEED_FORGET", {"consumer": "orders"}),
        request("feed-forget-shortest", "FEED_FORGET", {"consumer": ""}),
        request("feed-forget-longest", "FEED_FORGET", {"consumer": longest_consumer}),
    ]


# Items of replies.

def welcome(durability, **fields):
    base = {"protocol_version": 1, "durability": durability, "cores": 2, "claims_per_frame_max": 8192,
            "in_flight_claims_max": 65_536, "ttl_s_max": 3_600, "store_id": 0x1122334455667788, "durable_epoch": 41,
            "now_ms": NOON_MS, "server_version": "0.1.0"}
    return {**base, **fields}


def claim_reply(status, flags=0, granted=0, run=0, serial=0, remaining=0, user_units=0, day_units=0, epoch=42):
    return {"status": status, "flags": flags, "granted": granted, "run": run, "serial": serial, "remaining": remaining,
            "user_units": user_units, "day_units": day_units, "epoch": epoch}


def no_batch(status, batch=7, epoch=42, **terms):
    numbers = ("state", "moved", "total", "granted", "remaining", "created_ms", "held", "voided", "version",
               "day_units")
    return no_terms() | dict.fromkeys(numbers, 0) | {"status": status, "batch": batch, "epoch": epoch} | terms


def info(status, state, **fields):
    base = {"state": state, "total": 10_000, "granted": 4_600, "remaining": 5_338, "held": 60, "voided": 2,
            "per_user": 1, "created_ms": NOON_MS, "version": 1, "name": "ten thousand"}
    batch = no_batch(status) | base | fields
    assert batch["total"] == sum(batch[part] for part in ("granted", "held", "voided", "remaining")), batch
    return batch


def stats(day, **numbers):
    """The numbers of a batch as a whole must add up; those of a day need not."""
    item = {name: 0 for name, _ in REPLY_ITEMS["BATCH_STATS"]} | {"day": day} | numbers
    parts = sum(item[part] for part in ("remaining", "reserved", "granted", "voided"))
    assert day != I32_MIN or item["added"] - item["withdrawn"] == parts, item
    return item


def coupon_changed(status, state=0, flags=0, serial=0, order=0, epoch=42):
    return {"status": status, "state": state, "flags": flags, "serial": serial, "order": order, "epoch": epoch}


def no_coupon(status, serial=4_660):
    return dict.fromkeys(("state", "user", "request", "order", "taken_ms", "expires_ms", "changed_ms", "new_serial"),
                         0) | {"status": status, "serial": serial, "batch": 7, "epoch": 42}


def coupon(state, **fields):
    base = {"state": state, "user": 1001, "request": 500, "taken_ms": NOON_MS, "changed_ms": NOON_MS}
    return no_coupon("DONE") | base | fields


def wallet_item(state, **fields):
    base = {"batch": 7, "request": 500, "cursor": "2a" + "00" * 7 + "03000000" + "ddccbbaa", "taken_ms": NOON_MS,
            "expires_ms": 0, "order": 0, "serial": 4_660, "state": state}
    return base | fields


def event(kind, epoch=42, index=0, client=3, **fields):
    numbers = ("units", "user", "request", "order", "serial", "value")
    place = {"epoch": epoch, "index": index, "kind": KINDS[kind], "client": client, "batch": 7, "time_ms": NOON_MS}
    return dict.fromkeys(numbers, 0) | place | fields


OF_REQUEST = {"user": 1001, "request": 500}
OF_UNITS = {**OF_REQUEST, "units": 2, "serial": 4_660}
OF_COUPON = {**OF_UNITS, "units": 1, "order": 9_001}
# An event of each kind.
EVENTS = {
    "granted": OF_UNITS, "reserved": {**OF_UNITS, "value": 900}, "confirmed": OF_UNITS,
    "cancelled": {**OF_UNITS, "value": 10_000}, "lapsed": {**OF_UNITS, "client": 0, "value": 10_002},
    "extended": {**OF_UNITS, "value": 1_800}, "cancelled_ahead": OF_REQUEST,
    "locked": OF_COUPON, "unlocked": {**OF_COUPON, "value": 1}, "redeemed": OF_COUPON,
    "restored": {**OF_COUPON, "value": TODAY + 7}, "returned": {**OF_COUPON, "value": 10_004}, "voided": OF_COUPON,
    "batch_created": {"value": 10_000}, "batch_changed": {"value": 4},
    "batch_added": {"request": 77, "value": 500}, "batch_withdrawn": {"request": 78, "value": 338},
    "batch_edited": {"value": 0x1FF}, "batch_purged": {},
    "batch_expired": {"client": 0, "serial": TODAY, "value": 12},
    "batch_condensed": {"client": 0, "serial": 20, "value": 4_600},
}


def replies_of_claims():
    ids = {"remaining": 5_338, "user_units": 2, "day_units": 2}
    held, taken = claim_reply("RESERVED", 4, 2, 2, 4_660, **ids), claim_reply("GRANTED", 4, 2, 2, 4_660, **ids)
    return [
        reply("example-claim-reply", "CLAIM", taken, correlation=2),
        reply("claim-reply-exact", "CLAIM", claim_reply("GRANTED", 0, 2, 2, 4_660, **ids)),
        reply("claim-reply-replayed", "CLAIM", claim_reply("GRANTED", 1, 2, 2, 4_660, 0, 2, 0, 99)),
        reply("claim-reply-split", "CLAIM", claim_reply("GRANTED", 6, 5, 3, 9_997, 7, 5, 5)),
        reply("claim-reply-largest", "CLAIM",
              claim_reply("GRANTED", 7, U8_MAX, U8_MAX - 1, U32_MAX, U32_MAX, U16_MAX, U16_MAX, U64_MAX),
              correlation=U64_MAX),
        *(reply(f"{slug(opcode)}-refused-{slug(status)}", opcode, claim_reply(status))
          for opcode, refusals in CLAIM_REFUSALS.items() for status in refusals),
        reply("claim-reply-three", "CLAIM", claim_reply("GRANTED", 4, 1, 1, 0, 9, 1, 1),
              claim_reply("LIMIT_REACHED", 4, remaining=9, user_units=1), claim_reply("SOLD_OUT", epoch=43),
              correlation=4),
        reply("lookup-granted", "LOOKUP", claim_reply("GRANTED", 5, 2, 2, 4_660, **ids)),
        reply("lookup-reserved", "LOOKUP", claim_reply("RESERVED", 5, 2, 2, 4_660, **ids)),
        reply("lookup-unknown", "LOOKUP", claim_reply("REQUEST_UNKNOWN"), claim_reply("BATCH_UNKNOWN", epoch=0)),
        reply("serials-one-run", "SERIALS", {"first": 4_660, "count": 2}),
        reply("serials-runs", "SERIALS", {"first": 9_997, "count": 3}, {"first": 0, "count": 1},
              {"first": U32_MAX, "count": 1}),
        reply("reserved", "RESERVE", held, correlation=11),
        reply("reserved-replayed", "RESERVE", held | {"flags": 5}),
        reply("reserved-split", "RESERVE", claim_reply("RESERVED", 6, 5, 3, 9_997, 7, 5, 5)),
        reply("reserved-largest", "RESERVE",
              claim_reply("RESERVED", 7, U8_MAX, U8_MAX - 1, U32_MAX, U32_MAX, U16_MAX, U16_MAX, U64_MAX)),
        reply("reserved-two", "RESERVE", held, claim_reply("HOLDS_USER_LIMIT", 4, remaining=9, user_units=3)),
        reply("confirmed", "CONFIRM", taken),
        reply("confirmed-replayed", "CONFIRM", taken | {"flags": 5}),
        reply("cancelled", "CANCEL", claim_reply("DONE", 4, remaining=5_340)),
        reply("cancelled-replayed", "CANCEL", claim_reply("DONE", 1)),
        reply("cancelled-two", "CANCEL", claim_reply("DONE"), claim_reply("RESERVATION_CONFIRMED", epoch=43)),
        reply("extended", "EXTEND", held),
        reply("extended-replayed", "EXTEND", held | {"flags": 5}),
    ]


def replies_of_batches():
    largest_stock = {"total": U32_MAX, "granted": U32_MAX - 6, "held": 3, "voided": 2, "remaining": 1}
    largest_info = info("DONE", 6, batch=U64_MAX, moved=U32_MAX, created_ms=U64_MAX, epoch=U64_MAX, version=U32_MAX,
                        day_units=U32_MAX, **largest_stock, **(LARGEST_TERMS | {"name": "é" * 44}))
    edited = info("DONE", 3, version=4, day_units=62, **TERMS)
    moved = [("BATCH_CONFLICT", 3), ("QUANTITY_INVALID", 3), ("STOCK_OVERFLOW", 3), ("CLOSED", 6)]
    return [
        *(reply(f"batch-show-{state}", "BATCH_SHOW", info("DONE", number))
          for number, state in enumerate(BATCH_STATES, 1)),
        reply("batch-show-terms", "BATCH_SHOW", edited),
        reply("batch-show-largest", "BATCH_SHOW", largest_info),
        reply("batch-show-unknown", "BATCH_SHOW", info("DONE", 3), no_batch("BATCH_UNKNOWN", U64_MAX)),
        reply("batch-create-done", "BATCH_CREATE", info("DONE", 3, granted=0, held=0, voided=0, remaining=10_000)),
        reply("batch-create-conflict", "BATCH_CREATE", info("BATCH_CONFLICT", 3)),
        reply("batch-create-impossible", "BATCH_CREATE", no_batch("TERMS_INVALID")),
        reply("batch-create-no-zone", "BATCH_CREATE", no_batch("ZONE_INVALID")),
        *(reply(f"batch-create-{slug(status)}", "BATCH_CREATE", no_batch(status, epoch=0)) for status in LATER),
        reply("batch-list-empty", "BATCH_LIST"),
        reply("batch-list-two", "BATCH_LIST", info("DONE", 3), info("DONE", 1, batch=9, name="")),
        reply("batch-change-done", "BATCH_CHANGE", info("DONE", 4, version=2)),
        reply("batch-change-conflict", "BATCH_CHANGE", info("STATE_CONFLICT", 6)),
        reply("batch-change-purged", "BATCH_CHANGE", no_batch("DONE")),
        reply("batch-change-unknown", "BATCH_CHANGE", no_batch("BATCH_UNKNOWN")),
        reply("batch-add-stock-done", "BATCH_ADD_STOCK",
              info("DONE", 3, moved=500, total=10_500, remaining=5_838, version=2)),
        *(reply(f"batch-add-stock-{slug(status)}", "BATCH_ADD_STOCK", info(status, state))
          for status, state in [*moved, ("ENDED", 5)]),
        reply("batch-edit-done", "BATCH_EDIT", edited),
        *(reply(f"batch-edit-{slug(status)}", "BATCH_EDIT", info(status, state, version=5))
          for status, state in [("BATCH_CONFLICT", 3), ("STATE_CONFLICT", 5)]),
        *(reply(f"batch-edit-{slug(status)}", "BATCH_EDIT", no_batch(status))
          for status in ("BATCH_UNKNOWN", "TERMS_INVALID", *LATER)),
        reply("batch-edit-done-two", "BATCH_EDIT", edited, no_batch("BATCH_UNKNOWN", 8)),
        reply("batch-withdraw-done", "BATCH_WITHDRAW",
              info("DONE", 5, moved=338, total=9_662, remaining=5_000, version=3)),
        reply("batch-withdraw-none-left", "BATCH_WITHDRAW", info("DONE", 3, total=4_662, remaining=0, version=3)),
        *(reply(f"batch-withdraw-{slug(status)}", "BATCH_WITHDRAW", info(status, state)) for status, state in moved),
        *(reply(f"batch-withdraw-{slug(status)}", "BATCH_WITHDRAW", no_batch(status))
          for status in ("BATCH_UNKNOWN", *LATER)),
        reply("batch-withdraw-of-the-largest", "BATCH_WITHDRAW", largest_info),
        *replies_of_stats(),
    ]


def replies_of_stats():
    whole = stats(I32_MIN, added=10_500, withdrawn=338, remaining=5_500, reserved=60, granted=4_600, locked=5,
                  redeemed=40, unlocked=3, restored=2, returned=1, voided=2, expired=12, cancelled=30, lapsed=20,
                  confirmed=100)
    day = stats(TODAY, added=500, reserved=210, granted=4_500, locked=50, redeemed=42, unlocked=3, restored=2,
                returned=1, voided=2, expired=12, cancelled=30, lapsed=20, confirmed=100)
    each = {name: U32_MAX for name, code in REPLY_ITEMS["BATCH_STATS"] if code == "I"}
    largest = stats(I32_MIN, **(each | {"withdrawn": 0, "remaining": 0, "reserved": 0, "voided": 0}))
    refused = [*LATER, "TTL_INVALID", "HISTORY_FULL", "PAUSED", "AUDIENCE_REFUSED", "LIMIT_REACHED", "SOLD_OUT",
               "DAY_SOLD_OUT"]
    return [
        reply("batch-stats-whole", "BATCH_STATS", stats(I32_MIN, added=1, remaining=1)),
        reply("batch-stats-days", "BATCH_STATS", whole, day, stats(TODAY + 1, lapsed=1)),
        reply("batch-stats-before-1970-days", "BATCH_STATS", whole, stats(-719_162, added=1), stats(-1, granted=1)),
        reply("batch-stats-of-the-largest", "BATCH_STATS", largest, stats(I32_MIN + 1), stats(I32_MAX, **each),
              correlation=U64_MAX),
        reply("batch-reconcile-whole", "BATCH_RECONCILE", whole),
        reply("batch-reconcile-nothing", "BATCH_RECONCILE", stats(I32_MIN)),
        reply("batch-reconcile-of-the-largest", "BATCH_RECONCILE", largest),
        reply("batch-refusals-none", "BATCH_REFUSALS"),
        reply("batch-refusals-several", "BATCH_REFUSALS",
              *({"status": status, "count": count} for count, status in enumerate(refused, 1))),
        reply("batch-refusals-most", "BATCH_REFUSALS", {"status": "SOLD_OUT", "count": U64_MAX}),
    ]


def replies_of_coupons():
    states = {name: number for number, name in enumerate(COUPON_STATES, 1)}
    locked, expires = {"order": 9_001}, {"expires_ms": NOON_MS + 1}
    about = {"locked": locked, "redeemed": locked, "reserved": expires, "granted": expires, "expired": expires,
             "returned": {"new_serial": 10_004}, "cancelled": {"new_serial": 10_000}, "lapsed": {"new_serial": 10_002}}
    done = {"lock": "locked", "unlock": "granted", "redeem": "redeemed", "restore": "granted", "return": "returned",
            "void": "voided"}
    of_order = {"locked": 9_001, "redeemed": 9_001}
    without_state = ["FORBIDDEN", *LATER, "BATCH_UNKNOWN", "CLOSED", "SERIAL_UNKNOWN", "NOT_YOURS"]
    with_state = [("HISTORY_FULL", "granted"), ("ORDER_ENDED", "granted"), ("ORDER_CONFLICT", "locked"),
                  ("COUPON_EXPIRED", "expired")]
    largest = coupon(9, serial=U32_MAX, batch=U64_MAX, user=U64_MAX - 1, request=U64_MAX - 2, order=U64_MAX - 3,
                     taken_ms=U64_MAX - 4, expires_ms=U64_MAX - 5, changed_ms=U64_MAX - 6, epoch=U64_MAX - 7,
                     new_serial=U32_MAX - 1)
    return [
        *(reply(f"coupon-{action}-done", "COUPON_CHANGE",
                coupon_changed("DONE", states[state], 0, 10_004 if action == "return" else 4_660,
                               of_order.get(state, 0)))
          for action, state in done.items()),
        reply("coupon-lock-replayed", "COUPON_CHANGE", coupon_changed("DONE", states["locked"], 1, 4_660, 9_001)),
        *(reply(f"coupon-change-of-{state}", "COUPON_CHANGE", coupon_changed("COUPON_STATE_CONFLICT", number, 0, 4_660))
          for state, number in states.items()),
        *(reply(f"coupon-change-{slug(status)}", "COUPON_CHANGE", coupon_changed(status)) for status in without_state),
        *(reply(f"coupon-change-{slug(status)}", "COUPON_CHANGE", coupon_changed(status, states[state], 0, 4_660))
          for status, state in with_state),
        reply("coupon-changed-largest", "COUPON_CHANGE", coupon_changed("DONE", 5, 1, U32_MAX, U64_MAX, U64_MAX - 1)),
        reply("coupon-changed-two", "COUPON_CHANGE", coupon_changed("DONE", 3, 0, 4_660, 9_001),
              coupon_changed("DONE", 4, 0, 4_660, 9_001, 43)),
        *(reply(f"coupon-show-{state}", "COUPON_SHOW", coupon(number, **about.get(state, {})))
          for state, number in states.items()),
        reply("coupon-show-unknown", "COUPON_SHOW", no_coupon("SERIAL_UNKNOWN"), no_coupon("BATCH_UNKNOWN", 0)),
        reply("coupon-show-of-the-largest", "COUPON_SHOW", largest),
        reply("coupon-list-empty", "COUPON_LIST"),
        reply("coupon-list-two", "COUPON_LIST", coupon(2), coupon(5, serial=4_661, new_serial=10_004)),
        reply("coupon-log-empty", "COUPON_LOG"),
        reply("coupon-log-life", "COUPON_LOG", *(
            event(kind, epoch, **EVENTS[kind])
            for epoch, kind in enumerate(("granted", "locked", "unlocked", "redeemed", "restored"), 42))),
        reply("wallet-empty", "WALLET"),
        *(reply(f"wallet-with-{state}", "WALLET", wallet_item(number, order=of_order.get(state, 0)))
          for state, number in states.items()),
        reply("wallet-two", "WALLET", wallet_item(2), wallet_item(4, batch=8, cursor="01" * 16, expires_ms=NOON_MS)),
        reply("wallet-of-the-largest", "WALLET", wallet_item(
            9, batch=U64_MAX, request=U64_MAX - 1, cursor="ff" * 16, taken_ms=U64_MAX - 2, expires_ms=U64_MAX - 3,
            order=U64_MAX - 4, serial=U32_MAX)),
    ]


def replies_of_feed():
    largest = event("batch_condensed", U64_MAX, U32_MAX, U16_MAX, units=U8_MAX, batch=U64_MAX - 1, user=U64_MAX - 2,
                    request=U64_MAX - 3, order=U64_MAX - 4, time_ms=U64_MAX - 5, serial=U32_MAX, value=U32_MAX - 1)
    acknowledged = ["DONE", "CURSOR_INVALID", "REQUEST_UNKNOWN", *LATER]
    consumer = {"epoch": 42, "index": 3, "connected": 1, "behind_bytes": 65_536, "consumer": "orders"}
    return [
        reply("feed-stands", "FEED_SUBSCRIBE", correlation=5),
        *(reply(f"feed-{slug(kind)}", "FEED_SUBSCRIBE", event(kind, **fields), correlation=5)
          for kind, fields in EVENTS.items()),
        reply("feed-restored-as-before", "FEED_SUBSCRIBE", event("restored", **(OF_COUPON | {"value": I32_MAX}))),
        reply("feed-expired-before-1970", "FEED_SUBSCRIBE", event("batch_expired", client=0, serial=U32_MAX, value=1)),
        reply("feed-two-runs", "FEED_SUBSCRIBE", event("granted", **OF_UNITS),
              event("granted", index=1, **(OF_UNITS | {"units": 1, "serial": 0})), correlation=5),
        reply("feed-largest", "FEED_SUBSCRIBE", largest, correlation=U64_MAX),
        *(reply(f"feed-acknowledge-{slug(status)}", "FEED_ACKNOWLEDGE", {"status": status, "epoch": 42})
          for status in acknowledged),
        reply("feed-acknowledged-largest", "FEED_ACKNOWLEDGE", {"status": "DONE", "epoch": U64_MAX}),
        reply("feed-list-empty", "FEED_LIST"),
        reply("feed-list-two", "FEED_LIST", consumer, consumer | {"connected": 0, "index": 0, "consumer": "audit"}),
        reply("feed-list-of-the-largest", "FEED_LIST", {"epoch": U64_MAX, "index": U32_MAX, "connected": 1,
                                                        "behind_bytes": U64_MAX - 1, "consumer": "é" * 20}),
        *(reply(f"feed-forget-{slug(status)}", "FEED_FORGET", {"status": status, "epoch": 42})
          for status in ("DONE", "REQUEST_UNKNOWN")),
    ]


def replies():
    return [
        reply("example-welcome", "HELLO", welcome(0)),
        reply("welcome-os", "HELLO", welcome(1, cores=U16_MAX, server_version="12.34.56-0123456789abcde")),
        reply("welcome-memory", "HELLO", welcome(2, store_id=0, claims_per_frame_max=64, in_flight_claims_max=1,
                                                 ttl_s_max=1)),
        reply("welcome-largest", "HELLO", welcome(
            0, cores=U16_MAX, in_flight_claims_max=U32_MAX, ttl_s_max=U16_MAX, store_id=U64_MAX,
            durable_epoch=U64_MAX - 1, now_ms=U64_MAX - 2)),
        reply("ping-reply", "PING", {"nonce": 0x0102030405060708}, correlation=3),
        reply("client-list-empty", "CLIENT_LIST"),
        reply("client-list-two", "CLIENT_LIST", {"client": 1, "name": "gateway-3"}, {"client": 2, "name": ""}),
        reply("client-list-of-the-largest", "CLIENT_LIST", {"client": U16_MAX, "name": "é" * 28}),
        *replies_of_claims(),
        *replies_of_batches(),
        *replies_of_coupons(),
        *replies_of_feed(),
        *(reply(f"fault-{slug(status)}", "FAULT", {"status": status, "version": 1, "text": f"refused: {status}"})
          for status in FAULTS),
        reply("fault-longest-text", "FAULT", {"status": "MALFORMED", "version": 1, "text": "é" * 60}, correlation=0),
    ]


def altered(opcode, items, offset, bits, at=0):
    """A request frame of correlation 6 with bits set in one byte of the item at `at`."""
    data = bytearray(request_bytes(opcode, items, 6))
    data[32 + at * item_bytes(REQUEST_ITEMS[opcode]) + offset] |= bits
    return bytes(data)


def offset_of(opcode, field):
    """Offset and size of a field of a request item."""
    return next((offset, size) for offset, size, name in places(REQUEST_ITEMS[opcode]) if name == field)


def bad_texts(opcode, field, make):
    """Frames with one item in which `field` is no text, and what is wrong with it."""
    offset, size = offset_of(opcode, field)
    short = [make("ab")]
    return [
        ("not-utf8", altered(opcode, short, offset + 1, 0xFF)),  # no UTF-8 has this byte
        ("after-end", altered(opcode, short, offset + size - 1, ord("x"))),
        ("control", request_bytes(opcode, [make("a\nb")], 6)),
        ("control-c1", request_bytes(opcode, [make("a\u0085b")], 6)),
        ("delete", request_bytes(opcode, [make("a\x7fb")], 6)),
    ]


def item_refusals():
    def of(opcode, status, cases):
        return [{"name": name, "opcode": opcode, "status": status, "hex": data.hex()} for name, data in cases]

    def made(opcode, cases):
        return [(name, request_bytes(opcode, [item], 6)) for name, item in cases.items()]

    def texts(opcode, kind, field, make):
        return [(f"{kind}-{field}-{what}", data) for what, data in bad_texts(opcode, field, make)]

    nowhere = "Nowhere/At_All"
    impossible_create = {
        "create-no-stock": create(stock=0),
        "create-window-empty": create(starts_ms=5, ends_ms=5),
        "create-window-reversed": create(starts_ms=6, ends_ms=5),
        "create-holds-share-101": create(holds_share=101),
        "create-holds-share-255": create(holds_share=255),
        "create-no-stock-no-zone": create(stock=0, zone=nowhere),  # 33 comes before 37
    }
    impossible_edit = {
        "edit-window-empty": edit(starts_ms=5, ends_ms=5),
        "edit-window-reversed": edit(starts_ms=6, ends_ms=5),
        "edit-holds-share-101": edit(holds_share=101),
        "edit-holds-share-255": edit(holds_share=255),
    }
    return [
        *of("CLAIM", "QUANTITY_INVALID", made("CLAIM", {"claim-quantity-zero": claim(quantity=0)})),
        *of("RESERVE", "QUANTITY_INVALID", made("RESERVE", {
            "reserve-quantity-zero": reserve(quantity=0),
            "reserve-quantity-and-ttl-zero": reserve(quantity=0, ttl_s=0)})),  # 34 comes before 36
        *of("RESERVE", "TTL_INVALID", made("RESERVE", {"reserve-ttl-zero": reserve(ttl_s=0)})),
        *of("EXTEND", "TTL_INVALID", made("EXTEND", {"extend-ttl-zero": extend(ttl_s=0)})),
        *of("BATCH_ADD_STOCK", "QUANTITY_INVALID", made("BATCH_ADD_STOCK", {"add-no-units": stock(units=0)})),
        *of("BATCH_WITHDRAW", "QUANTITY_INVALID", made("BATCH_WITHDRAW", {"withdraw-no-units": stock(units=0)})),
        *of("BATCH_CREATE", "TERMS_INVALID", [
            *made("BATCH_CREATE", impossible_create),
            *texts("BATCH_CREATE", "create", "name", lambda text: create(name=text)),
            *texts("BATCH_CREATE", "create", "zone", lambda text: create(zone=text))]),
        *of("BATCH_EDIT", "TERMS_INVALID", [
            *made("BATCH_EDIT", impossible_edit),
            *texts("BATCH_EDIT", "edit", "name", lambda text: edit(name=text))]),
        *of("BATCH_CREATE", "ZONE_INVALID", made("BATCH_CREATE", {"create-no-such-zone": create(zone=nowhere)})),
    ]


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
        ("longest-reply-announced", "client", header(0xA2, REPLY_BODY_BYTES_MAX, 1024)),
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
        ("edits-1025", "server", header(0x25, 1025 * 256, 1025, 6)),
        ("length-before-opcode", "server", header(0x55, REQUEST_BODY_BYTES_MAX + 1, 1, 6)),
        ("reply-too-long", "client", header(0xA2, REPLY_BODY_BYTES_MAX + 1, 1024, 6)),
        ("events-4097", "client", header(0xC0, 4097 * 64, 4097, 6)),
    ]
    too_large_before_handshake = [
        ("before-handshake-too-long", "server", header(0x01, 129, 1, 6)),
        ("before-handshake-claims", "server", header(0x10, 160, 5, 6)),
        ("before-handshake-creation", "server", header(0x20, 256, 1, 6)),
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
        ("count-zero-with-body", "MALFORMED", header(0x10, 32, 0, 6) + bytes(32)),
        ("count-two-pings", "FRAME_TOO_LARGE", header(0x02, 16, 2, 6) + bytes(16)),
        ("count-largest", "FRAME_TOO_LARGE", header(0x02, 8, U32_MAX, 6) + body),
        ("count-1025-shows", "FRAME_TOO_LARGE", header(0x21, 1025 * 8, 1025, 6) + bytes(1025 * 8)),
        ("count-before-flags", "FRAME_TOO_LARGE", header(0x02, 16, 2, 6, flags=1) + bytes(16)),
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
        ("count-two-welcomes", "FRAME_TOO_LARGE", header(0x81, 128, 2, 6) + bytes(128)),
        ("count-256-runs", "FRAME_TOO_LARGE", header(0x92, 256 * 8, 256, 6) + bytes(256 * 8)),
        ("count-zero-with-events", "MALFORMED", header(0xC0, 64, 0, 6) + bytes(64)),
        ("flags-in-reply", "MALFORMED", header(0x82, 8, 1, 6, flags=2) + body),
        ("reserved-in-reply", "MALFORMED", header(0x82, 8, 1, 6, reserved=2) + body),
    ]
    followed = header(0x55, 8, 1, 6) + body + pong
    return [
        *(verdict(name, "fault", status, data, 6) for name, status, data in cases),
        *(verdict(name, "fault", status, data, 6, reader="client") for name, status, data in of_client),
        verdict("then-another-frame", "fault", "OPCODE_UNKNOWN", followed, 6, skip=40),
        *invalid_shapes(),
    ]


def invalid_shapes():
    """Of each opcode in each direction: one item more than the most and one less than the fewest, one byte too many."""
    for opcode, (number, *shapes) in OPCODES.items():
        for reader, bit, end, shape in zip(("server", "client"), (0, REPLY_BIT), ("", "-replies"), shapes):
            if shape is None:
                continue  # nobody asks for a fault
            size, fewest, most = shape
            cases = [("above-most", "FRAME_TOO_LARGE", header(number | bit, 0, most + 1, 6)),
                     ("not-of-its-size", "MALFORMED", header(number | bit, size + 1, 1, 6) + bytes(size + 1))]
            if fewest:
                cases.append(("below-fewest", "MALFORMED", header(number | bit, 0, fewest - 1, 6)))
            for what, status, data in cases:
                yield verdict(f"{slug(opcode)}{end}-{what}", "fault", status, data, 6, reader=reader)


def invalid_items():
    """Frames whose header is right and one of whose items is not: the whole frame is refused."""
    right = {
        "HELLO": hello("example"), "CLAIM": claim(), "RESERVE": reserve(), "EXTEND": extend(), "BATCH_CREATE": create(),
        "BATCH_LIST": page(0, 1), "BATCH_CHANGE": {"batch": 7, "action": 2}, "BATCH_ADD_STOCK": stock(),
        "BATCH_EDIT": edit(per_user=2), "BATCH_WITHDRAW": stock(), "COUPON_CHANGE": coupon_change(1),
        "COUPON_SHOW": coupon_key(), "COUPON_LOG": coupon_key(), "WALLET": wallet(), "FEED_SUBSCRIBE": subscribe(),
        "FEED_ACKNOWLEDGE": acknowledge(),
    }
    with_reserved = {opcode for opcode, layout in REQUEST_ITEMS.items() if any(not name for name, _ in layout)}
    assert with_reserved | {opcode for opcode, _ in REQUEST_BITS} == set(right)

    cases = []
    for opcode, item in right.items():
        for offset, size, name in places(REQUEST_ITEMS[opcode]):
            bits = REQUEST_BITS.get((opcode, name), 0) if name else 2 ** (8 * size) - 1
            for end, bit in [("first", bits & -bits), ("last", 1 << bits.bit_length() >> 1)] if bits else []:
                at = (bit.bit_length() - 1) // 8
                data = altered(opcode, [item], offset + at, bit >> 8 * at)
                cases.append((f"{slug(opcode)}-{name or 'reserved'}-{offset}-{end}-bit", data))
    limits = [("BATCH_LIST", page, U32_MAX), ("CLIENT_LIST", page, U32_MAX), ("FEED_LIST", page, U32_MAX),
              ("BATCH_STATS", stats_query, U32_MAX), ("COUPON_LIST", coupon_list, U32_MAX), ("WALLET", wallet, U16_MAX)]
    for opcode, make, largest in limits:
        for limit in (0, PAGE_MAX + 1, largest):
            cases.append((f"{slug(opcode)}-limit-{limit}", request_bytes(opcode, [make(limit=limit)], 6)))
    for window in (0, FEED_WINDOW_MAX + 1, U32_MAX):
        cases.append((f"feed-subscribe-window-{window}",
                      request_bytes("FEED_SUBSCRIBE", [subscribe(window=window)], 6)))
    for opcode in ("BATCH_CHANGE", "COUPON_CHANGE"):
        for action in (0, 7, U8_MAX):
            item = right[opcode] | {"action": action}
            cases.append((f"{slug(opcode)}-action-{action}", request_bytes(opcode, [item], 6)))
    for opcode, make in (("FEED_SUBSCRIBE", lambda text: subscribe(consumer=text)),
                         ("FEED_FORGET", lambda text: {"consumer": text})):
        cases += [(f"{slug(opcode)}-consumer-{what}", data) for what, data in bad_texts(opcode, "consumer", make)]
    # The last of several items is judged too.
    for opcode, offset, bit in [("CLAIM", 30, 1), ("RESERVE", 29, 2), ("EXTEND", 26, 1), ("BATCH_CREATE", 39, 1),
                                ("BATCH_EDIT", 8, 1), ("BATCH_CHANGE", 9, 1), ("BATCH_ADD_STOCK", 20, 1),
                                ("BATCH_WITHDRAW", 20, 1), ("COUPON_CHANGE", 28, 8), ("COUPON_SHOW", 12, 1)]:
        cases.append((f"{slug(opcode)}-second-of-two", altered(opcode, [right[opcode]] * 2, offset, bit, at=1)))

    of_hello = [(name, data) for name, data in cases if name.startswith("hello-")]
    of_hello += [(f"hello-name-{what}", data) for what, data in bad_texts("HELLO", "client_name", hello)]
    of_hello += [(f"hello-token-{what}", data) for what, data in bad_texts("HELLO", "token", lambda token: hello(
        "example", token))]
    return [
        *(verdict(name, "fault", "MALFORMED", data, 6, layer="item") for name, data in cases
          if not name.startswith("hello-")),
        *(verdict(name, "close", "MALFORMED", data, 6, layer="item", before_handshake=True) for name, data in of_hello),
    ]


def uuids():
    cases = ["123e4567-e89b-12d3-a456-426614174000", "00000000-0000-0000-0000-000000000000",
             "00112233-4455-6677-8899-aabbccddeeff", "ffffffff-ffff-ffff-0000-000000000001"]
    halves = [struct.unpack(">QQ", bytes.fromhex(text.replace("-", ""))) for text in cases]
    return [{"uuid": text, "request": str(high ^ low)} for text, (high, low) in zip(cases, halves)]


def main():
    check_layouts()
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
