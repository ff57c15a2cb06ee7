#!/usr/bin/python3
"""What strangers can send: garbage on every socket, the same command twice, numbers that make no sense.

Speaks the wire protocol of docs/wire.md: a record is the msgpack array [type id, field, ...]. The fleet has to refuse
what is wrong, count it, and lose nothing."""
import json
import os
import random
import socket
import subprocess
import sys
import threading
import time
import uuid

import msgpack
import zmq

CHECKOUT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
HOME = os.path.join(os.environ["ZVT_TEST_BASE"], "home")
E8 = 100_000_000
HELLO, ERROR, SIGNAL, ACK, PLACE, PLACE_REPLY, CONTROL = 120, 122, 130, 132, 140, 141, 152
BUY, SELL, MARKET, LIMIT, GTC, IOC, FILLED = 1, 2, 1, 2, 1, 2, 3
CODES = {1: "OK", 10: "MALFORMED", 11: "UNKNOWN_SYMBOL", 12: "BAD_QUANTITY", 13: "BAD_PRICE", 14: "BAD_ORDER", 15: "STALE",
         16: "DUPLICATE", 17: "UNKNOWN_VENUE", 25: "NUMBER_OVERFLOW", 31: "PRICE_OFF_TICK", 32: "QUANTITY_OFF_LOT",
         33: "MAX_QUANTITY", 34: "MAX_NOTIONAL", 35: "MIN_NOTIONAL", 36: "PRICE_COLLAR", 38: "SHORT_POSITION",
         51: "INSUFFICIENT_BALANCE"}
BOMB = bytes.fromhex("dd10000000")


def check(text, ok, detail=""):
    with open(os.environ["ZVT_TEST_RESULTS"], "a") as results:
        results.write(f"{'ok' if ok else 'FAILED'} {text}\n")
    print(f"    {'ok    ' if ok else 'FAILED'} {text}" + ("" if ok or detail == "" else f"\n           {detail}"), flush=True)


