"""What the scenarios about taking over share: a fleet of their own, checks that are counted, a client that never gives up,
and a look into the database and at the processes that costs a millisecond.

The client keeps a stream of small orders going over one connection. It says hello, opens its socket anew when nothing
answers, and sends what is unanswered again under the same request id: so the time from an incident to the completion of
the first order submitted after it can be read off, and whatever it was told can be held against the log."""
import bisect
import json
import os
import re
import select
import signal
import subprocess
import threading
import time
import uuid

import msgpack
import zmq

CHECKOUT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
BASE = os.environ["ZVT_TEST_BASE"]
HOME = os.path.join(BASE, "home")
SLOW = int(os.environ.get("ZVT_TEST_SLOW", "1"))
E8 = 100_000_000
HELLO, PLACE, PLACE_REPLY, CONTROL = 120, 140, 141, 152
BUY, MARKET, IOC, WAIT_FILLED = 1, 1, 2, 3
OK, TRY_AGAIN = 1, (20, 21, 22)  # OVERLOADED, LOG_UNAVAILABLE, NOT_READY: nothing was done


def check(text, ok, detail=""):
    with open(os.environ["ZVT_TEST_RESULTS"], "a") as results:
        results.write(f"{'ok' if ok else 'FAILED'} {text}\n")
    print(f"    {'ok    ' if ok else 'FAILED'} {text}" + ("" if ok or detail == "" else f"\n           {detail}"), flush=True)
    if not ok:
        show_trouble()


def show_trouble():
    """What the fleet's logs have warned of."""
    subprocess.run([f"{CHECKOUT}/tests/system/trouble", BASE])


def wait_until(seconds, condition):
    end = time.monotonic() + seconds * SLOW
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.005)
    return True


def percentile(values, share):
    return sorted(values)[min(len(values) - 1, int(share * len(values)))] if values else float("nan")


def summary(values):
    return f"p50 {percentile(values, 0.5):.0f} ms, p99 {percentile(values, 0.99):.0f} ms, max {max(values, default=float('nan')):.0f} ms"


# ---- the fleet ----
class Fleet:
    """Brought up with these values in the section orchestrator of its fleet file. The client's strategy may have a backlog to
    send after each incident, so its order rate is not limited."""

    def __init__(self, strategies=False, **orchestrator):
        os.makedirs(BASE, exist_ok=True)
        with open(f"{CHECKOUT}/run/fleet.zpl") as source:
            lines = source.read().replace("max_orders_per_second = 200 ", "max_orders_per_second = 20000 ")
        for name, value in orchestrator.items():
            lines = re.sub(rf"(    {name} = )[^#]*", rf"\g<1>{value} ", lines)
        self.config = f"{BASE}/fleet.zpl"
        with open(self.config, "w") as copy:
            copy.write(lines)
        self("up", "--config", self.config, "--seed", "11", *([] if strategies else ["--no-strategies"]))
        exports = self("env").splitlines()
        self.env = {line.split("=", 1)[0].removeprefix("export "): line.split("=", 1)[1].strip("'") for line in exports}
        self.context = zmq.Context()

    def __call__(self, *words, may_fail=False):
        done = subprocess.run([f"{CHECKOUT}/run/fleet", "--home", HOME, *words], capture_output=True, text=True, stdin=subprocess.DEVNULL)
        if done.returncode and not may_fail:
            show_trouble()
            raise SystemExit(f"fleet {' '.join(words)}: exit code {done.returncode}\n{done.stdout}{done.stderr}")
        return done.stdout

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self("down", "--wipe", "--yes", may_fail=True)

    def control(self, name, command, patience_ms):
        """The answer of a process on its control socket, or None."""
        opened = self.context.socket(zmq.DEALER)
        opened.setsockopt(zmq.LINGER, 0)
        opened.connect(f"ipc://{self.env['ZVT_RUNTIME']}/control.{name}")
        opened.send(msgpack.packb([CONTROL, command, ""]))
        answer = msgpack.unpackb(opened.recv(), strict_map_key=False) if opened.poll(patience_ms) else None
        opened.close()
        return json.loads(answer[2]) if answer else None

    def state(self, name, patience_ms=1000):
        return (self.control(name, "stats", patience_ms) or {}).get("state", "silent")

    def pid(self, name):
        """What the supervisor has started; 0 while it is down."""
        shown = subprocess.run(["s6-svstat", "-o", "pid", f"{HOME}/s6/services/{name}"], capture_output=True, text=True).stdout
        return max(0, int(shown or 0))

    def is_trading(self, name):
        return self.state(name) == "trading"

    def verify(self):
        checks = json.loads(self("verify", "--json", may_fail=True) or '{"ok": false, "checks": []}')
        wrong = [c for c in checks["checks"] if not c["ok"]]
        check(f"verify passes ({len(checks['checks'])} checks)", checks["ok"] and not wrong, wrong)


