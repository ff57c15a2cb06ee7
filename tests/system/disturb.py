#!/usr/bin/python3
"""disturb -- those who misbehave: subscribers and clients that never read, a runaway strategy, a sender of ever new names,
a thrower of malformed frames. Scenarios use the classes; run/bench runs this as a program:

  disturb.py WORD   a WORD of DISTURBERS. Reads "on" and "off" from stdin and answers each with the word, how often it has
                    disturbed so far, and how often a second it has done so to a stranger while it was off, if it does; first it
                    says "ready 0 0". Ends with stdin.

As a program, and in the classes with a process of their own, they run only while a processor is idle (SCHED_IDLE): what the fleet
does to others is measured, not who else needs the processor. Environment  ZVT_BIN: the programs; ZVT_RUNTIME: the folder of the fleet's sockets."""
import collections
import contextlib
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
import uuid

import msgpack
import zmq

import garbage
from wire import (ACK, BUY, CONTROL, E8, HELLO, IOC, MARKET, OK, ORDERS_QUERY, POSITIONS_QUERY, REPLAY_REQUEST, SECOND_NS, SIGNAL,
                  SIGNAL_RATE, connect, connect_to, records, wait_until)

SUBSCRIBERS = 4     # of the log and of each venue's market data, that never read
SEND_PATIENCE_MS = 5000  # who takes nothing for so long is gone
MEETING_MS = 100    # within which an answer comes
THROWS_HZ = 10      # sockets thrown at per second
ASKS_HZ = 100       # questions of all mute clients together
PAGE_MAX = 4000     # events that the replayer gives at once
FILLING_ASKS, FILLING_ASKS_LARGE = 3000, 60  # so many answers fill a queue; of lists fewer do


def stand_back():
    """At the beginning of a process of its own: behind the fleet, and not the one that Ctrl-C is meant for. Being nice would not do:
    the fleet's processes are batch jobs, which do not interrupt anybody else when they are woken."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    except PermissionError:
        os.nice(19)


class Silent:
    """Subscribers that never read: their own queues hold one message, everything else waits at the publisher."""

    def __init__(self, context):
        self.context, self.sockets = context, []

    def begin(self):
        for name in ["events", "market.alpha", "market.beta"] * SUBSCRIBERS:
            self.sockets.append(connect(self.context, zmq.SUB, name, [""], hwm=1))

    def end(self):
        for opened in self.sockets:
            opened.close()
        self.sockets = []


class StoppedTail:
    """A `tail` of the log that is stopped after its first line."""

    def __init__(self):
        self.process = None

    def begin(self):
        words = [os.path.join(os.environ["ZVT_BIN"], "zvt-monitor"), "tail", "--json"]
        self.process = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", *words], stdout=subprocess.PIPE)
        self.process.stdout.readline()
        self.process.send_signal(signal.SIGSTOP)

    def end(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


class Subscribers:
    """All that is subscribed and not read."""

    def __init__(self):
        self.parts = Silent(zmq.Context()), StoppedTail()

    def begin(self):
        for part in self.parts:
            part.begin()

    def end(self):
        for part in self.parts:
            part.end()

    def done(self):
        return 0


def questions(most):
    """One for each socket that answers; lists hold so many orders or events at the most."""
    hello, stats = [HELLO, 10, "mute", 1, 0, 0, False], [CONTROL, "stats", ""]
    asked = {"request": [ORDERS_QUERY, "", False, most, bytes(16)], "replay": [REPLAY_REQUEST, 1, 0, min(most, PAGE_MAX), bytes(16)],
             "portfolio": [POSITIONS_QUERY, "", ""], "risk": hello, "execute": hello, "order-entry.alpha": hello, "venue.alpha": hello,
             "control.orchestrator": stats, "control.risk": stats}
    return {name: msgpack.packb(record) for name, record in asked.items()}


class Mute:
    """Clients that ask and never take an answer. `fill` asks for so much that their queues are full; from `begin` to `end`
    they go on asking all the same, a hundred times a second altogether, for little: making a long list costs the fleet the
    same for one who reads it."""

    def __init__(self, context):
        self.much, self.little = questions(10000), questions(100)
        self.sockets = {name: connect(context, zmq.DEALER, name, hwm=1) for name in self.little}
        self.on, self.thread, self.asked = False, None, 0

    def ask(self, frames):
        """One question each; what has no room is not heard, as with any client that asks too fast."""
        for name, frame in frames.items():
            with contextlib.suppress(zmq.Again):
                self.sockets[name].send(frame, zmq.NOBLOCK)
                self.asked += 1

    def fill(self, turns=FILLING_ASKS):
        answered_briefly = {name: frame for name, frame in self.little.items() if name != "replay"}
        for turn in range(turns):
            self.ask(self.much if turn < FILLING_ASKS_LARGE else answered_briefly)
            time.sleep(0.001)  # so that most of it is heard

    def main(self):
        while self.on:
            self.ask(self.little)
            time.sleep(len(self.sockets) / ASKS_HZ)

    def begin(self):
        self.on, self.thread = True, threading.Thread(target=self.main, daemon=True)
        self.thread.start()

    def end(self):
        self.on = False
        self.thread.join()

    def done(self):
        return self.asked

    def close(self):
        for opened in self.sockets.values():
            opened.close()


class Stranger:
    """Somebody who is not of the fleet, in a process of its own, and answers each signal that is sent to it. What it does to others
    that somebody talks to it, the fleet has no part in. Ten thousand answers take 89 ms of a processor, the orchestrator's refusals 101."""

    def __init__(self):
        context = multiprocessing.get_context("fork")
        self.parent, self.endpoint = os.getpid(), f"ipc://@zvt-stranger-{os.getpid()}-{id(self)}"
        context.Process(target=self.main, daemon=True).start()

    def main(self):
        stand_back()
        context = zmq.Context()
        pull, pub = context.socket(zmq.PULL), context.socket(zmq.PUB)
        pull.bind(self.endpoint)
        pub.bind(self.endpoint + "-acks")
        ack = msgpack.packb([ACK, 1, 1, bytes(16), bytes(16), 0, SIGNAL_RATE, "max_signals_per_second=26; not recorded", 0, False])
        while os.getppid() == self.parent:
            count = 0
            with contextlib.suppress(zmq.Again):
                while pull.poll(1000 if count == 0 else 0):
                    pull.recv(zmq.NOBLOCK)
                    count += 1
            if count > 0:
                pub.send_multipart([b"ack.runaway", ack * count])

    def connect(self, context):
        """A socket for signals, one for answers."""
        return connect_to(context, zmq.PUSH, self.endpoint), connect_to(context, zmq.SUB, self.endpoint + "-acks", ["ack.runaway"])


