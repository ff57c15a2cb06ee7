"""Three ledgers against each other: what clients were told (load.py's file), what the venues executed (their own
ledgers), and the log (Postgres). Nothing here shares code with the fleet.

A Checker reads each ledger from where it stopped the time before, so that a look every minute stays cheap and a
violation is placed between two looks. It keeps what is open, and of the past what a late repetition could contradict."""
import datetime
import json
import os
import time
from typing import NamedTuple

import msgpack

import wire
from fleet import VENUES

# Type of the event -> where in its payload (exchange, venue_seq) stand.
VENUE_FACTS = {wire.ACCEPTED: (1, 4), wire.EXECUTED: (1, 5), wire.REJECTED: (5, 6), wire.CANCELED: (1, 2), wire.EXPIRED: (1, 2),
               wire.STEP_FAILED: (6, 7), wire.DEAD_LETTERED: (5, 6)}
WANTED = frozenset(VENUE_FACTS) | {wire.REQUESTED, wire.SUBMITTED, wire.UNKNOWN, wire.POSITION_UPDATED, wire.HALTED, wire.RESUMED,
                                   wire.ALERT, wire.DEAD_LETTERED, wire.COMPLETED, wire.FAILED, wire.CANCEL_REQUESTED}
# Type of the event that ended an order -> where the reason stands.
REASON_AT = {wire.REJECTED: 2, wire.CANCELED: 3, wire.EXPIRED: 3, wire.FAILED: 1}
MAX_POSITION_E8 = {"SOL/USDT": 50 * wire.E8}  # as in fleet.zpl
SHOWN_MAX = 20
VERIFY_SHARE = 0.2  # `fleet verify`, which reads the whole log, at each look as long as it has taken no more of the run; and at the last
DRAIN_SECONDS = 45  # a saga's 30 s, and the questions after it


class Order:
    __slots__ = ("quantity", "cum", "end", "strategy", "canceling", "unknown", "seq")

    def __init__(self, quantity, strategy, seq):
        self.quantity, self.cum, self.end, self.strategy, self.canceling, self.unknown, self.seq = quantity, 0, None, strategy, False, False, seq


class Position(NamedTuple):
    """Of one strategy in one symbol, at average cost. Everything times 1e8."""
    quantity: int
    average: int
    profit: int
    commission: int

    def with_fill(self, change, price, commission):
        """The position after it, and the profit that it realizes."""
        held, moved = abs(self.quantity), abs(change)
        if self.quantity * change >= 0:
            average, profit = rounded(held * self.average + moved * price, held + moved), 0
        else:
            gain = price - self.average if self.quantity > 0 else self.average - price
            profit = rounded(gain * min(held, moved), wire.E8)
            average = self.average if moved < held else 0 if moved == held else price
        return Position(self.quantity + change, average, self.profit + profit, self.commission + commission), profit


