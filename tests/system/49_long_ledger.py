#!/usr/bin/python3
"""A venue with a long ledger. First one by itself, with this scenario as its gateway: what a start reads is bounded by its
checkpoint, it has the same account as from the whole ledger, and a checkpoint that does not fit is passed over. Then the venues
of a fleet: they are killed, trading goes on, and the ledgers agree."""
import io
import os
import random
import re
import shutil
import signal
import subprocess
import time

import msgpack
import zmq

from probe import BASE, CHECKOUT, E8, HOME, SLOW, Client, Fleet, check, wait_until

ORDER_SEND, ORDER_QUERY, REPORT, REPORTS_SINCE, REPORTS_TIP, ACCOUNT_QUERY, ACCOUNT_SNAPSHOT = 172, 175, 177, 178, 179, 188, 193
BUY, SELL, MARKET, LIMIT, GTC, IOC = 1, 2, 1, 2, 1, 2
ORDERS, WINDOW, RESTING = 200_000, 4000, 20
PROGRAM = f"{os.environ['ZVT_BIN']}/zvt-venue"
pack = msgpack.Packer(use_bin_type=True).pack


def unpack(frame):
    return msgpack.Unpacker(io.BytesIO(frame), raw=False, strict_map_key=False)


class Venue:
    """A venue without a fleet. `after`: reports after which a checkpoint is due."""

    def __init__(self, home):
        self.home, self.runtime, self.context = home, f"{home}/run", zmq.Context()
        os.makedirs(self.runtime, mode=0o700)
        self.environment = dict(os.environ, ZVT_RUNTIME=self.runtime, ZVT_HOME=home, ZVT_FLEET=f"{CHECKOUT}/run/fleet.zpl")
        self.checkpoint, self.ledger = f"{home}/state/venue-alpha.checkpoint", f"{home}/state/venue-alpha.ledger"
        self.log, self.process, self.orders = f"{home}/log", None, 0

    def start(self, after=10**9):
        """Milliseconds until it answers."""
        with open(self.log, "a") as log:
            self.logged, began = log.tell(), time.monotonic()
            self.process = subprocess.Popen([PROGRAM, "--name", "venue-alpha", "--venue", "alpha", "--checkpoint-after", str(after)],
                                            env=self.environment, stderr=log)
        self.socket = self.context.socket(zmq.DEALER)
        for option, value in ((zmq.LINGER, 0), (zmq.RECONNECT_IVL, 2), (zmq.RECONNECT_IVL_MAX, 2), (zmq.RCVHWM, 0)):
            self.socket.setsockopt(option, value)
        self.socket.connect(f"ipc://{self.runtime}/venue.alpha")
        self.ask([ORDER_QUERY, "nobody", "alpha", False, 1], lambda record: True)
        return (time.monotonic() - began) * 1000

    def end(self, how=signal.SIGKILL):
        self.process.send_signal(how)
        self.process.wait()
        self.socket.close()

    def said(self):
        with open(self.log) as log:
            log.seek(self.logged)
            return log.read()

    def read(self):
        """(reports that the start read, reports that were in its checkpoint)"""
        return tuple(map(int, re.search(r"of these (\d+) read and (\d+) in the checkpoint", self.said()).groups()))

    def ask(self, question, is_last):
        """All records up to the last one of the answer; asked again when the connection was not there yet."""
        self.socket.send(pack(question))
        records, asked = [], time.monotonic()
        while not records or not is_last(records[-1]):
            if self.socket.poll(20):
                records += unpack(self.socket.recv())
            elif time.monotonic() - asked > 30 * SLOW:
                raise SystemExit(f"no answer to {question}")
        return records

    def send(self, count, **terms):
        """Market orders of both sides by turns, as many at a time as are answered; returns when all are."""
        done, sent, expires = 0, 0, time.time_ns() + 3600 * 10**9
        while done < count:
            while sent < count and sent - done < WINDOW:
                part = min(200, count - sent)
                self.socket.send(b"".join(self.order(self.orders + k, expires, **terms) for k in range(part)))
                self.orders, sent = self.orders + part, sent + part
            if not self.socket.poll(int(30000 * SLOW)):
                raise SystemExit(f"{done} of {count} orders were answered")
            # The first report of an order is the one that says what it is.
            done += sum(1 for r in unpack(self.socket.recv()) if r[0] == REPORT and r[3] in (1, 2))
        self.ask([ORDER_QUERY, "nobody", "alpha", False, 1], lambda r: r[0] not in (REPORT,))

    @staticmethod
    def order(number, expires, price=0):
        kind, tif = (LIMIT, GTC) if price else (MARKET, IOC)
        side = BUY if price or number % 2 == 0 else SELL
        return pack([ORDER_SEND, f"{number * 2654435761 % 2**64:016x}-order", "alpha", "BTC/USDT", side, kind, tif, False, E8 // 1000,
                     price, 1, expires])

    def account(self):
        """Everything that can be asked: balances, open orders, reports from anywhere, what becomes of a second copy."""
        answer = sorted(map(repr, self.ask([ACCOUNT_QUERY, "alpha", 1], lambda r: r[0] == ACCOUNT_SNAPSHOT)))
        tip = self.ask([REPORTS_SINCE, "alpha", 10**12, 1], lambda r: r[0] == REPORTS_TIP)[-1][3]
        draw = random.Random(1)
        for _ in range(20):
            answer += self.ask([REPORTS_SINCE, "alpha", draw.randrange(tip), 5], lambda r: r[0] == REPORTS_TIP)[:-1]
        for _ in range(20):
            number = draw.randrange(self.orders)
            answer += self.ask(msgpack.unpackb(self.order(number, time.time_ns() + 10**12)), lambda r: r[0] == REPORT)[:1]
            answer += self.ask([ORDER_QUERY, f"{number * 2654435761 % 2**64:016x}-order", "alpha", False, 1], lambda r: r[0] != REPORT)[-1:]
        return answer

    def children(self):
        shown = subprocess.run(["ps", "-o", "pid=,stat=", "--ppid", str(self.process.pid)], capture_output=True, text=True).stdout
        return [int(line.split()[0]) for line in shown.splitlines() if "Z" not in line]


