#!/usr/bin/python3
"""What strangers can send: garbage on every socket, the same command twice, numbers that make no sense.

Speaks the wire protocol of docs/wire.md: a record is the msgpack array [type id, field, ...]. The fleet has to refuse
what is wrong, count it, and lose nothing."""
import json
import os
import subprocess
import sys
import threading
import time
import uuid

import msgpack
import zmq

import garbage

CHECKOUT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
HOME = os.path.join(os.environ["ZVT_TEST_BASE"], "home")
E8 = 100_000_000
HELLO, ERROR, SIGNAL, ACK, PLACE, PLACE_REPLY, CONTROL = 120, 122, 130, 132, 140, 141, 152
BUY, SELL, MARKET, LIMIT, GTC, IOC, FILLED = 1, 2, 1, 2, 1, 2, 3
CODES = {1: "OK", 10: "MALFORMED", 11: "UNKNOWN_SYMBOL", 12: "BAD_QUANTITY", 13: "BAD_PRICE", 14: "BAD_ORDER", 15: "STALE",
         16: "DUPLICATE", 17: "UNKNOWN_VENUE", 25: "NUMBER_OVERFLOW", 31: "PRICE_OFF_TICK", 32: "QUANTITY_OFF_LOT",
         33: "MAX_QUANTITY", 34: "MAX_NOTIONAL", 35: "MIN_NOTIONAL", 36: "PRICE_COLLAR", 38: "SHORT_POSITION",
         51: "INSUFFICIENT_BALANCE"}


def check(text, ok, detail=""):
    with open(os.environ["ZVT_TEST_RESULTS"], "a") as results:
        results.write(f"{'ok' if ok else 'FAILED'} {text}\n")
    print(f"    {'ok    ' if ok else 'FAILED'} {text}" + ("" if ok or detail == "" else f"\n           {detail}"), flush=True)
    if not ok:
        subprocess.run([f"{CHECKOUT}/tests/system/trouble", os.environ["ZVT_TEST_BASE"]])  # what the fleet's logs have warned of


