#!/usr/bin/python3
"""The load of the chaos run, a process of its own: several strategies and request clients on the real sockets.

Open loop: an order is due whether or not earlier ones were answered. A command is sent again until it is answered or
has expired, and some are sent twice for no reason. What this process is told goes to a file, line by line: that is the
first of the three ledgers (see checks.py).

  load.py TOLD_FILE RATE SEED      commands as JSON lines on stdin, answers as JSON lines on stdout

  ack SIGNAL ORDER SEQ             a signal is acknowledged: the order is in the log at SEQ (0: a repetition says no seq)
  refused SIGNAL CODE              a signal is refused for good: no order was or will be made of it
  canceled ORDER                   a cancel is acknowledged
  reply REQUEST ORDER STATE FILLED CODE   what a client was told about its request
  heard SEQ EVENT                  a subscriber heard the event at SEQ, the last one of a batch
  halted SEQ, resumed SEQ          the switch was acknowledged"""
import heapq
import itertools
import json
import os
import random
import sys
import time
import uuid
from collections import deque

import zmq

import wire
from wire import BUY, E8, GTC, IOC, LIMIT, MARKET, MS, SECOND, SELL

VENUES = ("alpha", "beta")
EXPIRY_NS, REQUEST_PATIENCE_NS, CANCEL_PATIENCE_NS = 8 * SECOND, 40 * SECOND, 20 * SECOND
HASTY, HASTY_NS = 0.1, (100 * MS, 1500 * MS)  # share of the signals whose lifetime may pass under way, and how long they live
SILENCE_NS = SECOND // 2      # without a word from the orchestrator, after which another may serve its endpoints
CONNECT_AGAIN_NS = 100 * MS   # and then again so often, so that what is measured is the fleet's time and not ours
RESEND_NS, RESEND_LAST_NS = 250 * MS, 1000 * MS
REPEATED = 0.03                # share of the commands that are sent once more, up to REPEAT_NS later
REPEAT_NS = 3 * SECOND
GREEDY_PHASE_NS = SECOND // 2  # buys beyond its limit for so long, then sells
KEEP_NS = 60 * SECOND          # how long an order that is not seen to end is remembered

# who sends: (share of the orders, what it does)
KINDS = (("take", 0.62), ("request", 0.10), ("rest", 0.10), ("sweep", 0.08), ("greedy", 0.10))


class Strategy:
    """A sender of signals: its name, its run, its numbers."""

    def __init__(self, name):
        self.name, self.incarnation, self.last = name, time.time_ns(), 0


class Pending:
    """A command that is not answered yet."""
    __slots__ = ("frame", "socket", "first_ns", "until_ns", "pause_ns", "kind", "signal", "sent")

    def __init__(self, frame, socket, until_ns, kind, signal):
        self.frame, self.socket, self.until_ns, self.kind, self.signal = frame, socket, until_ns, kind, signal
        self.first_ns, self.pause_ns, self.sent = time.monotonic_ns(), RESEND_NS, False


