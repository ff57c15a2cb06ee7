#!/usr/bin/env bash
# run/test: alone
# Two fleets at once, and what an idle one costs.
# shellcheck source=tests/system/lib.sh
source "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"

first=$base/first
second=$base/second
check "a fleet starts" fleet_at "$first" up --no-strategies --seed 1
check "a second one starts beside it" fleet_at "$second" up --no-strategies --seed 2
buy_at() { fleet_at "$1" order --symbol BTC/USDT --side buy --quantity "$2" --json | field success; }
check_equal "both take orders" "true true" "$(buy_at "$first" 0.01) $(buy_at "$second" 0.02)"
sum_at() { fleet_at "$1" psql -Atc "select sum((event_data->>'executed_quantity')::numeric) from event_store where event_type = 'order.executed'"; }
check_equal "each has its own log" "0.01 0.02" "$(sum_at "$first") $(sum_at "$second")"
check "stopping one" fleet_at "$second" down
check_equal "does not touch the other" true "$(buy_at "$first" 0.01)"
check "verify passes" fleet_at "$first" verify

# ---- idle: strategies off, market at 1x ----
# ticks PID..: their CPU time so far, in clock ticks.
ticks() {
    local pid sum=0
    local -a stat
    for pid in "$@"; do
        read -r -a stat <"/proc/$pid/stat"
        sum=$((sum + stat[13] + stat[14]))
    done
    echo "$sum"
}
rss_kb() {
    local pid sum=0
    for pid in "$@"; do sum=$((sum + $(awk '/^VmRSS/ {print $2}' "/proc/$pid/status"))); done
    echo "$sum"
}
mapfile -t ours < <(pids_like "$first" 'zvt-[a-z]+ --name')
check_equal "all of our processes are measured" 10 "${#ours[@]}"
window_s=30 # so long that what comes by time comes in each
# one_window: the CPU of one, in thousandths of a core.
one_window() {
    local before
    before=$(ticks "${ours[@]}")
    sleep "$window_s" # the length of the measurement
    echo $((($(ticks "${ours[@]}") - before) * 1000 / (window_s * $(getconf CLK_TCK))))
}
# Neighbours on the host make the same work cost more, never less: who was too dear has two more chances.
for _ in 1 2 3; do
    permille=$(one_window)
    if ((permille < 50 * slow)); then break; fi
done
check_that "an idle fleet uses under 5 % of a core (seen: $((permille / 10)).$((permille % 10)) %)" "$permille < 50 * slow"
megabytes=$(($(rss_kb "${ours[@]}") / 1024))
check_that "and under 300 MB without Postgres (seen: $megabytes MB)" "$megabytes < 300"
mapfile -t tools < <(pids_like "$first" '^s6-')
check_that "with the supervisor's own processes too (seen: $((megabytes + $(rss_kb "${tools[@]}") / 1024)) MB)" \
    "$megabytes + $(rss_kb "${tools[@]}") / 1024 < 300"
