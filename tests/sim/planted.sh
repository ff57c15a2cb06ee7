#!/usr/bin/env bash
# Plants one bug at a time into the simulator and shows the seed that finds it, as a row of the table in docs/reliability.md.
# Each must violate an invariant within 1,000 seeds; a crash, or a range that reached too little, finds nothing.
#   tests/sim/planted.sh [BUILD_DIR]      default: a folder under $TMPDIR
# no_fence is planted in executor and gateway. The fence of the log itself is in the log's own check of the lease
# (orchestrator/log_lease.c), which the simulated database stands in for.
set -euo pipefail
root=$(dirname -- "$(dirname -- "$(dirname -- "$(realpath -- "${BASH_SOURCE[0]}")")")")
build=${1:-${TMPDIR:-/tmp}/zvt-planted}
bugs=(ack_before_commit no_deduplication no_fence resend_without_asking forget_pending_exposure async_commit_dropped_tail)
missed=0
said=$(mktemp)
trap 'rm -f -- "$said"' EXIT

# make_simulator BUG
make_simulator() {
    if cmake -S "$root" -B "$build" -G Ninja -DZVT_TESTS=ON -DZVT_PLANT="$1" >"$said" 2>&1 && ninja -C "$build" -j1 zvt-sim >"$said" 2>&1; then return; fi
    cat -- "$said"
    exit 2
}

for bug in "${bugs[@]}"; do
    make_simulator "$bug"
    code=0
    "$build/bin/zvt-sim" --seeds 1000 --lines 0 >"$said" 2>&1 || code=$?
    found=$(sed -n 's/^\(seed [0-9]*\) violates: \(.*\)$/\1: \2/p' "$said" | head -n 1)
    if ((code == 1)) && [[ -n $found ]]; then
        printf '| %s | %s |\n' "${bug//_/ }" "$found"
    else
        printf '| %s | NOT FOUND in 1000 seeds, exit code %s: %s |\n' "${bug//_/ }" "$code" "$(tail -n 1 -- "$said")"
        missed=1
    fi
done
exit "$missed"
