#!/usr/bin/python3
"""Buys after rising ticks in a row, sells what it has after falling ones: fleet attach ./strategy/examples/momentum.py
Speaks the wire protocol of docs/wire.md and nothing else: a record is a msgpack array [type id, field, ...], money and
quantities are integers times 1e8, times UTC nanoseconds. Needs python3-zmq and python3-msgpack."""
import io, os, signal, sys, time, uuid

import msgpack
import zmq

E8, MS = 100_000_000, 1_000_000
QUOTE, SIGNAL, ACK, POSITIONS_QUERY, POSITION_ROW, LOG_BATCH = 100, 130, 132, 149, 150, 200  # records
REQUESTED, EXECUTED, POSITION_UPDATED = 1, 8, 20                                             # events
ENDED = {3: "rejected", 11: "canceled", 12: "expired", 14: "failed", 15: "completed"}        # events that end an order
BUY, SELL, LIMIT, IOC, OK, STALE, DUPLICATE, TRY_AGAIN = 1, 2, 2, 2, 1, 15, 16, (20, 21, 22) # enumerations
SILENCE_S = 1  # the log's tip comes four times a second: after this another orchestrator may have taken its place
ENV, NAME = os.environ, os.environ.get("ZVT_STRATEGY_NAME", "momentum-py")
SYMBOL = ENV.get("ZVT_STRATEGY_SYMBOL", "BTC/USDT")
SETTINGS = {"ticks": 5, "order_value": 1000, "position_orders": 5, "cooldown_ms": 2000}
for pair in filter(None, ENV.get("ZVT_STRATEGY_SETTINGS", "").split(",")):
    key, _, value = pair.partition("=")
    if key not in SETTINGS or not value.isdigit():
        sys.exit(f"setting '{pair}': use KEY=NUMBER with one of {', '.join(SETTINGS)}")
    SETTINGS[key] = int(value)


def log(text):
    print(f"{NAME}: {text}", file=sys.stderr, flush=True)


def connect(kind, variable, default, *topics):
    socket = zmq.Context.instance().socket(kind)
    socket.setsockopt(zmq.LINGER, 0)
    for endpoint in ENV.get(variable, f"ipc://{ENV.get('ZVT_RUNTIME', '.')}/{default}").split(","):
        socket.connect(endpoint)
    for topic in topics:
        socket.subscribe(topic)
    return socket


def records(frame):
    return list(msgpack.Unpacker(io.BytesIO(frame), raw=False))


