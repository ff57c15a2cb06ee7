# shellcheck shell=bash
# install -- the Debian packages that building and running need.
#
# Nothing but packages of the distribution; README.md says what each is for.

packages_run=(gcc libc6-dev cmake ninja-build pkg-config libzmq3-dev libczmq-dev libmsgpack-dev libpq-dev libssl-dev
    libjansson-dev zlib1g-dev s6 execline postgresql util-linux python3-zmq python3-msgpack)
packages_test=(libcriterion-dev)
packages_peer=(redis-server libhiredis-dev)

# Prints the packages among the arguments that are not installed.
missing_packages() {
    local package
    for package in "$@"; do
        [[ $(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) == installed ]] || printf '%s\n' "$package"
    done
}

# True when apt knows a version of every package; on a new machine its lists are empty.
apt_knows() {
    local package
    for package in "$@"; do
        apt-cache policy "$package" 2>/dev/null | grep -q '^  Candidate: [^(]' || return 1
    done
}

# install_missing yes|no PACKAGE..: installs what is missing, or with "no" only says what and how.
install_missing() {
    local may_install=$1
    local -a missing as_root=()
    shift
    command -v dpkg-query >/dev/null || {
        note "$program_name: no dpkg here, so what is installed is not checked. Needed: $*"
        return
    }
    mapfile -t missing < <(missing_packages "$@")
    ((${#missing[@]} > 0)) || return 0
    am_root || as_root=(sudo)
    local command="${as_root[*]:+${as_root[*]} }apt-get install -y --no-install-recommends ${missing[*]}"
    if [[ $may_install != yes ]]; then
        note "Missing packages: ${missing[*]}"
        note "Install them with: $command"
        exit 1
    fi
    if ((${#as_root[@]} > 0)) && ! command -v sudo >/dev/null; then
        fail "packages are missing and there is no sudo; as root, run: ${command#sudo }"
    fi
    note "Installing ${missing[*]} (Debian packages; takes a minute or two)"
    if [[ " ${missing[*]} " == *" postgresql "* ]]; then
        note "  Debian's postgresql also sets up a server of its own; the fleet runs a private one and leaves that alone."
    fi
    if [[ " ${missing[*]} " == *" redis-server "* ]]; then
        note "  Debian's redis-server also sets up a server of its own; the benchmark runs a private one and leaves that alone."
    fi
    apt_install
    mapfile -t missing < <(missing_packages "${missing[@]}")
    ((${#missing[@]} == 0)) || fail "still missing after the installation: ${missing[*]}"
}

# Installs ${missing[@]} by way of ${as_root[@]}, both of the caller.
apt_install() {
    local log
    local -a apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=300)
    if ((${#as_root[@]} > 0)); then sudo -v || fail "sudo refused; as root, run: ${command#sudo }"; fi
    log=$(mktemp) || fail "cannot write to ${TMPDIR:-/tmp}; make room there"
    if ! apt_knows "${missing[@]}"; then "${apt[@]}" update >"$log" 2>&1; fi
    if ! "${apt[@]}" install --no-install-recommends "${missing[@]}" </dev/null >>"$log" 2>&1; then
        # Old lists name versions that the mirror no longer has.
        "${apt[@]}" update >>"$log" 2>&1
        "${apt[@]}" install --no-install-recommends "${missing[@]}" </dev/null >>"$log" 2>&1 || {
            tail -n 20 -- "$log" >&2
            rm -f -- "$log"
            fail "the installation failed (see above); try by hand: $command"
        }
    fi
    rm -f -- "$log"
}