def gone(pid):
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rsplit(")", 1)[1].split()[0] == "Z"
    except OSError:
        return True


def a_long_ledger(venue):
    venue.start()
    venue.send(RESTING, price=50_000 * E8)
    venue.send(ORDERS)
    before = venue.account()
    venue.end()
    whole_ms = venue.start()
    reports, covered = venue.read()
    check(f"without a checkpoint a start reads all {reports} reports ({whole_ms:.0f} ms)", covered == 0 and reports > 1.5 * ORDERS)
    check("and has the account from before", venue.account() == before)
    venue.end()
    venue.start(after=50_000)
    made = wait_until(60, lambda: os.path.exists(venue.checkpoint) and not venue.children())
    check("a venue whose start was long has a checkpoint made, beside its work", made, venue.said())
    venue.send(1000)
    before = venue.account()
    venue.end()
    took_ms = venue.start()
    tail, covered = venue.read()
    check(f"the next start reads {tail} reports and has {covered} from it ({took_ms:.0f} ms)", covered >= reports and 0 < tail < 5000)
    check("and has the account from before", venue.account() == before, venue.said())
    check("in a fraction of the time", took_ms < whole_ms, (took_ms, whole_ms))
    return before


def passed_over(venue, what, before):
    venue.end()
    what_ms = venue.start()
    check(f"{what} is passed over ({what_ms:.0f} ms)", "is passed over" in venue.said() and venue.read()[1] == 0, venue.said())
    check("and the account is the same", venue.account() == before)