class Momentum:
    def __init__(self, signals, position):
        self.signals, self.position, self.order = signals, position, None  # one order at a time, from signal to end
        self.incarnation, self.sequence = time.time_ns(), 0  # a run, and the numbers within it, name a signal for ever
        self.run, self.mid, self.venue, self.not_before = 0, 0, ENV.get("ZVT_STRATEGY_VENUE"), 0

    def on_quote(self, quote):
        _, venue, symbol, _, _, bid, ask = quote[:7]
        if symbol != SYMBOL or not bid or not ask or venue != (self.venue or venue):
            return  # one venue's prices only: two would zigzag
        before, self.mid, self.venue = self.mid, (bid + ask) // 2, venue
        if before and self.mid != before:
            self.run = max(self.run, 0) + 1 if self.mid > before else min(self.run, 0) - 1
        if self.order or time.time_ns() < self.not_before:
            return
        quantity = round(round(SETTINGS["order_value"] * E8 / ask, 3) * E8)  # three decimals: lots of the default fleet
        if self.run >= SETTINGS["ticks"] and 0 < self.position + quantity <= SETTINGS["position_orders"] * quantity:
            self.submit(BUY, quantity, ask)
        elif self.run <= -SETTINGS["ticks"] and self.position * bid // E8 >= 10 * E8:
            self.submit(SELL, self.position, bid)

    def submit(self, side, quantity, price):
        now, self.run, self.sequence = time.time_ns(), 0, self.sequence + 1
        terms = [SYMBOL, side, LIMIT, IOC, False, quantity, price, price, self.venue, now + 5000 * MS]
        record = [SIGNAL, uuid.uuid4().bytes, NAME, self.incarnation, self.sequence, NAME, "main", terms, E8 // 2, now]
        self.order = {"record": record, "id": None, "sent": now, "next": now, "pause": 100 * MS}
        self.not_before = now + SETTINGS["cooldown_ms"] * MS
        log(f"{'buys' if side == BUY else 'sells'} {quantity / E8} {SYMBOL} at {price / E8}")

    def deliver(self):
        """Sends the signal until it is answered or expires: a socket may lose it, and a second copy does no harm."""
        now, order = time.time_ns(), self.order
        if order and now - order["sent"] > (60_000 if order["id"] else 5_000) * MS:
            self.order = log("order given up: no answer, or its end was published while nobody listened here")
        elif order and not order["id"] and now >= order["next"]:
            order["next"], order["pause"] = now + order["pause"], min(2 * order["pause"], 1000 * MS)
            if self.signals.poll(0, zmq.POLLOUT):
                self.signals.send(msgpack.packb(order["record"]))

    def catch_up(self, position):
        """Events were missed; the end of the order may be among them, so it has five more seconds to be heard of."""
        self.position = position
        if self.order and self.order["id"]:
            self.order["sent"] = min(self.order["sent"], time.time_ns() - 55_000 * MS)

    def on_ack(self, ack):
        _, incarnation, sequence, _, order_id, _, code, message, known_run, untaken = ack[:10]
        if not self.order or (incarnation, sequence) != (self.incarnation, self.sequence) or code in TRY_AGAIN:
            return
        if code == STALE and known_run > incarnation:  # the clock was set back: this run began below one that is known
            self.incarnation, self.sequence = known_run + 1, 0
            log(f"run {known_run} is known, above this one: going on above it")
        if code == STALE and untaken:  # nothing of the old run was ever taken, so a new name makes no second order of it
            self.sequence, self.order["next"] = 1, 0
            self.order["record"][3:5] = self.incarnation, self.sequence
        else:
            self.order["id"] = order_id
            if code not in (OK, DUPLICATE):
                self.order = log(f"refused with code {code}: {message}")

    def on_event(self, event):
        kind, order_id, data = event[2], event[7], event[10]
        if kind == POSITION_UPDATED and (data[2], data[3]) == (NAME, SYMBOL):
            self.position = data[7]
        if self.order and kind == REQUESTED and data[5] == self.order["record"][1]:
            self.order["id"] = order_id
        elif self.order and order_id == self.order["id"] and kind == EXECUTED:
            log(f"filled {data[9] / E8} at {data[8] / E8}")
        elif self.order and order_id == self.order["id"] and kind in ENDED:
            self.order = log(f"order {uuid.UUID(bytes=order_id)} {ENDED[kind]}, holds {self.position / E8} {SYMBOL}")


def orchestrator():
    """Events and acknowledgements, and the way for signals."""
    return (connect(zmq.SUB, "ZVT_ENDPOINT_EVENTS", "events", f"ack.{NAME}", f"log.{ENV.get('ZVT_SHARD', '0')}"),
            connect(zmq.PUSH, "ZVT_ENDPOINT_SIGNALS", "signals"))


def held():
    portfolio = connect(zmq.REQ, "ZVT_ENDPOINT_PORTFOLIO", "portfolio")
    portfolio.send(msgpack.packb([POSITIONS_QUERY, "", NAME]))
    return sum(row[5] for row in records(portfolio.recv()) if row[0] == POSITION_ROW and row[4] == SYMBOL)


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(log("asked to stop")))
    market = connect(zmq.SUB, "ZVT_ENDPOINT_MARKET", "market.alpha", "quote.")
    (events, signals), heard, missed = orchestrator(), time.monotonic(), False
    strategy = Momentum(signals, held())
    log(f"trades {SYMBOL}, holds {strategy.position / E8}")
    while True:
        for socket in zmq.select([market, events], [], [], 0.05)[0]:
            first, *rest = records(socket.recv_multipart()[1])
            if socket is events:
                if missed:
                    strategy.catch_up(held())
                heard, missed = time.monotonic(), False
            handle = {QUOTE: strategy.on_quote, ACK: strategy.on_ack, LOG_BATCH: strategy.on_event}.get(first[0])
            for record in rest if first[0] == LOG_BATCH else [first, *rest] if handle else []:
                handle(record)
        if time.monotonic() - heard > SILENCE_S:
            events.close()
            strategy.signals.close()
            (events, strategy.signals), heard, missed = orchestrator(), time.monotonic(), True
        strategy.deliver()


main()