class Checker:
    def __init__(self, fleet, told):
        self.fleet, self.told, self.told_at = fleet, told, 0
        self.violations, self.counts = [], dict.fromkeys(("orders", "fills", "late", "unknowns", "halts", "alerts", "acks", "replies", "heard", "events",
                                                               "sighted", "verified"), 0)
        self.last_seq, self.last_event, self.epoch, self.halted = 0, None, 0, False
        self.versions, self.positions, self.orders = {}, {}, {}
        self.fills = {}         # (order id, execution id) -> price, commission: of a fill whose position has not changed yet
        self.origins = {}       # signal or request id -> order id + seq: for ever, a late copy must not make another order
        # client order id -> (order id, expires_at of its intent); of orders forgotten at the last look
        self.children, self.ended_children = {}, {}
        self.requested, self.event_ids = {}, {}              # of this look: seq -> (order, origin); seq -> event id
        self.submitted = {}                                  # of this look: client order id -> seq of its intent
        self.switches = {}                                   # of this look: seq -> halted, resumed
        self.reported = {venue: {} for venue in VENUES}      # venue_seq -> fact, in the log and not yet met in the ledger
        self.ledger_lines = dict.fromkeys(VENUES, 0)
        self.ledger_seq = dict.fromkeys(VENUES, 0)
        self.began, self.verify_seconds = time.monotonic(), 0.0  # how long `fleet verify` has taken since then
        self.filled = {}                                     # symbol -> signed sum of the venues' fills

    def violation(self, text):
        self.violations.append(text)

    # ---- the log, event by event ----
    def read_log(self):
        for row in self.fleet.copy("select seq, encode(uuid_send(event_id), 'hex'), type, encode(uuid_send(aggregate_id), 'hex'), "
                                   "aggregate_version, encode(metadata, 'hex'), encode(payload, 'hex') from events "
                                   f"where seq > {self.last_seq} order by seq"):
            self.on_event(int(row[0]), row[1], int(row[2]), row[3], int(row[4]), row[5], row[6])

    def on_event(self, seq, event_id, kind, aggregate, version, metadata, payload):
        self.counts["events"] += 1
        if seq != self.last_seq + 1:
            self.violation(f"log: seq {seq} follows {self.last_seq}")
        if version != self.versions.get(aggregate, 0) + 1:
            self.violation(f"log: seq {seq} has version {version} of {aggregate}, after {self.versions.get(aggregate, 0)}")
        epoch = msgpack.unpackb(bytes.fromhex(metadata))[1]
        if epoch < self.epoch:
            self.violation(f"log: seq {seq} was written by epoch {epoch}, after epoch {self.epoch} had written")
        self.last_seq, self.last_event, self.epoch, self.versions[aggregate] = seq, event_id, epoch, version
        self.event_ids[seq] = event_id
        if kind in WANTED:
            self.on_fact(seq, kind, aggregate, msgpack.unpackb(bytes.fromhex(payload)))

    def on_fact(self, seq, kind, aggregate, data):
        order = self.orders.get(aggregate)
        if kind == wire.REQUESTED:
            self.on_requested(seq, aggregate, data)
        elif kind == wire.POSITION_UPDATED:
            self.on_position(seq, data)
        elif kind in (wire.HALTED, wire.RESUMED) and data[2]:
            self.violation(f"account: {'halted' if kind == wire.HALTED else 'resumed'} at {data[2]}, seq {seq}: {data[1]}")
        elif kind in (wire.HALTED, wire.RESUMED):
            self.halted = kind == wire.HALTED
            self.switches[seq] = "halted" if self.halted else "resumed"
            self.counts["halts"] += self.halted
        elif kind == wire.ALERT:
            self.on_alert(seq, data)
        elif kind == wire.DEAD_LETTERED:
            self.violation(f"dead letter at seq {seq}: {data[3]}")
            self.on_venue_fact(seq, kind, data)
        elif order is None:
            self.violation(f"log: seq {seq} (type {kind}) is of order {aggregate}, which is not there or had ended before")
        else:
            self.on_order_fact(seq, kind, aggregate, order, data)

    def on_requested(self, seq, order_id, data):
        self.counts["orders"] += 1
        origin = data[5] if data[5] != wire.NONE else data[9]
        if origin:
            if origin in self.origins:
                self.violation(f"twice: {shown(origin)} became order {self.origins[origin][:16].hex()} and, at seq {seq}, order {order_id}")
            self.origins[origin] = bytes.fromhex(order_id) + seq.to_bytes(8, "big")
        self.requested[seq] = order_id, origin
        self.orders[order_id] = Order(data[1][5], data[3], seq)

    def on_order_fact(self, seq, kind, order_id, order, data):
        if kind == wire.SUBMITTED:
            if self.halted:
                self.violation(f"halt: order.submitted at seq {seq} while trading was halted")
            self.children[data[2]] = order_id, data[6]
            self.submitted[data[2]] = seq
        elif kind == wire.UNKNOWN:
            self.counts["unknowns"] += 1
            order.unknown = True
        elif kind == wire.CANCEL_REQUESTED:
            order.canceling = True
        else:
            order.unknown = False
        if kind == wire.EXECUTED:
            self.on_executed(seq, order_id, order, data)
        if kind in wire.ENDS:
            if order.end is not None:
                self.violation(f"log: order {order_id} ends a second time at seq {seq}")
            order.end = kind
            self.counts["late"] += kind in REASON_AT and data[REASON_AT[kind]] in (wire.STALE, wire.ORDER_EXPIRED)
            if kind == wire.COMPLETED and order.cum != order.quantity:
                self.violation(f"log: order {order_id} is completed at seq {seq} with {order.cum} of {order.quantity}")
        self.on_venue_fact(seq, kind, data)

    def on_executed(self, seq, order_id, order, data):
        self.counts["fills"] += 1
        order.cum += data[9]
        self.fills[data[0], data[4]] = data[8], data[10]
        if order.cum > order.quantity:
            self.violation(f"twice: order {order_id} for {order.quantity} has executed {order.cum} at seq {seq}")

    def on_venue_fact(self, seq, kind, data):
        where = VENUE_FACTS.get(kind)
        if where is None or not data[where[1]]:
            return
        venue, venue_seq = data[where[0]], data[where[1]]
        # A fill is held against the ledger with all that counts of it.
        fact = (seq, data[2], data[4], data[6], data[7], data[8], data[9]) if kind == wire.EXECUTED else (seq,)
        if venue_seq in self.reported[venue] or venue_seq <= self.ledger_seq[venue]:
            self.violation(f"twice: report {venue_seq} of {venue} is in the log again at seq {seq}")
        self.reported[venue][venue_seq] = fact

    def on_position(self, seq, data):
        _, _, strategy, symbol, order_id, exec_id, change, quantity = data[:8]
        before = self.positions.get((strategy, symbol), Position(0, 0, 0, 0))
        fill = self.fills.pop((order_id, exec_id), None)
        if fill is None:
            self.violation(f"position: {strategy} {symbol} changed at seq {seq} by execution {exec_id}, which is not in the log or changed it before")
            return
        after, profit = before.with_fill(change, *fill)
        told = Position(quantity, data[8], data[10], data[12])
        if told != after or data[9] != profit:
            self.violation(f"position: {strategy} {symbol} at seq {seq} is {told} with a profit of {data[9]}, "
                           f"by {before} and a change of {change} for {fill} it is {after} with {profit}")
        limit = MAX_POSITION_E8.get(symbol)
        if limit and abs(quantity) > limit:
            self.violation(f"limit: {strategy} holds {quantity / wire.E8} {symbol} at seq {seq}, allowed are {limit / wire.E8}")
        self.positions[strategy, symbol] = told

    def on_alert(self, seq, data):
        self.counts["alerts"] += 1
        if data[4]:
            self.violation(f"alert at seq {seq}: {data[2]}")
            self.reported[data[3]][data[4]] = (seq,)

    # ---- what the venues executed ----
    def read_ledgers(self):
        """New lines of every ledger; read before the log, so that all of it has to be in the log some time later."""
        found = {}
        for venue in VENUES:
            found[venue] = list(self.fleet.ledger(venue, self.ledger_lines[venue]))
            self.ledger_lines[venue] += len(found[venue])
        return found

    def missing(self, ledgers):
        return sum(1 for venue in VENUES for line in ledgers[venue] if line["venue_seq"] not in self.reported[venue])

    def compare_ledgers(self, ledgers):
        for venue in VENUES:
            for line in ledgers[venue]:
                self.on_ledger_line(venue, line)

    def on_ledger_line(self, venue, line):
        venue_seq = line["venue_seq"]
        if venue_seq != self.ledger_seq[venue] + 1:
            self.violation(f"venue: report {venue_seq} of {venue} follows {self.ledger_seq[venue]} in its ledger")
        self.ledger_seq[venue] = venue_seq
        fact = self.reported[venue].pop(venue_seq, None)
        child = self.children.get(line["client_order_id"]) or self.ended_children.get(line["client_order_id"])
        if child is None:
            self.violation(f"venue: {venue} has report {venue_seq} ({line['kind']}) of {line['client_order_id']}, an order that the log never sent")
        elif fact is None:
            self.violation(f"venue: report {venue_seq} ({line['kind']}) of {venue} is not in the log")
        if child is not None and line["kind"] == "accepted":
            self.compare_expiry(venue, line, child[1])
        if line["kind"] != "fill":
            return
        sign = 1 if line["side"] == "buy" else -1
        quantity, symbol = e8(line["quantity"]), symbol_of(line["symbol"])
        self.filled[symbol] = self.filled.get(symbol, 0) + sign * quantity
        told = (line["client_order_id"], line["exec_id"], symbol, wire.BUY if sign > 0 else wire.SELL, e8(line["price"]), quantity)
        if fact is not None and fact[1:] != told:
            self.violation(f"venue: fill {venue_seq} of {venue} is {told} in its ledger and {fact[1:]} in the log")

    def compare_expiry(self, venue, line, expires_ns):
        """An order is accepted at the moment it is taken. The time in the ledger is that of the market's last step and so a little
        early, never late: whoever is beyond its expiry by that is beyond it by any clock of this machine. What a venue takes as it
        wakes from a stop is judged by the time before it."""
        late_ns = utc_ns(line["market_ts"]) - expires_ns
        if late_ns > 0:
            self.violation(f"stale: {venue} took order {line['client_order_id']} {late_ns / wire.MS:.0f} ms after its expires_at (report {line['venue_seq']})")

    def compare_sightings(self, sightings):
        """In time: an order that stood in a ledger while a commit was held back has its intent below what the log had
        committed a moment after the ledger was read. No clock is asked, so a busy machine cannot spoil it. A sighting may hold
        orders of the looks before, which the log had by then."""
        for found, tip_seq in sightings:
            for venue, children in found.items():
                for child in children:
                    seq = self.submitted.get(child, 0)
                    self.counts["sighted"] += seq != 0
                    if seq > tip_seq:
                        self.violation(f"venue: {venue} had order {child} before its intent, seq {seq}, was committed: the log ended at {tip_seq}")
        sightings.clear()

    def compare_positions(self):
        """Fills that are in the log and not yet in what was read of the ledgers belong to the next look."""
        held = {}
        for (_, symbol), position in self.positions.items():
            held[symbol] = held.get(symbol, 0) + position.quantity
        for venue in VENUES:
            for fact in self.reported[venue].values():
                if len(fact) > 1:
                    held[fact[3]] = held.get(fact[3], 0) - (fact[6] if fact[4] == wire.BUY else -fact[6])
        for symbol in held.keys() | self.filled.keys():
            if held.get(symbol, 0) != self.filled.get(symbol, 0):
                self.violation(f"position: {symbol} is {held.get(symbol, 0)} in the log, the venues executed {self.filled.get(symbol, 0)}")

    # ---- what clients were told ----
    def compare_told(self, size):
        with open(self.told, "rb") as lines:
            lines.seek(self.told_at)
            data = lines.read(size - self.told_at)
        self.told_at = size
        handlers = {"ack": self.on_told_ack, "refused": self.on_told_refusal, "canceled": self.on_told_cancel,
                    "reply": self.on_told_reply, "heard": self.on_told_event, "halted": self.on_told_switch, "resumed": self.on_told_switch}
        for line in data.decode().splitlines():
            word, *rest = line.split()
            handlers[word](word, *rest)

    def on_told_ack(self, _, signal, order_id, seq):
        self.counts["acks"] += 1
        known = self.origins.get(bytes.fromhex(signal))
        if known is None:
            self.violation(f"told: signal {signal} was acknowledged as order {order_id} at seq {seq}, and is not in the log")
        elif known[:16].hex() != order_id or int(seq) not in (0, int.from_bytes(known[16:], "big")):
            self.violation(f"told: signal {signal} is order {order_id} at seq {seq}, in the log {known[:16].hex()} at {int.from_bytes(known[16:], 'big')}")

    def on_told_refusal(self, _, signal, code):
        if bytes.fromhex(signal) in self.origins:
            self.violation(f"told: signal {signal} was refused with code {code}, and is an order in the log")

    def on_told_cancel(self, _, order_id):
        order = self.orders.get(order_id)
        if order is not None and not order.canceling:
            self.violation(f"told: a cancel of order {order_id} was acknowledged, and is not in the log")

    def on_told_reply(self, _, request, order_id, state, filled, code):
        self.counts["replies"] += 1
        known = self.origins.get(request)
        if bytes.fromhex(order_id) == wire.NONE:
            return
        if known is None or known[:16].hex() != order_id:
            self.violation(f"told: request {request} was answered with order {order_id}, in the log it is {known[:16].hex() if known else 'missing'}")
            return
        order = self.orders.get(order_id)
        if order is not None and int(state) == wire.STATE_FILLED and (order.end != wire.COMPLETED or order.cum != int(filled)):
            self.violation(f"told: request {request} is filled with {filled}, in the log {order.cum}, end {order.end}")

    def on_told_event(self, _, seq, event_id):
        self.counts["heard"] += 1
        known = self.event_ids.get(int(seq))
        if known != event_id and int(seq) > self.last_seq - len(self.event_ids):
            self.violation(f"told: a subscriber heard event {event_id} at seq {seq}, in the log that is {known or 'missing'}")

    def on_told_switch(self, word, seq):
        if self.switches.get(int(seq)) != word:
            self.violation(f"told: trading was {word} at seq {seq}, the log does not say so")

    # ---- the database itself ----
    def ask_database(self):
        """In SQL: the same rows as before, no gap, commits that follow each other."""
        count, low, high = (int(v) for v in self.fleet.sql("select count(*), coalesce(min(seq), 1), coalesce(max(seq), 0) from events")[0])
        if count != high or low != 1:
            self.violation(f"log: {count} events from seq {low} to {high}")
        broken = self.fleet.sql("select last_seq from (select last_seq, first_seq, epoch, lag(last_seq, 1, 0::bigint) over w as before, "
                                "lag(epoch, 1, 0::bigint) over w as epoch_before from event_batches window w as (order by last_seq)) b "
                                "where first_seq <> before + 1 or epoch < epoch_before limit 3")
        for row in broken:
            self.violation(f"log: the commit that ends at seq {row[0]} does not follow the one before")

    def ask_history(self):
        """What was read at an earlier look has not changed since."""
        rows = self.fleet.sql(f"select encode(uuid_send(event_id), 'hex') from events where seq = {self.last_seq}")
        if self.last_seq and (not rows or rows[0][0] != self.last_event):
            self.violation(f"log: seq {self.last_seq} was event {self.last_event}, now {rows[0][0] if rows else 'gone'}")

    def ask_versions(self):
        wrong = self.fleet.sql("select aggregate_id from events group by aggregate_id having count(*) <> max(aggregate_version) "
                               "or count(distinct aggregate_version) <> count(*) limit 3")
        for row in wrong:
            self.violation(f"log: the versions of {row[0]} have a gap or a double")

    # ---- a look ----
    def open_orders(self):
        return [(i, o) for i, o in self.orders.items() if o.end is None and o.strategy.startswith("chaos")]

    def drain(self):
        """Waits until every order of the load has ended, and the log has all that the ledgers had."""
        ledgers, end = None, time.monotonic() + DRAIN_SECONDS
        while time.monotonic() < end:
            self.read_log()
            if not self.open_orders():
                ledgers = ledgers or self.read_ledgers()
                if not self.missing(ledgers):
                    break
            time.sleep(0.2)
        if not ledgers:  # the time is over; whatever the ledgers have now should be in the log as it is after it
            ledgers = self.read_ledgers()
            self.read_log()
        return ledgers

    def verify(self, last):
        """Live states against folds of the log, and what else `fleet verify` knows."""
        began = time.monotonic()
        if self.verify_seconds > VERIFY_SHARE * (began - self.began) and not last:
            return
        for text in self.fleet.verify():
            self.violation(f"fleet verify: {text}")
        self.verify_seconds += time.monotonic() - began
        self.counts["verified"] += 1

    def look(self, told_size, sightings, last=False):
        """Compares everything there is; the load has been drained before. Returns the new violations."""
        before = len(self.violations)
        self.ask_history()
        ledgers = self.drain()
        self.compare_ledgers(ledgers)
        self.compare_sightings(sightings)
        self.compare_positions()
        self.compare_told(told_size)
        self.ask_database()
        for order_id, order in self.open_orders():
            self.violation(f"stuck: order {order_id} of {order.strategy} (seq {order.seq}) has not ended{', it is unknown' if order.unknown else ''}"
                           f"{', a cancel is under way' if order.canceling else ''}")
        if last:
            self.ask_versions()
            for text in self.fleet.states():
                self.violation(f"state: {text}")
        self.verify(last)
        self.forget()
        return self.violations[before:]

    def forget(self):
        """What has ended and was compared cannot change any more: whatever comes of it now is a violation."""
        ended = {order_id for order_id, order in self.orders.items() if order.end is not None}
        for order_id in ended:
            del self.orders[order_id], self.versions[order_id]
        # Their last reports may be read from a ledger at the next look only.
        self.ended_children = {child: facts for child, facts in self.children.items() if facts[0] in ended}
        for child in self.ended_children:
            del self.children[child]
        self.requested.clear()
        self.submitted.clear()
        self.switches.clear()
        self.event_ids = {self.last_seq: self.last_event}


def rounded(value, divisor):
    """Half a unit goes away from zero."""
    whole = (2 * abs(value) + divisor) // (2 * divisor)
    return whole if value >= 0 else -whole


def e8(text):
    """A decimal text as an integer times 1e8, without floating point."""
    whole, _, fraction = text.partition(".")
    sign = -1 if whole.startswith("-") else 1
    return sign * (abs(int(whole)) * wire.E8 + int((fraction + "00000000")[:8]))


def utc_ns(text):
    """A time as the fleet prints it, without floating point."""
    seconds, _, fraction = text.removesuffix("Z").partition(".")
    whole = datetime.datetime.fromisoformat(seconds).replace(tzinfo=datetime.timezone.utc).timestamp()
    return int(whole) * wire.SECOND + int((fraction + "000000000")[:9])


def symbol_of(text):
    """The log says BTC/USDT where a venue says BTCUSDT."""
    return text if "/" in text else text.removesuffix("USDT") + "/USDT"


def shown(origin):
    return f"signal {origin.hex()}" if isinstance(origin, bytes) else f"request {origin}"
