"""traffic -- what the scenarios in Python share: a fleet of their own, a strategy that trades all the time and notes what
becomes of every order, a follower of the log, and a comparison of latencies that is honest about noise.

Speaks the wire protocol (wire.py) and shares no code with the fleet.

Environment, set by run/test  ZVT_BIN, ZVT_TEST_BASE, ZVT_TEST_RESULTS, ZVT_TEST_SLOW: see lib.sh."""
import hashlib
import json
import multiprocessing
import os
import signal
import subprocess
import threading
import time
import uuid

import msgpack
import zmq

from comparison import Comparison, judge
from wire import (ACK, BARRIER, BUY, COMMAND_REPLY, DUPLICATE, E8, IOC, LOG_BATCH, LOG_TIP, LOG_UNAVAILABLE, MARKET, NOT_READY, OK,
                  OVERLOADED, REPLAY_REQUEST, SECOND_NS, SELL, SIGNAL, SLOW, connect, records, wait_until)

CHECKOUT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
HOME = os.path.join(os.environ["ZVT_TEST_BASE"], "home")
os.makedirs(os.environ["ZVT_TEST_BASE"], exist_ok=True)
TRY_AGAIN = (OVERLOADED, LOG_UNAVAILABLE, NOT_READY)
ENDS = {3: "rejected", 11: "canceled", 12: "expired", 14: "failed", 15: "completed"}  # events that end an order
REQUESTED, REJECTED, EXECUTED = 1, 3, 8


# ---- checks, counted as lib.sh counts them ----
def check(text, ok, detail=""):
    with open(os.environ["ZVT_TEST_RESULTS"], "a") as results:
        results.write(f"{'ok' if ok else 'FAILED'} {text}\n")
    print(f"    {'ok    ' if ok else 'FAILED'} {text}" + ("" if ok or detail == "" else f"\n           {detail}"), flush=True)
    if not ok:
        show_trouble()
    return ok


def undecided(text):
    """What was measured and says neither yes nor no: neither passed nor failed, and told as such."""
    with open(os.environ["ZVT_TEST_RESULTS"], "a") as results:
        results.write(f"undecided {text}\n")
    print(f"    not decided {text}", flush=True)


def show_trouble():
    """What the fleet's logs have warned of."""
    subprocess.run([f"{CHECKOUT}/tests/system/trouble", os.environ["ZVT_TEST_BASE"]])


def note(text):
    print(f"           {text}", flush=True)


