#!/bin/sh
# Plants one bug at a time into the simulator and shows the seed that finds it. Each must be found within 1,000 seeds.
#   tests/sim/planted.sh [BUILD_DIR]      default: a folder under $TMPDIR
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
build=${1:-${TMPDIR:-/tmp}/zvt-planted}
bugs="ack_before_commit no_deduplication no_fence resend_without_asking forget_pending_exposure async_commit_dropped_tail"
missed=0
for bug in $bugs; do
    cmake -S "$root" -B "$build" -G Ninja -DZVT_TESTS=ON -DZVT_PLANT="$bug" >"$build.log" 2>&1 || { cat "$build.log"; exit 2; }
    ninja -C "$build" -j1 zvt-sim >"$build.log" 2>&1 || { cat "$build.log"; exit 2; }
    if "$build/bin/zvt-sim" --seeds 1000 --lines 0 >"$build.log" 2>&1; then
        printf '%-28s NOT FOUND in 1000 seeds\n' "$bug"
        missed=1
    else
        printf '%-28s %s\n' "$bug" "$(grep -m1 'violates:' "$build.log" || tail -1 "$build.log")"
    fi
done
rm -f "$build.log"
exit $missed