def fleet(*words, may_fail=False):
    done = subprocess.run([f"{CHECKOUT}/run/fleet", "--home", HOME, *words], capture_output=True, text=True, stdin=subprocess.DEVNULL)
    if done.returncode and not may_fail:
        raise SystemExit(f"fleet {' '.join(words)}: exit code {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def sql(query):
    return fleet("psql", "-At", "-c", query).strip()


def processes():
    return {p["name"]: p for p in json.loads(fleet("status", "--json"))["processes"]}


def monitor(*words):
    return subprocess.run([os.path.join(os.environ["ZVT_BIN"], "zvt-monitor"), *words], capture_output=True, text=True).stdout


def counter(name, what):
    stats = json.loads(monitor("stats", name) or "{}")
    return stats.get("counters", {}).get(what, 0)


def wait_until(seconds, condition):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


def environment():
    lines = fleet("env").splitlines()
    return {line.split("=", 1)[0].removeprefix("export "): line.split("=", 1)[1].strip("'") for line in lines}


def terms(symbol="BTC/USDT", side=BUY, kind=MARKET, tif=IOC, quantity=E8 // 100, price=0, venue="", expires=0):
    return [symbol, side, kind, tif, False, quantity, price, 0, venue, expires]


class Wire:
    def __init__(self, env):
        self.env = env
        self.context = zmq.Context()
        self.context.setsockopt(zmq.LINGER, 0)

    def open(self, kind, endpoint, **options):
        opened = self.context.socket(kind)
        opened.setsockopt(zmq.RCVTIMEO, 15000)
        opened.setsockopt(zmq.SNDTIMEO, 2000)
        for topic in options.get("topics", []):
            opened.subscribe(topic)
        opened.connect(endpoint)
        return opened

    def ask(self, record):
        """One question on the request socket, as any REQ client asks."""
        request = self.open(zmq.REQ, self.env["ZVT_ENDPOINT_REQUEST"])
        try:
            request.send(msgpack.packb(record))
            return msgpack.unpackb(request.recv(), strict_map_key=False)
        finally:
            request.close()

    def place(self, request_id, order, wait=FILLED):
        reply = self.ask([PLACE, request_id, "tester", "wire", "main", order, wait, 10000])
        names = ["type", "request_id", "success", "order_id", "correlation_id", "state", "code", "message"]
        return dict(zip(names, reply))


# ---- garbage ----
def test_garbage(wire):
    before = processes()
    names = garbage.sockets()
    check("there are sockets of every kind to throw at", {"request", "signals", "events", "risk", "execute", "portfolio", "replay"} <= set(names), names)
    for name in names:
        garbage.throw(wire.context, name, slowly=True)
    # Everybody still answers, so what was thrown before that is behind them.
    check("everybody answers after it", all(counter(name, "messages") > 0 for name in before if name != "postgres"))
    after = processes()
    died = [n for n in before if n in after and before[n]["pid"] != after[n]["pid"]]
    check(f"garbage on {len(names)} sockets kills nobody", died == [] and len(before) == len(after), died)
    for name in ("orchestrator", "risk", "executor", "portfolio", "replayer", "gateway-alpha", "venue-alpha"):
        check(f"{name} counts what it could not read", wait_until(20, lambda: counter(name, "malformed") > 0))
    big = [n for n, p in after.items() if p["pid"] and rss_mb(p["pid"]) > 400]
    check("nobody has grown by what a message claimed", big == [], big)
    check("an order fills after all that", wire.place("", terms())["success"] is True)


def rss_mb(pid):
    with open(f"/proc/{pid}/statm") as statm:
        return int(statm.read().split()[1]) * 4096 // (1 << 20)


# ---- the same command twice ----
def test_same_request(wire):
    replies = []
    ask = lambda: replies.append(wire.place("twice", terms()))
    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    check("four clients with one request id get one order", len({r["order_id"] for r in replies}) == 1 and len(replies) == 4, replies)
    order_id = uuid.UUID(bytes=replies[0]["order_id"])
    check("it was executed once", sql(f"select sum((event_data->>'executed_quantity')::numeric) from event_store where "
                                      f"event_type = 'order.executed' and event_data->>'order_id' = '{order_id}'") == "0.01")


def await_subscription(events):
    """A subscription says nothing when it has arrived, but the log's tip is published every 250 ms and comes through it."""
    events.recv_multipart()
    events.unsubscribe("log.0")
    while events.poll(0):
        events.recv_multipart()


def next_ack(events):
    """What is left of the log's topic is passed over."""
    while True:
        topic, frame = events.recv_multipart()
        if topic.startswith(b"ack."):
            return msgpack.unpackb(frame)


def test_same_signal(wire):
    name, run = "twin", time.time_ns()
    acks = wire.open(zmq.SUB, wire.env["ZVT_ENDPOINT_EVENTS"], topics=[f"ack.{name}", "log.0"])
    signals = wire.open(zmq.PUSH, wire.env["ZVT_ENDPOINT_SIGNALS"])
    await_subscription(acks)
    signal_id = uuid.uuid4()
    record = [SIGNAL, signal_id.bytes, name, run, 1, name, "main", terms(expires=time.time_ns() + 10 * 10**9), E8, time.time_ns()]
    received = []
    for _ in range(3):
        signals.send(msgpack.packb(record))
        received.append(next_ack(acks))
    check("every copy of a signal is acknowledged", len(received) == 3 and all(a[0] == ACK and a[2] == 1 for a in received), received)
    check("with the same order", len({a[4] for a in received}) == 1, received)
    check("the first with OK, the others with DUPLICATE", [CODES.get(a[6]) for a in received] == ["OK", "DUPLICATE", "DUPLICATE"],
          [CODES.get(a[6]) for a in received])
    check("it is one order", sql(f"select count(*) from event_store where event_type = 'order.requested' and event_data->>'signal_id' = '{signal_id}'") == "1")
    record[4], record[1], record[7] = 2, uuid.uuid4().bytes, terms(expires=time.time_ns() - 10**9)
    signals.send(msgpack.packb(record))
    stale = next_ack(acks)
    check("an expired signal is refused as stale", CODES.get(stale[6]) == "STALE", stale)


# ---- numbers that make no sense ----
def test_bad_orders(wire):
    huge = 2**63 - 1
    rows = [
        ("an unknown symbol", terms(symbol="NO/SUCH"), {"UNKNOWN_SYMBOL"}),
        ("quantity 0", terms(quantity=0), {"BAD_QUANTITY"}),
        ("a negative quantity", terms(quantity=-E8), {"BAD_QUANTITY"}),
        ("the smallest integer", terms(quantity=-2**63), {"BAD_QUANTITY"}),
        ("the largest integer", terms(quantity=huge), {"NUMBER_OVERFLOW", "MAX_QUANTITY", "QUANTITY_OFF_LOT"}),
        ("a price and a quantity whose product overflows", terms(kind=LIMIT, tif=GTC, quantity=10**9 * E8, price=10**10 * E8),
         {"NUMBER_OVERFLOW", "MAX_QUANTITY", "PRICE_COLLAR"}),
        ("a quantity off the lot", terms(quantity=E8 // 100 + 1), {"QUANTITY_OFF_LOT"}),
        ("a price off the tick", terms(kind=LIMIT, tif=GTC, price=60000 * E8 + 1), {"PRICE_OFF_TICK"}),
        ("a limit order without a price", terms(kind=LIMIT, tif=GTC), {"BAD_PRICE"}),
        ("a market order with a price", terms(price=60000 * E8), {"BAD_PRICE"}),
        ("a price far from the market", terms(kind=LIMIT, tif=GTC, price=90000 * E8), {"PRICE_COLLAR"}),
        ("too large a quantity", terms(quantity=50 * E8), {"MAX_QUANTITY", "MAX_NOTIONAL"}),
        ("too small a value", terms(quantity=1000), {"MIN_NOTIONAL"}),
        ("a sale of what one does not have", terms(symbol="ETH/USDT", side=SELL), {"SHORT_POSITION"}),
        ("an unknown venue", terms(venue="gamma"), {"UNKNOWN_VENUE"}),
        ("an order that has expired", terms(expires=1), {"STALE"}),
    ]
    for text, order, codes in rows:
        reply = wire.place("", order)
        code = CODES.get(reply.get("code"), reply.get("code"))
        check(f"{text} is refused", reply.get("success") is False and code in codes, f"{code}, expected {codes}: {reply}")
    reply = wire.ask([PLACE, "", "u", "wire", "main", terms(side=9), FILLED, 1000])
    check("a side that does not exist is malformed", reply[0] == ERROR or CODES.get(reply[6]) in ("BAD_ORDER", "MALFORMED"), reply)
    check("verify passes", json.loads(fleet("verify", "--json", may_fail=True))["ok"])


def main():
    try:
        fleet("up", "--no-strategies", "--seed", "3")
        os.environ.update(environment())
        wire = Wire(environment())
        for test in (test_same_request, test_same_signal, test_bad_orders, test_garbage):
            test(wire)
        check("verify passes at the end", json.loads(fleet("verify", "--json", may_fail=True))["ok"])
    finally:
        fleet("down", "--wipe", "--yes", may_fail=True)


if __name__ == "__main__":
    sys.exit(main())
