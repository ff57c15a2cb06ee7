#!/usr/bin/env bash
# A home that fills up while the fleet trades: orders are refused, nothing is lost, and room is all it needs to go on.
# Needs a small file system of its own, which only root can make; for others there is nothing to test.
# shellcheck source=tests/system/lib.sh
source "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"

((EUID == 0)) || exit 0
mkdir -p "$home"
mount -t tmpfs -o size=300m,mode=711 tmpfs "$home" 2>/dev/null || exit 0
trap 'stop_fleets; umount -l "$home"' EXIT

start_fleet --no-strategies
check_equal "an order fills" true "$(buy BTC/USDT | field success)"
before=$(sql "select max(seq) from events")

dd if=/dev/zero of="$home/ballast" bs=64k >/dev/null 2>&1
# Postgres has room in the segment it writes to, and the venue has allocated ahead: it takes some orders until they notice.
refused() { [[ $(timeout 60 "$checkout/run/fleet" --home "$home" order --symbol BTC/USDT --side buy --quantity 0.01 --timeout 5 --json 2>/dev/null | field success 2>/dev/null) != true ]]; }
fill_up() {
    local i
    for ((i = 0; i < 400; i++)); do
        dd if=/dev/zero of="$home/ballast$i" bs=4k >/dev/null 2>&1
        refused && return
    done
    return 1
}
fill_up
note_refused=$?
rm -f "$home"/ballast*
fills() { [[ $(buy BTC/USDT | field success) == true ]]; }
check "with room again the fleet trades (a full disk refused orders: $( ((note_refused == 0)) && echo yes || echo no))" wait_until 60 fills
check_that "the log has only grown" "$(sql "select max(seq) from events") > $before"
check "verify passes" fleet verify
