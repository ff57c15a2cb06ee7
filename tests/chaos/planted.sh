#!/usr/bin/env bash
# Plants one bug at a time into the fleet's binaries and shows what the chaos run makes of it: which check saw it, after
# how many faults and seconds. First comes a build without any, of which it has to report nothing. Exit code 1 when a bug was not
# caught, or something was reported without one.
#
#   tests/chaos/planted.sh [BUG]...      default: all of common/zvt_planted.h
#
# The build folder is $ZVT_PLANTED_BUILD or one under $TMPDIR; it is used again, so that a second run builds little.
set -uo pipefail
checkout=$(dirname -- "$(dirname -- "$(dirname -- "$(realpath -- "${BASH_SOURCE[0]}")")")")
build=${ZVT_PLANTED_BUILD:-${TMPDIR:-/tmp}/zvt-chaos-planted}
bugs=("$@")
((${#bugs[@]} > 0)) || bugs=(ack_before_commit no_deduplication no_fence resend_without_asking forget_pending_exposure async_commit_dropped_tail send_expired)

base=$(mktemp -d /tmp/zt.XXXXXX) || exit 2
chmod 755 "$base" # Postgres, as its own user, passes through
# shellcheck disable=SC2317 # called by the trap
clean_up() {
    [[ ! -e $base/run/home/.zvt-fleet ]] || "$checkout/run/fleet" --home "$base/run/home" down --wipe --yes >/dev/null 2>&1
    rm -rf -- "$base"
}
trap clean_up EXIT
trap 'exit 130' INT TERM HUP
unset DATABASE_URL ZVT_HOME ZVT_RUNTIME ZVT_FLEET XDG_RUNTIME_DIR "${!PG@}"

# make BUG: the fleet's binaries with that bug in them.
make_binaries() {
    cmake -S "$checkout" -B "$build" -G Ninja -DZVT_TESTS=OFF -DZVT_PLANT="$1" >"$base/build.log" 2>&1 &&
        ninja -C "$build" -j2 >>"$base/build.log" 2>&1 && return
    tail -n 20 "$base/build.log"
    exit 2
}

# run_chaos OPTION..: of what was built; leaves run.log.
run_chaos() {
    rm -rf -- "$base/run"
    ZVT_BIN=$build/bin ZVT_TEST_BASE=$base/run "$checkout/tests/chaos/chaos.py" --seed 1 --look 12 --stop-early "$@" >"$base/run.log" 2>&1
}

missed=0
make_binaries ''
run_chaos --minutes 2
if grep -qx 'violations: 0' "$base/run.log"; then
    printf '%-28s nothing reported\n' "no bug"
else
    printf '%-28s REPORTED: %s\n' "no bug" "$(grep -m 1 '^VIOLATION' "$base/run.log" || tail -n 1 "$base/run.log")"
    missed=1
fi
for bug in "${bugs[@]}"; do
    make_binaries "$bug"
    run_chaos --minutes 5
    if found=$(grep -m 1 '^VIOLATION' "$base/run.log"); then
        printf '%-28s %s\n' "$bug" "${found#VIOLATION }"
        # Which checks failed, and how often among the first twenty findings.
        printf '%-28s %s\n' "" "$(sed -n 's/^VIOLATION \([a-z ]*\)[: ].*/\1/p' "$base/run.log" | cut -d : -f 1 | sort | uniq -c | tr -s ' \n' ' ')"
    else
        printf '%-28s NOT CAUGHT: %s\n' "$bug" "$(tail -n 1 "$base/run.log")"
        missed=1
    fi
done
exit "$missed"
