#!/usr/bin/python3
# run/test: first
"""Every process of the fleet, and Postgres, stopped for 30 seconds while orders flow: what does not need it goes on, what
needs it is refused with a reason or waits within its limits, memory stays bounded, and a second or so after it is let go
the fleet trades again by itself.

Two fleets side by side, each with half of the stops, because a stop lasts so long. ZVT_TEST_STOP_S shortens it."""
import os
import signal
import subprocess
import sys
import time

if len(sys.argv) > 1:  # one half: a fleet of its own beside the other's
    os.environ["ZVT_TEST_BASE"] = os.path.join(os.environ["ZVT_TEST_BASE"], sys.argv[1])

from traffic import SLOW, Trader, check, fleet, note, pids_of_postgres, processes, rss_kb, start_fleet, verify, wait_until

STOP_S = float(os.environ.get("ZVT_TEST_STOP_S", "30"))
BACK_S = 2.0          # from SIGCONT to the completion of an order that was due after it
GROWTH_MB_MAX = 64
RATE_HZ = 20
KNOWN_NS = 1_500_000_000  # from then on everybody knows that somebody does not answer
LIFETIME_S = 4        # of a signal: what is older is never made an order

# Who is stopped together; who of the two strategies must go on trading meanwhile. "anywhere" names no venue, "alpha" does.
STOPS = {
    "first": [
        {"who": ["risk"], "goes_on": []},
        {"who": ["executor"], "goes_on": []},
        {"who": ["postgres"], "goes_on": []},
        {"who": ["venue-alpha", "replayer"], "goes_on": ["anywhere"]},
    ],
    "second": [
        {"who": ["orchestrator"], "goes_on": []},
        {"who": ["portfolio"], "goes_on": []},
        {"who": ["gateway-alpha", "checkpointer"], "goes_on": ["anywhere"]},
        {"who": ["venue-beta", "gateway-beta", "watcher"], "goes_on": ["anywhere", "alpha"]},
    ],
}


def pids_of(who):
    """`postgres` is the server with all that it has forked; `watcher` a tail that this scenario has started."""
    listed = processes()
    return [pid for name in who for pid in (pids_of_postgres() if name == "postgres" else [s_tail.pid] if name == "watcher"
                                            else [listed[name]["pid"]])]


def send(pids, what):
    for pid in pids:
        try:
            os.kill(pid, what)
        except ProcessLookupError:
            pass  # a backend that ended meanwhile


def sizes(listed):
    return {name: rss_kb(p["pid"]) // 1024 for name, p in listed.items() if p["pid"] and name != "postgres"}


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


def done_before(trader, at_ns):
    """Every order that was due before has ended."""
    due = sum(1 for _, due, _, _ in list(trader.ended) if due < at_ns)
    return due >= (at_ns - trader.begun_ns) * RATE_HZ // 10**9 - 1


def half(which):
    global s_tail
    try:
        start_fleet("--seed", "9")
        s_tail = subprocess.Popen([os.path.join(os.environ["ZVT_BIN"], "zvt-monitor"), "tail"], stdout=subprocess.DEVNULL)
        traders = {"anywhere": Trader("anywhere", RATE_HZ, venue="", lifetime_s=LIFETIME_S), "alpha": Trader("alpha", RATE_HZ, lifetime_s=LIFETIME_S)}
        check("orders complete before anything is stopped", wait_until(20, lambda: all(len(t.ended) > 40 for t in traders.values())))
        for row in STOPS[which]:
            stop(traders, **row)
        for name, trader in traders.items():
            last = trader.stop(60)
            check(f"each of {last['sent']} orders of \"{name}\" has an end", last["open"] == [], last)
            note(f"{name}: {trader.outcomes()}")
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