def fleet(*words, may_fail=False):
    done = subprocess.run([f"{CHECKOUT}/run/fleet", "--home", HOME, *words], capture_output=True, text=True, stdin=subprocess.DEVNULL)
    if done.returncode and not may_fail:
        raise SystemExit(f"fleet {' '.join(words)}: exit code {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def sql(query):
    return fleet("psql", "-At", "-c", query).strip()


def processes():
    return {p["name"]: p for p in json.loads(fleet("status", "--json"))["processes"]}


def counter(name, what):
    os.environ.update(environment())
    monitor = os.path.join(os.environ["ZVT_BIN"], "zvt-monitor")
    stats = json.loads(subprocess.run([monitor, "stats", name], capture_output=True, text=True).stdout or "{}")
    return stats.get("counters", {}).get(what, 0)


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
def garbage():
    """Frames that are not what a socket expects. The last ones are larger than a message may be, or lie about it."""
    rng = random.Random(7)
    hello = msgpack.packb([HELLO, 10, "stranger", 1, 0, 0, False])
    place = msgpack.packb([PLACE, "", "u", "s", "main", terms(), FILLED, 1000])
    yield b""
    yield b"\x00"
    yield b"hello?"
    yield BOMB
    yield bytes.fromhex("dbffffffff")            # a text of 4 GiB
    yield bytes.fromhex("c6ffffffff00")          # four GiB of bytes
    yield b"\x91" * 20000                        # arrays in arrays
    yield msgpack.packb([65535, 1, 2])           # an unknown record
    yield msgpack.packb([PLACE])                 # a record without its fields
    yield msgpack.packb([PLACE, 1, 2, 3, 4, 5])  # fields of other types
    yield msgpack.packb({"type": "place"})
    yield msgpack.packb([HELLO, 10, "x" * 5000, 1, 0, 0, False])
    yield place + BOMB                           # a good record, then none
    for record in (hello, place):
        for length in range(1, len(record), 7):
            yield record[:length]
    for _ in range(200):
        yield rng.randbytes(rng.randrange(1, 400))
    yield b"\xc0" * (5 << 20)


def endpoints(env):
    runtime = env["ZVT_RUNTIME"]
    return sorted(name for name in os.listdir(runtime) if os.path.exists(f"{runtime}/{name}") and
                  subprocess.run(["test", "-S", f"{runtime}/{name}"]).returncode == 0)


def throw(wire, name):
    """Sends all of it to one socket, by every kind of socket that could talk to it, and as plain bytes."""
    endpoint = f"ipc://{wire.env['ZVT_RUNTIME']}/{name}"
    kinds = [zmq.PUSH] if name == "signals" else [zmq.XSUB] if name.split(".")[0] in ("events", "market", "feed") else [zmq.DEALER, zmq.REQ]
    for kind in kinds:
        opened = wire.open(kind, endpoint)
        for frame in garbage():
            try:
                if kind == zmq.REQ:
                    opened.close()
                    opened = wire.open(kind, endpoint)
                opened.send(frame, zmq.NOBLOCK if kind == zmq.PUSH else 0)
            except zmq.ZMQError:
                pass  # a full queue, or a connection that was closed on us: both are the other side's right
        if kind == zmq.DEALER:
            for parts in ([b""] * 50, [b"", b"", BOMB], [b"a", b"b", b"c"]):
                opened.send_multipart(parts)
        time.sleep(0.05)  # what is still in our own queue must leave before the socket is closed
        opened.close()
    for data in (b"GET / HTTP/1.0\r\n\r\n", b"\xff" * 64, random.Random(3).randbytes(4096), b""):
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as raw:
            try:
                raw.connect(f"{wire.env['ZVT_RUNTIME']}/{name}")
                raw.send(data)
            except OSError:
                pass


def test_garbage(wire):
    before = processes()
    names = endpoints(wire.env)
    check("there are sockets of every kind to throw at", {"request", "signals", "events", "risk", "execute", "portfolio", "replay"} <= set(names), names)
    for name in names:
        throw(wire, name)
    time.sleep(1)  # whoever would die of it has had the time
    after = processes()
    died = [n for n in before if n in after and before[n]["pid"] != after[n]["pid"]]
    check(f"garbage on {len(names)} sockets kills nobody", died == [] and len(before) == len(after), died)
    for name in ("orchestrator", "risk", "executor", "portfolio", "replayer", "gateway-alpha", "venue-alpha"):
        check(f"{name} counts what it could not read", counter(name, "malformed") > 0)
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


def test_same_signal(wire):
    name, run = "twin", time.time_ns()
    acks = wire.open(zmq.SUB, wire.env["ZVT_ENDPOINT_EVENTS"], topics=[f"ack.{name}"])
    signals = wire.open(zmq.PUSH, wire.env["ZVT_ENDPOINT_SIGNALS"])
    time.sleep(0.5)  # a subscription says nothing when it has arrived
    signal_id = uuid.uuid4()
    record = [SIGNAL, signal_id.bytes, name, run, 1, name, "main", terms(expires=time.time_ns() + 10 * 10**9), E8, time.time_ns()]
    received = []
    for _ in range(3):
        signals.send(msgpack.packb(record))
        received.append(msgpack.unpackb(acks.recv_multipart()[1]))
    check("every copy of a signal is acknowledged", len(received) == 3 and all(a[0] == ACK and a[2] == 1 for a in received), received)
    check("with the same order", len({a[4] for a in received}) == 1, received)
    check("the first with OK, the others with DUPLICATE", [CODES.get(a[6]) for a in received] == ["OK", "DUPLICATE", "DUPLICATE"],
          [CODES.get(a[6]) for a in received])
    check("it is one order", sql(f"select count(*) from event_store where event_type = 'order.requested' and event_data->>'signal_id' = '{signal_id}'") == "1")
    record[4], record[1], record[7] = 2, uuid.uuid4().bytes, terms(expires=time.time_ns() - 10**9)
    signals.send(msgpack.packb(record))
    stale = msgpack.unpackb(acks.recv_multipart()[1])
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
        wire = Wire(environment())
        for test in (test_same_request, test_same_signal, test_bad_orders, test_garbage):
            test(wire)
        check("verify passes at the end", json.loads(fleet("verify", "--json", may_fail=True))["ok"])
    finally:
        fleet("down", "--wipe", "--yes", may_fail=True)


if __name__ == "__main__":
    sys.exit(main())
