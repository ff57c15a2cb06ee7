#!/usr/bin/python3
# run/test: first
"""Every process of the fleet, a strategy, the supervisors and Postgres, stopped for 30 seconds while orders flow: what does not
need it goes on, what needs it is refused with a reason or waits within its limits, memory stays bounded, and a second or so
after it is let go it works and the fleet trades again by itself. Each has a figure of its own; those that have nothing to do
with each other are stopped together.

Two fleets side by side, each with half of the stops, because a stop lasts so long. ZVT_TEST_STOP_S shortens it."""
import os
import signal
import subprocess
import sys
import time

if len(sys.argv) > 1:  # one half: a fleet of its own beside the other's
    os.environ["ZVT_TEST_BASE"] = os.path.join(os.environ["ZVT_TEST_BASE"], sys.argv[1])

import zmq

from traffic import HOME, Trader, ask, check, fleet, note, pids_of_postgres, processes, rss_kb, start_fleet, verify
from wire import CONTROL, SLOW, wait_until

STOP_S = float(os.environ.get("ZVT_TEST_STOP_S", "30"))
BACK_S = 2.0          # from SIGCONT to the completion of an order that was due after it, and to its own work
SUPERVISED = "checkpointer"  # whose s6-supervise and s6-log are stopped
STRATEGY = "swinger"
GROWTH_MB_MAX = 64
RATE_HZ = 20
KNOWN_NS = 1_500_000_000  # from then on everybody knows that somebody does not answer
LIFETIME_S = 4        # of a signal: what is older is never made an order, see half()

# Who is stopped together; who of the two strategies must go on trading meanwhile. "anywhere" names no venue, "alpha" does.
STOPS = {
    "first": [
        {"who": ["risk"], "goes_on": []},
        {"who": ["executor"], "goes_on": []},
        {"who": ["postgres"], "goes_on": []},
        {"who": ["venue-alpha", "replayer", STRATEGY], "goes_on": ["anywhere"]},
    ],
    "second": [
        {"who": ["orchestrator"], "goes_on": []},
        {"who": ["portfolio"], "goes_on": []},
        {"who": ["gateway-alpha", "checkpointer"], "goes_on": ["anywhere"]},
        {"who": ["venue-beta", "gateway-beta", "watcher", "s6-svscan", "s6-supervise", "s6-log"], "goes_on": ["anywhere", "alpha"]},
    ],
}


def supervised(service):
    """The process of a service, as s6 knows it."""
    return int(subprocess.run(["s6-svstat", "-o", "pid", os.path.join(HOME, "s6/services", service)], capture_output=True, text=True).stdout)


def parent(pid):
    with open(f"/proc/{pid}/stat") as stat:
        return int(stat.read().rsplit(") ", 1)[1].split()[1])


def svscan():
    with open(os.path.join(HOME, "s6/pid")) as file:
        return int(file.read())


# Who is no process of the fleet's own: `postgres` is the server with all that it has forked, `watcher` a tail of ours.
OTHERS = {"postgres": pids_of_postgres, "watcher": lambda: [s_tail.pid], "s6-svscan": lambda: [svscan()],
          "s6-supervise": lambda: [parent(supervised(SUPERVISED))], "s6-log": lambda: [supervised(f"{SUPERVISED}/log")]}


def pids_of(who):
    listed = processes()
    return [pid for name in who for pid in (OTHERS[name]() if name in OTHERS else [listed[name]["pid"]])]


def send(pids, what):
    for pid in pids:
        try:
            os.kill(pid, what)
        except ProcessLookupError:
            pass  # a backend that ended meanwhile