# ---- the fleet ----
def fleet(*words, may_fail=False, timeout=300):
    own = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}  # for the programs of the fleet
    done = subprocess.run([f"{CHECKOUT}/run/fleet", "--home", HOME, *words], capture_output=True, text=True,
                          stdin=subprocess.DEVNULL, timeout=timeout, env=own)
    if done.returncode and not may_fail:
        show_trouble()
        raise SystemExit(f"fleet {' '.join(words)}: exit code {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


# A Trader buys and sells in turn, also what a stopped process still has to account for, and catches up after a stall.
TRADER_LIMITS = {"allow_short = no ": "allow_short = yes ", "max_orders_per_second = 200 ": "max_orders_per_second = 2000 "}


def start_fleet(*options, config=None):
    """`config` maps parts of the fleet file to what they become, on top of TRADER_LIMITS. Its path is returned."""
    with open(f"{CHECKOUT}/run/fleet.zpl") as source:
        text = source.read()
    for before, after in {**TRADER_LIMITS, **(config or {})}.items():
        if before not in text:
            raise SystemExit(f"the fleet file has no \"{before}\"")
        text = text.replace(before, after)
    path = os.path.join(os.environ["ZVT_TEST_BASE"], "fleet.zpl")
    with open(path, "w") as file:
        file.write(text)
    fleet("up", "--no-strategies", "--config", path, *options)
    os.environ.update(environment())
    return path


def environment():
    lines = fleet("env").splitlines()
    return {line.split("=", 1)[0].removeprefix("export "): line.split("=", 1)[1].strip("'") for line in lines}


def sql(query):
    return fleet("psql", "-At", "-c", query).strip()


def verify(*options):
    answer = fleet("verify", *options, "--json", may_fail=True)
    try:
        return json.loads(answer)["ok"], answer
    except (ValueError, KeyError):
        return False, answer


def processes():
    return {p["name"]: p for p in json.loads(fleet("status", "--json"))["processes"]}


def monitor(*words):
    done = subprocess.run([os.path.join(os.environ["ZVT_BIN"], "zvt-monitor"), *words], capture_output=True, text=True, timeout=60)
    return done.stdout


def counter(process, what):
    return json.loads(monitor("stats", process) or "{}").get("counters", {}).get(what, 0)


def rss_kb(pid):
    with open(f"/proc/{pid}/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))


def pids_of_postgres():
    """The private Postgres of this fleet: the server and everything it has forked."""
    listed = subprocess.run(["ps", "-eo", "pid,ppid,args"], capture_output=True, text=True).stdout.splitlines()[1:]
    rows = [(int(pid), int(ppid), args) for pid, ppid, args in (line.split(None, 2) for line in listed)]
    data = {os.path.realpath(path) for path in postgres_folders()}
    heads = {pid for pid, _, args in rows if "postgres" in args.split()[0] and any(f"-D {path}" in args or path in args for path in data)}
    return sorted(heads | {pid for pid, ppid, _ in rows if ppid in heads})


def postgres_folders():
    """Where the private Postgres keeps its data: in the home, or for root beside it (docs/operations.md)."""
    digest = hashlib.sha256(HOME.encode()).hexdigest()[:12]
    return [path for path in (f"{HOME}/postgres", f"/var/lib/zvt/{digest}") if os.path.exists(path)]


# ---- sockets ----
def ask(context, name, record, timeout_ms=15000):
    """One question, as any REQ client asks it; None without an answer."""
    with connect(context, zmq.REQ, name) as request:
        request.send(msgpack.packb(record))
        return records(request.recv())[0] if request.poll(timeout_ms) else None


def barrier(context):
    """Writes a barrier into the log; its seq."""
    reply = ask(context, "request", [BARRIER, "test", ""])
    if reply is None or reply[0] != COMMAND_REPLY or not reply[1]:
        raise SystemExit(f"no barrier: {reply}")
    return reply[4]


# ---- a follower of the log, after docs/wire.md ----
def chain(digest, event):
    """One number for a log up to an event: a hash over all that the event says."""
    return hashlib.sha256(digest + repr(event).encode()).digest()


class Follower:
    """Joins the log at `from_seq` and hands out every event from there on once and in order: live from `events`, what
    it has missed from the replayer."""

    def __init__(self, context, from_seq, extra_topics=()):
        self.next_seq, self.tip, self.gaps = from_seq, 0, 0
        self.events = connect(context, zmq.SUB, "events", ["log.0", *extra_topics])
        self.replay = connect(context, zmq.DEALER, "replay")

    def close(self):
        self.events.close()
        self.replay.close()

    def repair(self):
        """Fetches one page of what is missing."""
        while self.replay.poll(0):
            self.replay.recv()  # answers to questions that were given up
        self.replay.send(msgpack.packb([REPLAY_REQUEST, self.next_seq, 0, 4000, bytes(16)]))
        if not self.replay.poll(2000):
            return []
        head, *events = records(self.replay.recv())
        return self.take(events) if head[0] == LOG_BATCH else []

    def take(self, events):
        wanted = []
        for event in events:
            if event[0] == self.next_seq:
                wanted.append(event)
                self.next_seq += 1
        return wanted

    def poll(self, timeout_ms=0):
        """Events that have come, and acknowledgements for whoever subscribed to them: (events, acks)."""
        events, acks = [], []
        if not self.events.poll(timeout_ms):
            return events, acks
        for _ in range(1000):
            try:
                topic, frame = self.events.recv_multipart(zmq.NOBLOCK)
            except zmq.Again:
                break
            head, *rest = records(frame)
            if head[0] == ACK:
                acks += [head, *rest]
            elif head[0] == LOG_TIP:
                self.tip = max(self.tip, head[2])
            elif head[0] == LOG_BATCH:
                self.tip = max(self.tip, head[4])
                self.gaps += head[2] > self.next_seq
                while head[2] > self.next_seq:
                    events += self.repair()
                events += self.take(rest)
        while self.tip >= self.next_seq:  # the last batch was lost, or history is still to come
            page = self.repair()
            if not page:
                break
            events += page
        return events, acks


# ---- a strategy that trades all the time ----
class Order:
    def __init__(self, number, due_ns, record, expires_ns, expires_utc_ns):
        self.number, self.due_ns, self.record, self.expires_ns, self.expires_utc_ns = number, due_ns, record, expires_ns, expires_utc_ns
        self.next_ns, self.pause_ns, self.acknowledged, self.put_off, self.outcome = due_ns, SECOND_NS // 5, False, None, None


class Strategy:
    """The child process of a Trader: an open loop of small market orders, sent again until they are acknowledged."""

    def __init__(self, pipe, name, rate_hz, symbol, quantity_e8, venue, lifetime_s, ids):
        self.pipe, self.name, self.rate_hz, self.venue, self.ids = pipe, name, rate_hz, venue, ids
        self.symbol, self.quantity_e8, self.lifetime_ns = symbol, quantity_e8, int(lifetime_s * SECOND_NS)
        context = zmq.Context()
        self.follower = Follower(context, 1 << 62, [f"ack.{name}"])
        self.signals = connect(context, zmq.PUSH, "signals")
        self.run, self.count, self.open, self.by_id, self.ended = time.time_ns(), 0, {}, {}, []
        self.stale, self.after_all = [], []  # what was done of orders beyond their lifetime; outcomes of orders that had one

    def send(self, order, now_ns):
        order.next_ns, order.pause_ns = now_ns + order.pause_ns, min(2 * order.pause_ns, SECOND_NS)
        try:
            self.signals.send(order.record, zmq.NOBLOCK)
        except zmq.Again:
            pass  # nobody takes it now; it is sent again

    def submit(self, due_ns, now_ns):
        turn, number = divmod(self.count, self.ids)
        self.count += 1
        strategy = f"{self.name}-{number}" if self.ids > 1 else self.name
        side = BUY if turn < 20 or turn % 2 else SELL  # something to sell first, then pairs
        expires_utc_ns = time.time_ns() + self.lifetime_ns
        terms = [self.symbol, side, MARKET, IOC, False, self.quantity_e8, 0, 0, self.venue, expires_utc_ns]
        signal_id = uuid.uuid4().bytes
        record = [SIGNAL, signal_id, self.name, self.run, self.count, strategy, "main", terms, E8, time.time_ns()]
        order = Order(self.count, due_ns, msgpack.packb(record), now_ns + self.lifetime_ns, expires_utc_ns)
        self.open[self.count] = self.by_id[signal_id] = order
        self.send(order, now_ns)

    def end(self, order, outcome, now_ns):
        if order.outcome is None:
            order.outcome = outcome
            self.open.pop(order.number, None)
            self.ended.append((order.number, order.due_ns, now_ns, outcome))
        else:
            self.after_all.append((order.number, order.outcome, outcome))

    def note_stale(self, order, what, utc_ns):
        if utc_ns > order.expires_utc_ns:
            self.stale.append(f"order {order.number} {what} {(utc_ns - order.expires_utc_ns) / 1e6:.0f} ms too late")

    def on_ack(self, ack, now_ns):
        _, run, number, _, _, _, code, message = ack[:8]
        order = self.open.get(number) if run == self.run else None
        if order is None:
            return
        if code in TRY_AGAIN:
            order.put_off = code
            return
        order.acknowledged = True
        if code not in (OK, DUPLICATE):
            self.end(order, f"refused {code}", now_ns)

    def on_event(self, event, now_ns):
        kind, order_id, payload = event[2], event[7], event[10]
        if kind == REQUESTED and payload[5] in self.by_id:
            order = self.by_id.pop(payload[5])
            order.acknowledged = True
            self.by_id[order_id] = order
            self.note_stale(order, "was made", event[4])
        elif kind == EXECUTED and order_id in self.by_id:  # at once or never, so that this is when the venue took it
            self.note_stale(self.by_id[order_id], "executed", payload[17])
        elif kind in ENDS and order_id in self.by_id:
            reason = f" {payload[2]}" if kind == REJECTED else ""
            self.end(self.by_id.pop(order_id), ENDS[kind] + reason, now_ns)

    def turn(self, due_ns):
        events, acks = self.follower.poll(1)
        now_ns = time.monotonic_ns()
        for event in events:
            self.on_event(event, now_ns)
        for ack in acks:
            self.on_ack(ack, now_ns)
        for order in [o for o in self.open.values() if not o.acknowledged and o.next_ns <= now_ns]:
            if now_ns > order.expires_ns:
                self.end(order, f"put off {order.put_off}" if order.put_off else "unanswered", now_ns)
            else:
                self.send(order, now_ns)

    def main(self):
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        while not self.follower.tip:  # a subscription says nothing when it has arrived, but the tip comes through it
            self.follower.next_seq = 1 << 62
            self.follower.poll(100)
        self.follower.next_seq = self.follower.tip + 1
        start_ns, sent, told_ns, stop_ns = time.monotonic_ns(), 0, 0, 0
        self.pipe.send(start_ns)
        while stop_ns == 0 or (self.open and time.monotonic_ns() < stop_ns):
            now_ns = time.monotonic_ns()
            while stop_ns == 0 and start_ns + sent * SECOND_NS // self.rate_hz <= now_ns:
                self.submit(start_ns + sent * SECOND_NS // self.rate_hz, now_ns)
                sent += 1
            self.turn(now_ns)
            if now_ns - told_ns > SECOND_NS // 10:
                told_ns = now_ns
                if self.ended:
                    self.pipe.send(self.ended)
                    self.ended = []
                if stop_ns == 0 and self.pipe.poll():
                    stop_ns = now_ns + int(self.pipe.recv() * SECOND_NS)
        self.pipe.send(self.ended)
        self.pipe.send({"sent": sent, "open": [(o.number, o.due_ns) for o in self.open.values()], "gaps": self.follower.gaps,
                        "stale": self.stale, "after_all": self.after_all})


def run_strategy(pipe, options):
    Strategy(pipe, **options).main()


class Trader:
    """Trades in a process of its own from `start` to `stop`. `ended`: (number, due, end, outcome) of every order."""

    def __init__(self, name, rate_hz=100, symbol="SOL/USDT", quantity_e8=E8 // 10, venue="alpha", lifetime_s=60, ids=1):
        self.ended, self.last, self.ready, self.begun_ns = [], None, threading.Event(), 0
        self.pipe, child = multiprocessing.get_context("fork").Pipe()
        options = {"name": name, "rate_hz": rate_hz, "symbol": symbol, "quantity_e8": quantity_e8, "venue": venue, "lifetime_s": lifetime_s, "ids": ids}
        self.process = multiprocessing.get_context("fork").Process(target=run_strategy, args=(child, options), daemon=True)
        self.process.start()
        child.close()
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()
        if not self.ready.wait(30 * SLOW):
            raise SystemExit("the log's tip is not to be heard")

    def read(self):
        try:
            while True:
                said = self.pipe.recv()
                if isinstance(said, int):
                    self.begun_ns = said
                    self.ready.set()
                elif isinstance(said, dict):
                    self.last = said
                else:
                    self.ended += said
        except EOFError:
            pass

    def stop(self, patience_s=40):
        """Ends the trading and waits for what is open; {"sent", "open", "gaps", "stale", "after_all"}: see Strategy."""
        self.pipe.send(patience_s * SLOW)
        self.process.join(patience_s * SLOW + 10)
        self.reader.join(10)
        return self.last

    def latencies_ms(self, begin_ns, end_ns):
        """Of the completed orders that were due in this time."""
        return [(end - due) / 1e6 for _, due, end, outcome in list(self.ended) if begin_ns <= due < end_ns and outcome == "completed"]

    def outcomes(self, begin_ns=0, end_ns=1 << 62):
        counts = {}
        for _, due, _, outcome in list(self.ended):
            if begin_ns <= due < end_ns:
                counts[outcome] = counts.get(outcome, 0) + 1
        return counts

    def last_end_ns(self):
        """When the newest completed order was completed."""
        return max((end for _, _, end, outcome in list(self.ended) if outcome == "completed"), default=0)

    def first_completion_after(self, at_ns):
        """Of an order that was due after this moment: how long after it, in seconds; None if there is none."""
        ends = [end for _, due, end, outcome in list(self.ended) if due >= at_ns and outcome == "completed"]
        return (min(ends) - at_ns) / 1e9 if ends else None

    def wait_for_completion(self, at_ns, seconds):
        """The same, waiting for it."""
        wait_until(seconds, lambda: self.first_completion_after(at_ns) is not None)
        return self.first_completion_after(at_ns)


# ---- comparing latencies ----
def compare_pair(trader, disturbed_first, turn, round_s):
    """One round without and one with the disturbance, which `turn` switches: the latencies of both."""
    rounds = {}
    for disturbed in (True, False) if disturbed_first else (False, True):
        turn(disturbed)
        rounds[disturbed] = [time.monotonic_ns()]
        time.sleep(round_s)  # the length of a round
        rounds[disturbed].append(time.monotonic_ns())
        wait_until(5, lambda: trader.last_end_ns() > rounds[disturbed][1])
    return [trader.latencies_ms(*rounds[disturbed]) for disturbed in (False, True)]


DISASTER = {50: 1.5, 99: 5}  # percentile: factor


def check_latency(trader, what, begin, end, limit=1.10, round_s=1.5, looks=(6, 12), pace=None):
    """Whether the median order completion is worse by more than the limit while something disturbs: rounds without and with
    it in changing order (without, with, with, without, ..). After 6 pairs and after 12 it is looked whether that is decided;
    looking after each would find what it waits for by chance. After the last look it remains not decided. The p99 of a round
    rests on its two or three slowest orders, so it is told, and judged only by the benchmark's rates. An interval that is too
    wide hides no disaster: beyond DISASTER a factor fails however wide it is. `pace`: what counts the disturbances, and how
    many a second there must be for the comparison to say anything."""
    median, tail, pairs, now = Comparison(50), Comparison(99), 0, [False]
    done, since, on_s = 0, (0, 0.0), 0.0

    def turn(disturbed):
        nonlocal done, since, on_s
        if disturbed == now[0]:
            return
        if disturbed:
            since = (pace[0]() if pace else 0, time.monotonic())
            begin()
        else:
            on_s += time.monotonic() - since[1]
            done += (pace[0]() if pace else 0) - since[0]
            end()
        now[0] = disturbed

    verdict = "open"
    while verdict == "open" and pairs < looks[-1]:
        without, with_it = compare_pair(trader, pairs % 2 == 1, turn, round_s)
        if not without or not with_it:
            check(f"orders complete {what}", False, f"{len(without)} in a round without, {len(with_it)} in a round with it")
            break
        for comparison in (median, tail):
            comparison.add(without, with_it)
        pairs += 1
        if pairs in looks:
            verdict = judge(*median.factor()[1:], limit)
    turn(False)
    if pairs == 0:
        return
    if pace:
        check(f"{done / on_s:.0f} times a second {what}", done / on_s >= pace[1], f"at least {pace[1]} are wanted")
    for comparison in (median, tail):
        factor, times = comparison.factor()[0], DISASTER[comparison.percent]
        check(f"p{comparison.percent} of others' orders {what} is not {times} times what it is without (factor {factor:.2f})", factor < times)
    factor, low, high = median.factor()
    verdict = judge(low, high, limit)
    text = (f"p50 of others' orders {what}: {median}; factor {factor:.3f} "
            f"(90 % interval {low:.3f} .. {high:.3f}, {pairs} pairs of rounds)")
    if verdict == "open":
        undecided(f"{text}: {limit - 1:.0%} more is neither shown nor ruled out")
    else:
        check(text, verdict == "within", list(zip(median.without, median.with_it)))
    note(f"p99 {what}: {tail}; not judged here, measured by run/bench overload")