class Database:
    """One psql that stays, because starting one takes longer than what is to be looked at."""

    def __init__(self, url):
        self.psql = subprocess.Popen(["psql", "-X", "-At", "-F", "|", url], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                     stderr=subprocess.DEVNULL, text=True, bufsize=1)

    def __call__(self, query):
        self.psql.stdin.write(f"{query};\n\\echo =done=\n")
        self.psql.stdin.flush()
        lines = []
        while (line := self.psql.stdout.readline().rstrip("\n")) != "=done=":
            lines.append(line)
        return lines

    def number(self, query):
        return int(self(query)[0])


def stopped(pid):
    """True when every thread has really stopped."""
    os.kill(pid, signal.SIGSTOP)
    return wait_until(1, lambda: all(re.search(r"\) T ", open(f"/proc/{pid}/task/{task}/stat").read()) for task in os.listdir(f"/proc/{pid}/task")))


def ended(pid):
    try:
        return open(f"/proc/{pid}/stat").read().split(") ")[1][0] == "Z"
    except OSError:
        return True


# ---- the client ----
class Client(threading.Thread):
    """`rate` orders a second, each bought at the market for next to nothing, where no strategy's own orders rest."""
    SILENCE, CONNECT, HELLO_PERIOD, RESEND = 0.5, 0.2, 0.25, 0.4

    def __init__(self, fleet, rate):
        super().__init__(daemon=True)
        self.fleet, self.rate = fleet, rate
        self.lock, self.running, self.draining = threading.Lock(), True, False
        self.patience = self.CONNECT
        self.waiting = {}             # request id -> [submitted, sent last, frame]
        self.done = {}                # request id -> (submitted, completed, order id)
        self.times = []               # (submitted, completed), as they are completed
        self.wrong = []               # answers that nobody may give
        self.start()

    def open(self):
        self.socket = self.fleet.context.socket(zmq.DEALER)
        for option, value in ((zmq.LINGER, 0), (zmq.IMMEDIATE, 1), (zmq.RECONNECT_IVL, 20), (zmq.RECONNECT_IVL_MAX, 100)):
            self.socket.setsockopt(option, value)
        self.socket.connect(self.fleet.env["ZVT_ENDPOINT_REQUEST"])
        self.heard, self.connected = time.monotonic(), False

    def send(self, frame):
        try:
            self.socket.send(frame, zmq.NOBLOCK)
            self.connected, self.patience = True, self.CONNECT
        except zmq.ZMQError:
            pass  # nobody is there: it is due again soon

    def submit(self, now):
        request_id = uuid.uuid4().hex
        order = ["BTC/USDT", BUY, MARKET, IOC, False, E8 // 1000, 0, 0, "", 0]
        frame = msgpack.packb([PLACE, request_id, "probe", "probe", "main", order, WAIT_FILLED, 60000, time.time_ns()])
        with self.lock:
            self.waiting[request_id] = [now, now, frame]
        self.send(frame)

    def on_reply(self, reply, now):
        _, request_id, success, order_id, _, _, code, message = reply[:8]
        with self.lock:
            waiting = self.waiting.get(request_id)
            if waiting is None:
                return
            if success:
                del self.waiting[request_id]
                self.done[request_id] = waiting[0], now, order_id
                self.times.append((waiting[0], now))
            elif code in TRY_AGAIN:
                waiting[1] = now - self.RESEND / 2
            else:
                del self.waiting[request_id]
                self.wrong.append(f"{request_id}: code {code}, {message}")

    def receive(self):
        while self.socket.poll(2):
            now = self.heard = time.monotonic()
            frame = msgpack.Unpacker(raw=False, strict_map_key=False)
            frame.feed(self.socket.recv())
            for record in frame:
                if record[0] == PLACE_REPLY:
                    self.on_reply(record, now)

    def reopen_if_silent(self, now):
        if now - self.heard < (self.SILENCE if self.connected else self.patience):
            return
        if not self.connected:  # perhaps to a process that is stopped; or a busy one that needs longer
            self.patience = min(2 * self.patience, 4 * self.CONNECT)
        self.socket.close()
        self.open()
        with self.lock:
            for waiting in self.waiting.values():
                waiting[1] = 0

    def run(self):
        self.open()
        due = said = time.monotonic()
        while self.running:
            now = time.monotonic()
            self.reopen_if_silent(now)
            if now - said > self.HELLO_PERIOD:
                said = now
                self.send(msgpack.packb([HELLO, 10, "probe", 1, 0, 0, False]))
            while due <= now and not self.draining:
                self.submit(now)
                due += 1 / self.rate
            with self.lock:
                again = [waiting for waiting in self.waiting.values() if now - waiting[1] > self.RESEND]
            for waiting in again[:200]:
                waiting[1] = now
                self.send(waiting[2])
            self.receive()

    def recovered_ms(self, since, seconds):
        """From then to the completion of the first order that was submitted after; None if there is none in time."""
        def first():
            with self.lock:
                at = bisect.bisect_left(self.times, since, key=lambda t: t[1])
                return min((t[1] for t in self.times[at:] if t[0] >= since), default=None)
        return (first() - since) * 1000 if wait_until(seconds, lambda: first() is not None) else None

    def count(self):
        with self.lock:
            return len(self.done)

    def finish(self, seconds=60):
        """No new orders; everything is answered in time, or not."""
        self.draining = True
        answered = wait_until(seconds, lambda: not self.waiting)
        self.running = False
        self.join()
        return answered


# ---- what was told against what is written ----
def check_nothing_lost_or_doubled(client, database, may_end=()):
    """`may_end`: reasons for which an order may end without a fill."""
    answered = client.finish()
    check(f"every request was answered ({len(client.done) + len(client.wrong)}, {len(client.waiting)} were not)", answered and client.done)
    wrong = [answer for answer in client.wrong if not any(reason in answer for reason in may_end)]
    check(f"and no order was refused{f' but for {chr(32).join(may_end)} ({len(client.wrong)})' if may_end else ''}", not wrong, wrong[:5])
    rows = database("select event_data ->> 'request_id', aggregate_id from event_store where event_type = 'order.requested'")
    orders = {}
    for row in rows:
        request_id, order_id = row.split("|")
        if request_id:
            orders.setdefault(request_id, []).append(order_id)
    told = {request_id: str(uuid.UUID(bytes=done[2])) for request_id, done in client.done.items()}
    check("every order that a client was told of is in the log", all(told[r] in orders.get(r, []) for r in told),
          [r for r in told if told[r] not in orders.get(r, [])][:5])
    check("no request became two orders", all(len(o) == 1 for o in orders.values()), [r for r in orders if len(orders[r]) > 1][:5])
    ours = {order_id for request_id in orders for order_id in orders[request_id]}
    executed = dict(row.split("|") for row in database("select aggregate_id, trim_scale(sum((event_data ->> 'executed_quantity')::numeric))"
                                                       " from event_store where event_type = 'order.executed' group by 1"))
    doubled = [order for order in ours & executed.keys() if executed[order] != "0.001"]
    unfilled = [order for order in told.values() if order not in executed]
    check("every order executed exactly what it asked for", not doubled and not unfilled, (doubled[:5], unfilled[:5]))


def check_epochs(database):
    """No row of an older epoch after the first one of a newer."""
    late = database.number("select count(*) from (select epoch, max(epoch) over (order by last_seq) as newest from event_batches) b"
                           " where epoch < newest")
    check("0 rows by an old epoch after the first row of a newer one", late == 0, f"{late} batches")