def sizes(listed):
    return {name: rss_kb(p["pid"]) // 1024 for name, p in listed.items() if p["pid"] and name != "postgres"}


def works_again_s(who, resumed_ns):
    """Of each process with a control socket: from SIGCONT to its answer."""
    context, took = zmq.Context(), {}
    for name in who:
        if name not in OTHERS:
            answered = ask(context, f"control.{name}", [CONTROL, "ping", ""]) is not None
            took[name] = (time.monotonic_ns() - resumed_ns) / 1e9 if answered else None
    return took


def check_supervisors():
    """They do their work: a killed process comes back, what it says is written, a new service is started."""
    current, began = os.path.join(HOME, "log", SUPERVISED, "current"), time.monotonic()
    pid, said = supervised(SUPERVISED), os.path.getsize(current)
    os.kill(pid, signal.SIGKILL)
    back = wait_until(10, lambda: supervised(SUPERVISED) not in (pid, -1, 0))
    took = time.monotonic() - began
    check(f"s6-supervise stopped: afterwards it starts a killed process again within {took:.2f} s", back and took <= BACK_S * SLOW)
    check("s6-log stopped: afterwards it writes what is said", wait_until(10, lambda: os.path.getsize(current) != said))
    fleet("attach", "momentum", "--name", "late", "--symbol", "ETH/USDT")
    check("s6-svscan stopped: afterwards it starts a new service", wait_until(10, lambda: processes()["late"]["pid"]))
    fleet("detach", "late")


def stop(traders, who, goes_on):
    text = " and ".join(who)
    pids, listed = pids_of(who), processes()
    before = sizes(listed)
    send(pids, signal.SIGSTOP)
    stopped_ns = time.monotonic_ns()
    time.sleep(STOP_S)  # the length of the stop
    grown = {name: mb - before[name] for name, mb in sizes(listed).items()}
    resumed_ns = time.monotonic_ns()
    send(pids, signal.SIGCONT)
    for name, took in works_again_s(who, resumed_ns).items():
        check(f"{name} stopped: it answers {f'{took:.2f} s' if took is not None else 'never'} after it goes on", took is not None and took <= BACK_S * SLOW)
    back = {name: trader.wait_for_completion(resumed_ns, 20) for name, trader in traders.items()}
    check(f"{text} stopped for {STOP_S:.0f} s: orders complete " +
          ", ".join(f"{seconds:.2f} s" if seconds is not None else "never" for seconds in back.values()) + " after it goes on",
          all(seconds is not None and seconds <= BACK_S * SLOW for seconds in back.values()), back)
    wait_until(60, lambda: all(done_before(trader, resumed_ns) for trader in traders.values()), every_s=0.2)
    for name, trader in traders.items():
        outcomes = trader.outcomes(stopped_ns + KNOWN_NS, resumed_ns - 10**9)
        if name in goes_on:
            good = outcomes.get("completed", 0) >= 0.95 * sum(outcomes.values())
            check(f"{text} stopped: orders of \"{name}\" go on meanwhile: {outcomes}", good and outcomes)
        else:
            told = "unanswered" not in outcomes or "orchestrator" in who
            check(f"{text} stopped: what became of orders of \"{name}\" is told, with a reason: {outcomes}", told and outcomes)
    check(f"{text} stopped: memory stays bounded, grown by at most {max(grown.values())} MB", max(grown.values()) <= GROWTH_MB_MAX, grown)
    after = processes()
    died = [name for name in listed if after[name]["pid"] != listed[name]["pid"]]
    check(f"{text} stopped: nobody was restarted for it", died == [], died)
    if "s6-supervise" in who:
        check_supervisors()


def done_before(trader, at_ns):
    """Every order that was due before has ended."""
    due = sum(1 for _, due, _, _ in list(trader.ended) if due < at_ns)
    return due >= (at_ns - trader.begun_ns) * RATE_HZ // 10**9 - 1


def half(which):
    global s_tail
    try:
        start_fleet("--seed", "9")
        s_tail = subprocess.Popen([os.path.join(os.environ["ZVT_BIN"], "zvt-monitor"), "tail"], stdout=subprocess.DEVNULL)
        fleet("attach", "momentum", "--name", STRATEGY, "--symbol", "ETH/USDT")
        traders = {"anywhere": Trader("anywhere", RATE_HZ, venue="", lifetime_s=LIFETIME_S), "alpha": Trader("alpha", RATE_HZ, lifetime_s=LIFETIME_S)}
        check("orders complete before anything is stopped", wait_until(20, lambda: all(len(t.ended) > 40 for t in traders.values())))
        for row in STOPS[which]:
            stop(traders, **row)
        for name, trader in traders.items():
            last = trader.stop(60)
            check(f"each of {last['sent']} orders of \"{name}\" has an end", last["open"] == [], last)
            check(f"no order of \"{name}\" was made or executed when its {LIFETIME_S} s were over", last["stale"] == [], last["stale"][:5])
            refused = [late for late in last["after_all"] if late[1].startswith("refused")]
            check(f"no order of \"{name}\" came to be after it had been refused", refused == [], refused[:5])
            note(f"{name}: {trader.outcomes()}; given up here, and told later what became of it: {len(last['after_all'])}")
        check("verify passes", *verify())
        s_tail.kill()
    finally:
        fleet("down", "--wipe", "--yes", may_fail=True)


def main():
    if len(sys.argv) > 1:
        return half(sys.argv[1])
    halves = [subprocess.Popen([sys.executable, os.path.realpath(__file__), which]) for which in STOPS]
    return max([abs(process.wait()) for process in halves])


if __name__ == "__main__":
    sys.exit(main())
