#!/usr/bin/env bash
# Mistakes that people make, each with a clear refusal and nothing left behind.
# shellcheck source=tests/system/lib.sh
source "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"

# sockets_of HOME: where the sockets of its fleet are.
sockets_of() { printf '/tmp/zvt-%s' "$(printf '%s' "$1" | sha256sum | cut -c 1-12)"; }

# leaves_nothing TEXT HOME: no process, no socket folder.
leaves_nothing() {
    check_equal "$1: no process is left" "" "$(pids_like "$2" .)"
    check_equal "$1: no socket folder is left" "" "$(ls -d "$(sockets_of "$2")"* 2>/dev/null)"
}

# ---- words ----
check_refused "an unknown command" "no command" fleet frobnicate
check_refused "an unknown option" "does not know" fleet up --fast
check_refused "an option without its value" "needs a value" fleet up --seed
check_refused "a seed that is no number" "whole number" fleet up --seed x
check_refused "a seed and a recording" "one of them" fleet up --seed 1 --replay "$0"
check_refused "a speed that is no number" "factor" fleet up --speed fast
check_refused "a client command without a fleet" "not there yet|stopped" fleet orders

# ---- homes ----
mkdir -p "$base/other"
echo mine >"$base/other/notes.txt"
check_refused "a home with other people's files" "no fleet made" fleet_at "$base/other" up
check_refused "down --wipe of such a folder" "not the home" fleet_at "$base/other" down --wipe --yes
check_equal "and the files are still there" mine "$(cat "$base/other/notes.txt")"
check_refused "a home that is a file" "not a folder" fleet_at "$base/other/notes.txt" up
check_refused "a home that cannot be written to" "cannot write" fleet_at /proc/zvt up

# ---- fleet files ----
cp "$checkout/run/fleet.zpl" "$base/wrong.zpl"
sed -i 's/^    shard = 0/    shards = 0/' "$base/wrong.zpl"
line=$(grep -n 'shards' "$base/wrong.zpl" | cut -d : -f 1)
check_refused "a wrong key in the fleet file is named with its line" "wrong.zpl:?[^0-9]*$line" fleet up --config "$base/wrong.zpl"
leaves_nothing "after a wrong fleet file" "$home"
check_refused "a fleet file that is not there" "cannot read" fleet up --config "$base/nowhere.zpl"

# ---- databases ----
check_refused "a database that does not answer is named, without the password" "postgresql://someone@127.0.0.1:1/none.*refused" \
    env DATABASE_URL=postgresql://someone:secret@127.0.0.1:1/none "$checkout/run/fleet" --home "$base/nodb" up
check_equal "the password is nowhere to be seen" 0 \
    "$(DATABASE_URL=postgresql://someone:secret@127.0.0.1:1/none fleet_at "$base/nodb" up 2>&1 | grep -c secret)"
leaves_nothing "after a missing database" "$base/nodb"

# ---- a full state folder ----
if ((EUID == 0)) && mkdir -p "$base/full" && mount -t tmpfs -o size=16m,mode=711 tmpfs "$base/full" 2>/dev/null; then
    check_refused "a home without room" "free" fleet_at "$base/full" up
    leaves_nothing "after a full disk" "$base/full"
    umount -l "$base/full"
fi

