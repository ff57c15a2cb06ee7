#!/usr/bin/python3
# run/test: alone
"""Far more orders than the fleet can take, from strategies that keep to their limits: what it cannot take is refused with a reason, what
it took ends, and a moment after the rush orders go through as before it."""
import json
import os
import subprocess
import sys
import time

from traffic import Trader, check, counter, fleet, note, processes, rss_kb, sql, start_fleet, undecided, verify

OFFERED_HZ, SECONDS = 40000, 5
LIMITS_PERCENT = 20       # orders that rest, are filled in parts and canceled
AGAIN_S = 1               # to the end of the first order after the rush
SLOWER_MAX, SLACK_MS = 3, 20  # run/bench measures; here only a queue that stays would be seen
GROWTH_MB_MAX = 700       # every pool is fixed; a rush is the first to touch all of some
QUIET_S = 3
OF = "(select count(*) from events where type in (select type from event_schema where event_type in (%s)))"
NOT_ENDED = "select " + OF % "'order.requested'" + " - " + OF % "'order.completed', 'order.rejected', 'order.canceled', 'order.expired', 'order.failed'"
RICH = {"depth = 1 ": "depth = 100 ", "depth = 0.4": "depth = 100", "USDT = 10000000": "USDT = 10000000000", "BTC = 100": "BTC = 100000",
        "ETH = 2000": "ETH = 2000000", "SOL = 30000": "SOL = 3000000"}  # venues that can fill all of it


def rush():
    """zvt-load's report."""
    words = ["--rate", str(OFFERED_HZ), "--seconds", str(SECONDS), "--warmup", "0", "--limits", str(LIMITS_PERCENT), "--symbols", "2", "--strategies", "1000",
             "--quantity", "0.01"]
    done = subprocess.run([os.path.join(os.environ["ZVT_BIN"], "zvt-load"), *words], capture_output=True, text=True, timeout=300)
    if not done.stdout.startswith("{"):
        raise SystemExit(f"zvt-load: exit code {done.returncode}\n{done.stderr[-2000:]}")
    return json.loads(done.stdout)


def median_ms(name, seconds):
    """Of a quiet strategy's orders; seconds until the first of them had ended; what became of all."""
    trader = Trader(name, rate_hz=100)
    first_s = trader.wait_for_completion(trader.begun_ns, 20)
    time.sleep(seconds)
    trader.stop()
    latencies = sorted(trader.latencies_ms(0, 1 << 62))
    return latencies[len(latencies) // 2] if latencies else float("inf"), first_s or float("inf"), trader.outcomes()


def main():
    try:
        start_fleet("--seed", "7", config=RICH)
        before_ms, _, _ = median_ms("before", QUIET_S)
        names = ["orchestrator", "risk", "executor", "portfolio"]
        pids = {n: p["pid"] for n, p in processes().items() if n in names}
        memory = {n: rss_kb(pid) for n, pid in pids.items()}
        said = rush()
        note(f"offered {OFFERED_HZ}/s: {said['sent']} sent, {said['completed']} completed, {said['refused']} refused, {said['rejected']} rejected, "
             f"{said['expired']} expired, {said['unsent']} not sent; put off: {counter('orchestrator', 'reports_put_off')} reports, "
             f"{counter('orchestrator', 'fills_put_off')} answers about fills, {counter('orchestrator', 'fills_without_room')} fills without room")
        note("rejected: " + sql("select string_agg(reason || ' ' || n, ', ') from (select event_data->>'rejection_reason' as reason, count(*) as n "
                                "from event_store where event_type = 'order.rejected' group by 1 order by 2 desc) r"))
        if said["refused"]:
            check(f"{said['refused']} orders were more than the fleet takes, and refused", True)
        else:
            undecided("this machine took all of it, so that was no overload")
        check("every order that the load was told of has ended", said["lost"] == 0, said["lost"])
        check("and every order in the log", sql(NOT_ENDED) == "0", sql(NOT_ENDED))
        os.sync()
        after_ms, first_s, outcomes = median_ms("after", QUIET_S)
        check(f"an order submitted after it completes within {AGAIN_S} s: {first_s:.2f}", first_s < AGAIN_S)
        check(f"orders take as long as before: median {after_ms:.1f} ms, before {before_ms:.1f}", after_ms <= SLOWER_MAX * before_ms + SLACK_MS)
        check("and each is completed", list(outcomes) == ["completed"], outcomes)
        grown = {n: (rss_kb(pid) - memory[n]) // 1024 for n, pid in pids.items()}
        check(f"memory is bounded: grown by {grown} MB", all(mb <= GROWTH_MB_MAX for mb in grown.values()))
        check("nothing was restarted", all(p["pid"] == pids[n] for n, p in processes().items() if n in names))
        check("verify passes", *verify())
    finally:
        fleet("down", "--wipe", "--yes", may_fail=True)


if __name__ == "__main__":
    sys.exit(main())
