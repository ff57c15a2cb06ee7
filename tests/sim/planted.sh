#!/usr/bin/env bash
# Plants one bug at a time into the simulator and shows the seed that finds it, as a row of the table in docs/reliability.md.
# Each must violate an invariant within 1,000 seeds; ctest asks the same (sim_finds_*).
#   tests/sim/planted.sh [BUILD_DIR]      default: build-test, as run/test makes it
# no_fence is planted in executor and gateway. The fence of the log itself is in the log's own check of the lease
# (orchestrator/log_lease.c), which the simulated database stands in for.
set -euo pipefail
root=$(dirname -- "$(dirname -- "$(dirname -- "$(realpath -- "${BASH_SOURCE[0]}")")")")
simulator=${1:-$root/build-test}/bin/zvt-sim-planted
[[ -x $simulator ]] || { echo "there is no $simulator; run/test unit builds it" >&2; exit 2; }
missed=0
for bug in ack_before_commit no_deduplication no_fence resend_without_asking forget_pending_exposure async_commit_dropped_tail send_expired; do
    said=$("$simulator" --plant "$bug" --seeds 1000 --lines 0 2>&1) && code=0 || code=$?
    found=$(sed -n 's/^\(seed [0-9]*\) violates: \(.*\)$/\1: \2/p' <<<"$said" | head -n 1)
    if ((code == 1)) && [[ -n $found ]]; then
        printf '| %s | %s |\n' "${bug//_/ }" "$found"
    else
        printf '| %s | NOT FOUND in 1000 seeds, exit code %s: %s |\n' "${bug//_/ }" "$code" "$(tail -n 1 <<<"$said")"
        missed=1
    fi
done
exit "$missed"