def what_does_not_fit(venue, before):
    with open(venue.checkpoint, "rb") as file:
        good = file.read()
    for what, damaged in (("a checkpoint with one bit flipped", good[:5000] + bytes((good[5000] ^ 4,)) + good[5001:]),
                          ("one that was cut off", good[:len(good) // 2]), ("an empty one", b"")):
        with open(venue.checkpoint, "wb") as file:
            file.write(damaged)
        passed_over(venue, what, before)
    # The ledger of another day, with as many batches again.
    with open(venue.checkpoint, "wb") as file:
        file.write(good)
    venue.end()
    shutil.copyfile(venue.ledger, f"{venue.ledger}.kept")
    venue.start()
    check("the good one is used", venue.read()[1] > 0)
    venue.send(2000)
    venue.end()
    subprocess.run([PROGRAM, "--name", "venue-alpha", "--venue", "alpha", "--checkpoint"], env=venue.environment, check=True)
    os.rename(f"{venue.ledger}.kept", venue.ledger)
    venue.orders -= 2000
    passed_over(venue, "one that is ahead of its ledger", before)


def no_child_is_left(venue):
    """The child ends with its venue, however that ends."""
    for how in (signal.SIGKILL, signal.SIGTERM):
        venue.end()
        if os.path.exists(venue.checkpoint):
            os.unlink(venue.checkpoint)
        venue.start(after=1)
        child = []
        if not wait_until(30, lambda: child.extend(pid for pid in venue.children() if os.getpriority(os.PRIO_PROCESS, pid) == 10) or child):
            check("a checkpoint is being made", False, venue.said())
            return
        os.kill(child[0], signal.SIGSTOP)  # it cannot be done before the venue ends
        venue.send(100)
        check("the venue trades while it is made, and makes no second one", venue.children() == child[:1], venue.children())
        venue.end(how)
        check(f"{how.name} of the venue ends the child too", wait_until(5, lambda: gone(child[0])))
        check("and leaves no checkpoint that is not whole", not os.path.exists(venue.checkpoint))
        venue.start()


def alone():
    venue = Venue(f"{BASE}/venue")
    try:
        before = a_long_ledger(venue)
        what_does_not_fit(venue, before)
        no_child_is_left(venue)
    finally:
        if venue.process:
            venue.end()
        venue.context.destroy(linger=0)


def reports(fleet, venue):
    return (fleet.control(venue, "stats", 1000) or {}).get("account", {}).get("venue_seq", 0)


def in_a_fleet():
    with Fleet() as fleet:
        client = Client(fleet, 50)
        check("the fleet trades", client.recovered_ms(time.monotonic(), 30) is not None)
        for what in ("with a checkpoint", "with a damaged one"):
            for name in ("alpha", "beta"):
                path = f"{HOME}/state/venue-{name}.checkpoint"
                check(f"venue-{name} has reports", wait_until(30, lambda: reports(fleet, f"venue-{name}") > 0))
                # As its child does from time to time.
                command = [PROGRAM, "--name", f"venue-{name}", "--venue", name, "--checkpoint"]
                subprocess.run(command, env=dict(os.environ, **fleet.env), check=True)
                if "damaged" in what:
                    with open(path, "r+b") as file:
                        file.seek(2000)
                        file.write(b"damage")
                os.kill(fleet.pid(f"venue-{name}"), signal.SIGKILL)
                recovered = client.recovered_ms(time.monotonic(), 30)
                check(f"venue-{name} killed, {what}: trading goes on", recovered is not None)
                log = f"{HOME}/log/venue-{name}/current"
                covered = r"and [1-9]\d* in the checkpoint" if what == "with a checkpoint" else r"is passed over(.|\n)* and 0 in the checkpoint"
                check("the venue's log says what it read", wait_until(10, lambda: re.search(covered, open(log).read())), open(log).read()[-600:])
        answered = client.finish()
        check(f"every order was answered ({client.count()})", answered and client.count() > 0)
        fleet.verify()


alone()
in_a_fleet()