class Side:
    """One that a runaway talks to: where signals go, where answers come from, the signals so far, the answers by code."""

    def __init__(self, push, acks):
        self.push, self.acks, self.number, self.answers = push, acks, 0, collections.Counter()
        push.setsockopt(zmq.SNDTIMEO, SEND_PATIENCE_MS)

    def send(self, run, rotating):
        self.number += 1
        terms = ["SOL/USDT", BUY, MARKET, IOC, False, E8 // 10, 0, 0, "beta", time.time_ns() + 60 * SECOND_NS]
        strategy = f"runaway-{self.number}" if rotating else "runaway"
        self.push.send(msgpack.packb([SIGNAL, uuid.uuid4().bytes, "runaway", run, self.number, strategy, "main", terms, E8, 0]))

    def meet(self, run):
        """Until an answer is heard: those before the subscription had arrived were for nobody. Counts from then on."""
        while not self.answers:
            self.send(run, False)
            if self.acks.poll(MEETING_MS):
                self.hear()
        while self.acks.poll(MEETING_MS):
            self.hear()
        self.number = 0
        self.answers.clear()

    def hear(self):
        while self.acks.poll(0):
            for ack in records(self.acks.recv_multipart()[1]):
                self.answers[ack[6] if ack[0] == ACK else None] += 1


class Runaway:
    """A strategy that has lost its mind, in a process of its own. `pace`: signals a second; `obeyed`: the one it runs at;
    `rotating`: each under another strategy's name; `diverted`: it talks to a stranger instead; the others are its counts of signals
    sent to the fleet and answered, and of those to the stranger."""

    def __init__(self, rate_hz=10000, rotating=False):
        context = multiprocessing.get_context("fork")
        self.rate_hz, self.parent, self.stranger = rate_hz, os.getpid(), Stranger()
        self.pace, self.obeyed, self.rotating, self.diverted = (context.Value("i", start) for start in (0, 0, rotating, 0))
        self.sent, self.accepted, self.over_rate, self.other, self.told, self.heard = (context.Value("q", 0) for _ in range(6))
        self.diverted_ns, self.diverted_since_ns = 0, None
        self.process = context.Process(target=self.main, daemon=True)
        self.process.start()

    def main(self):
        stand_back()
        context, run, begun_ns, pace, due = zmq.Context(), time.time_ns(), 0, 0, 0
        fleet = Side(connect(context, zmq.PUSH, "signals"), connect(context, zmq.SUB, "events", ["ack.runaway"]))
        stranger = Side(*self.stranger.connect(context))
        stranger.meet(run)
        while os.getppid() == self.parent:
            if self.pace.value != pace:
                begun_ns, pace, due = time.monotonic_ns(), self.pace.value, 0
            owed = (time.monotonic_ns() - begun_ns) * pace // SECOND_NS - due
            for _ in range(min(owed, 200)):
                (stranger if self.diverted.value else fleet).send(run, self.rotating.value)
            due += min(owed, 200)
            self.sent.value, self.told.value, self.obeyed.value = fleet.number, stranger.number, pace
            fleet.hear()
            stranger.hear()
            self.accepted.value, self.over_rate.value = fleet.answers[OK], fleet.answers[SIGNAL_RATE]
            self.other.value = fleet.answers.total() - self.accepted.value - self.over_rate.value
            self.heard.value = stranger.answers.total()
            time.sleep(0.001)

    def answered(self):
        return self.accepted.value + self.over_rate.value + self.other.value

    def begin(self):
        self.end()
        self.diverted.value, self.pace.value = 0, self.rate_hz

    def divert(self):
        """The same with a stranger, to compare with: what a busy process does to all others on the machine is not the fleet's doing."""
        self.end()
        self.diverted.value, self.pace.value, self.diverted_since_ns = 1, self.rate_hz, time.monotonic_ns()

    def end(self):
        """Also waits for the answers."""
        if self.diverted_since_ns is not None:
            self.diverted_ns += time.monotonic_ns() - self.diverted_since_ns
            self.diverted_since_ns = None
        self.pace.value = 0
        wait_until(20, lambda: self.obeyed.value == 0 and self.answered() >= self.sent.value and self.heard.value >= self.told.value)

    def run_for(self, seconds, pace):
        """Runs at this pace and waits for the answers: signals sent, accepted, refused for the rate, other answers."""
        before = [v.value for v in (self.sent, self.accepted, self.over_rate, self.other)]
        self.diverted.value, self.pace.value = 0, pace
        time.sleep(seconds)  # the length of the run
        self.end()
        return [v.value - b for v, b in zip((self.sent, self.accepted, self.over_rate, self.other), before)]

    def done(self):
        return self.sent.value

    def diverted_hz(self):
        """Signals a second to the stranger, while it was he who got them; once it has ended or begun again."""
        return self.told.value * SECOND_NS / self.diverted_ns if self.diverted_ns else 0


class Diverted:
    """A runaway that talks to a stranger when it is off."""

    def __init__(self, **settings):
        self.runaway = Runaway(**settings)
        self.begin, self.end, self.done, self.control_hz = self.runaway.begin, self.runaway.divert, self.runaway.done, self.runaway.diverted_hz
        self.end()


class OnlyDiverted:
    """A runaway that talks to a stranger when it is on, and never to the fleet."""

    def __init__(self):
        self.runaway = Runaway()
        self.begin, self.end = self.runaway.divert, self.runaway.end

    def done(self):
        return self.runaway.told.value


class Thrower:
    """A process that throws malformed frames at one socket after the other while it is on."""

    def __init__(self, names):
        context = multiprocessing.get_context("fork")
        self.on, self.thrown, self.names, self.parent = context.Value("b", 0), context.Value("q", 0), names, os.getpid()
        context.Process(target=self.main, daemon=True).start()

    def main(self):
        stand_back()
        context, at = zmq.Context(), 0
        while os.getppid() == self.parent:
            if self.on.value:
                garbage.throw(context, self.names[at % len(self.names)])
                self.thrown.value = at = at + 1
            time.sleep(1 / THROWS_HZ)

    def begin(self):
        self.on.value = 1

    def end(self):
        self.on.value = 0

    def done(self):
        return self.thrown.value


def mute_and_full():
    clients = Mute(zmq.Context())
    clients.fill(FILLING_ASKS_LARGE)
    return clients


DISTURBERS = {
    "subscribers": Subscribers,
    "clients": mute_and_full,
    "runaway": Diverted,
    "names": lambda: Diverted(rate_hz=3000, rotating=True),
    "stranger": OnlyDiverted,
    "silence": Runaway,
    "malformed": lambda: Thrower(garbage.sockets()),
}


def main():
    if len(sys.argv) != 2 or sys.argv[1] not in DISTURBERS:
        sys.exit(f"disturb: say which: {' '.join(DISTURBERS)}")
    stand_back()
    disturber, on = DISTURBERS[sys.argv[1]](), False
    control_hz = getattr(disturber, "control_hz", lambda: 0)
    print("ready 0 0", flush=True)
    for line in sys.stdin:
        wanted = line.strip() == "on"
        if wanted != on:
            (disturber.begin if wanted else disturber.end)()
        on = wanted
        print(line.strip(), disturber.done(), f"{control_hz():.1f}", flush=True)
    if on:
        disturber.end()


if __name__ == "__main__":
    main()