# ---- Ctrl-C in the middle of up ----
# interrupt SECONDS|FOLDER: starts `up` in a process group of its own, as a terminal does, and interrupts it after so long or
# as soon as the folder is there.
interrupt() {
    python - "$1" "$checkout/run/fleet" --home "$base/interrupted" up --no-strategies <<'END'
import os, signal, subprocess, sys, time
up = subprocess.Popen(sys.argv[2:], start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
if sys.argv[1].startswith("/"):
    while not os.path.isdir(sys.argv[1]) and up.poll() is None:
        pass
else:
    time.sleep(float(sys.argv[1]))
os.killpg(up.pid, signal.SIGINT)
sys.exit(up.wait() & 255)
END
}
for moment in 0.1 0.3 "$(sockets_of "$base/interrupted")" 0.6 0.9 1.2 1.6; do
    interrupt "$moment"
    code=$? when="after $moment s"
    if [[ $moment == /* ]]; then when="as soon as the socket folder is there"; fi
    if ((code == 0)); then fleet_at "$base/interrupted" down >/dev/null 2>&1; fi
    leaves_nothing "Ctrl-C $when (exit code $code)" "$base/interrupted"
done
check "the interrupted home can be used" fleet_at "$base/interrupted" up --no-strategies
check "and stopped" fleet_at "$base/interrupted" down

# ---- a running fleet ----
start_fleet --no-strategies
fleet up >"$base/up1" 2>&1 &
fleet up >"$base/up2" 2>&1 &
wait
check_equal "two ups at once on a running fleet are harmless" 2 "$(cat "$base/up1" "$base/up2" | grep -c 'running already')"
check_refused "up with another seed" "seed" fleet up --seed 99
check_refused "up with another fleet file" "another fleet file" fleet up --config "$base/wrong.zpl"
sed 's/^    name = "paper"/    name = "other"/' "$checkout/run/fleet.zpl" >"$base/renamed.zpl"
check_refused "up with a changed fleet file" "another fleet file" fleet up --config "$base/renamed.zpl"
check_refused "down --wipe without a terminal wants --yes" "--yes" fleet down --wipe
check_refused "restart of a stranger" "no process" fleet restart nobody
check_refused "logs of a stranger" "no process" fleet logs nobody
check "logs of a process" grep -q risk <<<"$(fleet logs risk)"

# A name or a socket that another process has: the second one says so and ends for good.
second() { (eval "$(fleet env)" && ZVT_READY_FD='' timeout 20 "$ZVT_BIN/zvt-risk" --name "$1"); }
second risk >"$base/second" 2>&1
check_equal "a second process of the same name ends with exit code 100" 100 $?
check "and says why" grep -qiE 'already|another|taken|serves' "$base/second"
second risk2 >"$base/second" 2>&1
check_equal "a process that finds its socket taken ends with exit code 100" 100 $?
check "and says why" grep -qiE 'already|another|taken|serves' "$base/second"

# ---- orders ----
check_refused "an unknown symbol" "UNKNOWN_SYMBOL|instrument" fleet order --symbol NO/SUCH --side buy --quantity 1
check_refused "a negative quantity" "quantity|QUANTITY" fleet order --symbol BTC/USDT --side buy --quantity -1
check_refused "quantity zero" "quantity|QUANTITY" fleet order --symbol BTC/USDT --side buy --quantity 0
check_refused "a quantity that overflows" "too large|quantity|overflow" fleet order --symbol BTC/USDT --side buy --quantity 999999999999999999
check_refused "a quantity with nine decimals" "decimals|quantity" fleet order --symbol BTC/USDT --side buy --quantity 0.123456789
check_refused "a price off the tick" "PRICE_OFF_TICK" fleet order --symbol BTC/USDT --side buy --quantity 0.01 --type limit --price 60000.001
check_refused "a sale of what one does not have" "SHORT_POSITION" fleet order --symbol ETH/USDT --side sell --quantity 1
check_refused "a cancel of nothing" "UNKNOWN_ORDER|id" fleet cancel 00000000-0000-7000-8000-000000000001

# ---- what an operator may mistype ----
# is_misused COMMAND..: it was called wrongly, which is exit code 2; an answer that is no is 1.
is_misused() { fleet "$@" >/dev/null 2>&1; (($? == 2)); }
check "resolve of what is no id is wrong usage" is_misused resolve 1 --reason "a typing error"
check "and of nothing" is_misused resolve "" --reason "a typing error"
check "so is an empty reason to accept a difference" is_misused reconcile alpha --accept --reason ""
check "but a halt is never refused for want of one" fleet halt --reason ""
check "and ends without" fleet resume
check "too little of the id of a dead letter is wrong usage" is_misused dead-letters show 1
adjust() { fleet adjust --strategy desk --symbol BTC/USDT --reason "a typing error" "$@"; }
check_refused "an adjustment whose value does not fit" "NUMBER_OVERFLOW .* fit fixed point" adjust --quantity 90000000000 --price 90000000000
check_refused "one of nothing says so in a sentence" "BAD_QUANTITY a change of nothing" adjust --quantity 0 --price 1
check_refused "and one at no price" "BAD_PRICE the change is valued" adjust --quantity 1 --price 0
check_equal "the fleet trades on" true "$(buy BTC/USDT | field success)"
check "verify passes" fleet verify