class Load:
    def __init__(self, told, rate, seed, env):
        self.told, self.rate, self.rng = open(told, "w", buffering=1 << 16), rate, random.Random(seed)
        context = zmq.Context()
        self.takers = [Strategy(f"chaos-take-{n}") for n in range(4)]
        self.resters = [Strategy(f"chaos-rest-{n}") for n in range(2)]
        self.greedy = Strategy("chaos-greedy")
        self.strategies = {s.name: s for s in [*self.takers, *self.resters, self.greedy]}
        self.signals = wire.connect(context, zmq.PUSH, env["ZVT_ENDPOINT_SIGNALS"])
        self.requests = wire.connect(context, zmq.DEALER, env["ZVT_ENDPOINT_REQUEST"])
        self.events = wire.connect(context, zmq.SUB, env["ZVT_ENDPOINT_EVENTS"], "ack.chaos", f"log.{env['ZVT_SHARD']}")
        self.endpoints = ((self.signals, env["ZVT_ENDPOINT_SIGNALS"]), (self.requests, env["ZVT_ENDPOINT_REQUEST"]),
                          (self.events, env["ZVT_ENDPOINT_EVENTS"]))
        self.heard_ns = time.monotonic_ns()     # from the orchestrator
        self.market = wire.connect(context, zmq.SUB, env["ZVT_ENDPOINT_MARKET"], "quote.")
        self.quotes, self.numbers = {}, itertools.count(1)
        self.pending, self.timers = {}, []      # by (sender, number) or request id; (due, n, what to do, with what)
        self.sent, self.orders = {}, {}         # signal or request -> when first sent; order -> the same
        self.resting = {}                       # order (or signal) -> strategy that will cancel it
        self.done, self.marks = deque(maxlen=5000), {}
        self.late_ms = 0                        # how late this process was itself, at the most, since the last mark
        self.paused, self.draining, self.running = True, False, True
        self.count = dict.fromkeys(("orders", "acks", "duplicates", "refused", "replies", "resent", "expired", "completed", "lag_ms"), 0)
        self.epoch = 0
        self.handlers = {wire.ACK: self.on_ack, wire.PLACE_REPLY: self.on_place_reply, wire.COMMAND_REPLY: self.on_command_reply}

    def tell(self, **message):
        print(json.dumps(message), flush=True)

    def at(self, due_ns, function, *arguments):
        heapq.heappush(self.timers, (due_ns, next(self.numbers), function, arguments))

    # ---- sending ----
    def transmit(self, pending):
        try:
            pending.socket.send(pending.frame, zmq.NOBLOCK)
            pending.sent = True
        except zmq.ZMQError:
            pass  # nobody is there: the timer tries again

    def submit(self, key, record, socket, patience_ns, kind, signal=None):
        now_ns = time.monotonic_ns()
        pending = self.pending[key] = Pending(wire.pack(record), socket, now_ns + patience_ns, kind, signal)
        self.transmit(pending)
        self.at(now_ns + pending.pause_ns, self.resend, key)
        if self.rng.random() < REPEATED and key != "switch":  # a halt that comes after its resume halts again
            self.at(now_ns + int(self.rng.random() * REPEAT_NS), self.transmit, pending)

    def resend(self, key):
        pending, now_ns = self.pending.get(key), time.monotonic_ns()
        if pending is None:
            return
        if now_ns >= pending.until_ns:
            del self.pending[key]
            self.count["expired"] += 1
            if pending.kind in ("rest", "cancel"):  # it may rest all the same: cancel it (again) before the next look
                self.resting[pending.signal] = self.strategies[key[0]]
            return
        self.count["resent"] += 1
        self.transmit(pending)
        pending.pause_ns = min(2 * pending.pause_ns, RESEND_LAST_NS)
        self.at(now_ns + pending.pause_ns, self.resend, key)

    def signal(self, strategy, terms, kind):
        strategy.last += 1
        signal_id, utc_ns = uuid.UUID(int=self.rng.getrandbits(128), version=4).bytes, time.time_ns()
        terms[9] = utc_ns + (self.rng.randrange(*HASTY_NS) if self.rng.random() < HASTY else EXPIRY_NS)
        record = [wire.SIGNAL, signal_id, strategy.name, strategy.incarnation, strategy.last, strategy.name, "main", terms, E8 // 2, utc_ns]
        self.sent[signal_id] = time.monotonic_ns(), terms[8]
        # The last copies of an expiring signal are still on their way when its patience ends.
        self.submit((strategy.name, strategy.last), record, self.signals, EXPIRY_NS + SECOND, kind, signal_id)

    def cancel(self, strategy, key):
        """Cancels by the order's id, or by the signal's when its acknowledgement never came."""
        if self.resting.pop(key, None) is None:
            return
        strategy.last += 1
        by_order = key in self.orders or key not in self.sent
        record = [wire.SIGNAL_CANCEL, strategy.name, strategy.incarnation, strategy.last, wire.NONE if by_order else key, key if by_order else wire.NONE]
        self.submit((strategy.name, strategy.last), record, self.signals, CANCEL_PATIENCE_NS, "cancel", key)

    # ---- what is sent ----
    def market_terms(self, symbol, side, quantity):
        venue = self.rng.choice(("alpha", "beta", ""))
        return wire.terms(symbol, side, MARKET, IOC, quantity, venue=venue)

    def send_take(self):
        strategy = self.rng.choice(self.takers)
        side = BUY if strategy.last % 2 else SELL
        self.signal(strategy, self.market_terms("BTC/USDT", side, self.rng.randrange(100, 300) * 1000), "take")

    def send_request(self):
        request_id = f"chaos-{self.rng.getrandbits(96):024x}"
        terms = self.market_terms("BTC/USDT", self.rng.choice((BUY, SELL)), self.rng.randrange(100, 300) * 1000)
        wait = self.rng.choice((wire.WAIT_COMMITTED, wire.WAIT_FILLED))
        record = [wire.PLACE, request_id, "chaos", "chaos-request", "main", terms, wait, 10000, time.time_ns()]
        self.sent[request_id] = time.monotonic_ns(), terms[8]
        self.submit(request_id, record, self.requests, REQUEST_PATIENCE_NS, "request")

    def send_rest(self):
        """A passive limit on alpha, canceled later; the market may fill some of it before."""
        side, quote = self.rng.choice((BUY, SELL)), self.quotes.get(("alpha", "ETH/USDT"))
        if quote:
            away = 1 + self.rng.uniform(-0.0002, 0.002) * (1 if side == SELL else -1)
            price = int((quote[1] if side == SELL else quote[0]) * away) // MS * MS  # a tick is 0.01
            self.signal(self.resters[0], wire.terms("ETH/USDT", side, LIMIT, GTC, self.rng.randrange(50, 5000) * 10000, price, "alpha"), "rest")

    def send_sweep(self):
        """A limit on beta at the touch for more than is there: fills in part, the rest rests."""
        side, quote = self.rng.choice((BUY, SELL)), self.quotes.get(("beta", "ETH/USDT"))
        if quote:
            price, volume = (quote[1], quote[3]) if side == BUY else (quote[0], quote[2])
            quantity = max(100, min(volume * 3 // 2, 50 * E8) // 10000) * 10000
            self.signal(self.resters[1], wire.terms("ETH/USDT", side, LIMIT, GTC, quantity, price, "beta"), "rest")

    def send_greedy(self):
        """Wants more than its limit, faster than its fills come back: only what is pending can stop it."""
        side = BUY if time.monotonic_ns() // GREEDY_PHASE_NS % 2 else SELL
        self.signal(self.greedy, self.market_terms("SOL/USDT", side, 5 * E8), "greedy")

    def send_next(self):
        draw = self.rng.random()
        for kind, share in KINDS:
            draw -= share
            if draw < 0:
                break
        self.count["orders"] += 1
        getattr(self, f"send_{kind}")()

    # ---- what is told ----
    def on_ack(self, ack, topic):
        _, incarnation, number, signal_id, order_id, seq, code = ack[:7]
        strategy = self.strategies.get(topic[4:].decode())
        if strategy is None or incarnation != strategy.incarnation:
            return
        if code == wire.DUPLICATE:
            self.count["duplicates"] += 1
        key = strategy.name, number
        pending = self.pending.get(key)
        if pending is None or code in wire.TRY_AGAIN:
            if code in (wire.OK, wire.DUPLICATE) and order_id != wire.NONE and signal_id in self.sent:
                self.told.write(f"ack {signal_id.hex()} {order_id.hex()} {seq}\n")
            return
        del self.pending[key]
        self.count["acks"] += 1
        if pending.kind == "cancel":
            if code == wire.OK:
                self.told.write(f"canceled {order_id.hex()}\n")
        elif code in (wire.OK, wire.DUPLICATE):
            if order_id != wire.NONE:
                self.told.write(f"ack {signal_id.hex()} {order_id.hex()} {seq}\n")
            if pending.kind == "rest":
                self.resting[order_id] = strategy
                self.at(time.monotonic_ns() + int(self.rng.uniform(0.05, 1.5) * SECOND), self.cancel, strategy, order_id)
        else:
            self.count["refused"] += 1
            self.told.write(f"refused {signal_id.hex()} {code}\n")

    def on_place_reply(self, reply, _):
        _, request_id, _, order_id, _, state, code, _, _, _, filled = reply[:11]
        self.count["replies"] += 1
        # Neither says what becomes of the order: ask again with the same id.
        if code in wire.TRY_AGAIN or code == wire.SERVICE_TIMEOUT:
            return
        if self.pending.pop(request_id, None) is None:
            self.count["duplicates"] += 1
        self.told.write(f"reply {request_id} {order_id.hex()} {state} {filled} {code}\n")

    def on_command_reply(self, reply, _):
        _, success, _, message, seq = reply[:5]
        pending = self.pending.get("switch")
        # Refused while the log is away, or an answer to a copy of the command before this one: it is sent again.
        if pending is None or not success or message.startswith("halted") != (pending.kind == "halted"):
            return
        del self.pending["switch"]
        if success and seq:
            self.told.write(f"{pending.kind} {seq}\n")
        self.tell(is_="switched", kind=pending.kind, success=success)

    def on_batch(self, records, batch):
        self.epoch = batch[5]
        event = None
        for event in records:
            kind = event[2]
            if kind == wire.REQUESTED:
                payload = event[10]
                sent = self.sent.pop(payload[5], None) or self.sent.pop(payload[9], None)
                if sent:
                    self.orders[event[7]] = sent
            elif kind in wire.ENDS:
                sent = self.orders.pop(event[7], None)
                self.resting.pop(event[7], None)
                if kind == wire.COMPLETED and sent:
                    self.on_completed(sent[0], sent[1])
        if event is not None:
            self.told.write(f"heard {event[0]} {event[1].hex()}\n")

    # ---- recovery: the first order sent after a mark that completes, at each venue ----
    def on_completed(self, sent_ns, venue):
        now_ns = time.monotonic_ns()
        self.count["completed"] += 1
        self.done.append((sent_ns, now_ns, venue))
        for mark in list(self.marks.values()):
            self.try_mark(mark, sent_ns, now_ns, venue)

    def try_mark(self, mark, sent_ns, done_ns, venue):
        if venue and sent_ns > mark["ns"] and venue not in mark["seen"]:
            mark["seen"][venue] = done_ns
            if len(mark["seen"]) == len(VENUES):
                self.marks.pop(mark["id"], None)
                self.tell(is_="recovered", id=mark["id"], late_ms=self.late_ms, ms={v: (at - mark["ns"]) / MS for v, at in mark["seen"].items()})

    # ---- commands of the driver ----
    def on_command(self, command):
        do = command["do"]
        if do == "mark":
            mark = self.marks[command["id"]] = {"id": command["id"], "ns": command["ns"], "seen": {}}
            self.late_ms = 0
            for done in list(self.done):
                if mark["id"] in self.marks:
                    self.try_mark(mark, *done)
        elif do == "go":
            self.paused = self.draining = False
            self.due_ns = time.monotonic_ns()
        elif do == "pause":
            self.paused = self.draining = True
            for key, strategy in list(self.resting.items()):
                self.cancel(strategy, key)
        elif do == "switch":
            on = command["on"]
            self.submit("switch", [wire.HALT, on, "chaos", "drawn"], self.requests, 20 * SECOND, "halted" if on else "resumed")
        elif do == "quit":
            self.running = False

    def read_commands(self):
        data = os.read(0, 1 << 16)
        if not data:
            self.running = False  # the driver is gone
        for line in data.splitlines():
            self.on_command(json.loads(line))

    # ---- the loop ----
    def read_events(self):
        for _ in range(2000):
            try:
                topic, frame = self.events.recv_multipart(zmq.NOBLOCK)
            except zmq.ZMQError:
                return
            self.heard_ns = time.monotonic_ns()
            records = wire.unpack(frame)
            first = next(records)
            if first[0] == wire.LOG_BATCH:
                self.on_batch(records, first)
            elif first[0] == wire.ACK:
                self.on_ack(first, topic)
                for ack in records:
                    self.on_ack(ack, topic)

    def connect_anew(self, now_ns):
        """A process that is stopped keeps its connections, and says nothing on them."""
        if now_ns - self.heard_ns < SILENCE_NS:
            return
        self.heard_ns = now_ns - SILENCE_NS + CONNECT_AGAIN_NS
        for opened, endpoint in self.endpoints:
            opened.disconnect(endpoint)
            opened.connect(endpoint)

    def read_replies(self):
        while True:
            try:
                frames = self.requests.recv_multipart(zmq.NOBLOCK)
            except zmq.ZMQError:
                return
            for record in wire.unpack(frames[-1]):
                handler = self.handlers.get(record[0])
                if handler:
                    handler(record, b"")

    def read_market(self):
        while True:
            try:
                _, frame = self.market.recv_multipart(zmq.NOBLOCK)
            except zmq.ZMQError:
                return
            for record in wire.unpack(frame):
                if record[0] == wire.QUOTE and record[5] and record[6]:
                    self.quotes[record[1], record[2]] = record[5:9]

    def work(self, now_ns):
        while self.timers and self.timers[0][0] <= now_ns:
            _, _, function, arguments = heapq.heappop(self.timers)
            function(*arguments)
        if not self.paused:
            late_ms = (now_ns - self.due_ns) // MS
            self.late_ms, self.count["lag_ms"] = max(self.late_ms, late_ms), max(self.count["lag_ms"], late_ms)
            while self.due_ns <= now_ns:
                self.due_ns += SECOND // self.rate
                self.send_next()
        elif self.draining and not self.pending and not self.resting:
            self.draining = False
            self.told.flush()
            self.tell(is_="paused", told=self.told.tell())
        elif self.draining and self.resting:
            for key, strategy in list(self.resting.items()):
                self.cancel(strategy, key)

    def second(self):
        limit_ns = time.monotonic_ns() - KEEP_NS
        for table in (self.sent, self.orders):
            for key in list(itertools.takewhile(lambda k, t=table: t[k][0] < limit_ns, table)):
                del table[key]
        self.tell(is_="stats", pending=len(self.pending), epoch=self.epoch, **self.count)
        self.at(time.monotonic_ns() + SECOND, self.second)

    def run(self):
        poller = zmq.Poller()
        for opened in (self.events, self.requests, self.market, 0):
            poller.register(opened, zmq.POLLIN)
        self.tell(is_="ready")
        self.second()
        while self.running:
            now_ns = time.monotonic_ns()
            due_ns = self.timers[0][0] if self.timers else now_ns + 50 * MS
            if not self.paused:
                # A few orders together: waking for each one would cost more than the order.
                due_ns = min(due_ns, self.due_ns + 4 * MS)
            ready = dict(poller.poll(max(0, min(50, (due_ns - now_ns) // MS))))
            if 0 in ready:
                self.read_commands()
            if self.events in ready:
                self.read_events()
            if self.requests in ready:
                self.read_replies()
            if self.market in ready:
                self.read_market()
            self.connect_anew(time.monotonic_ns())
            self.work(time.monotonic_ns())


def main():
    told, rate, seed = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    Load(told, rate, seed, os.environ).run()


if __name__ == "__main__":
    main()
