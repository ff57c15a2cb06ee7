# shellcheck shell=bash
# build -- compiles the binaries, and says where they are.
#
# ZVT_BIN names a folder of binaries that are ready: nothing is built then (tests use it).

# The build folder of the checkout, or one in the home when the checkout is not ours to write to.
build_dir() {
    if [[ -w $checkout && -O $checkout ]]; then printf '%s' "$checkout/build"; else printf '%s' "$home/build"; fi
}

bin_dir() { printf '%s' "${ZVT_BIN:-$(build_dir)/bin}"; }

# binary NAME: its path; fails with what to do when it is not built.
binary() {
    local path
    path=$(bin_dir)/$1
    [[ -x $path ]] || {
        note "$program_name: $path is not built; run: $me up"
        return 1
    }
    printf '%s' "$path"
}

# build DIR OPTION..: configures and compiles into DIR. Quiet unless there is something to do; two at once take turns.
build() {
    local dir=$1 log=$1/build.log started
    shift
    mkdir -p -- "$dir" || fail "cannot make the build folder $dir"
    started=$(now_ms)
    (
        flock -n 7 || {
            note "Another build of $dir is running; waiting for it."
            flock 7
        }
        build_configure "$dir" "$log" "$@" && build_compile "$dir" "$log"
    ) 7>"$dir/lock" || {
        grep -nE 'error|Error|warning:' -- "$log" | head -n 20 >&2
        note "  the whole log: $log"
        fail "the build failed"
    }
    started=$(($(now_ms) - started))
    if ((started > 3000)); then note "  built in $((started / 1000)) s"; fi
}

build_configure() {
    local dir=$1 log=$2 generator="Unix Makefiles"
    shift 2
    command -v ninja >/dev/null && generator=Ninja
    # A build folder remembers where it and its sources were; a moved one starts anew.
    if [[ -f $dir/CMakeCache.txt ]] && grep -qFx -- "CMAKE_HOME_DIRECTORY:INTERNAL=$checkout" "$dir/CMakeCache.txt" &&
        grep -qFx -- "CMAKE_CACHEFILE_DIR:INTERNAL=$dir" "$dir/CMakeCache.txt"; then
        cmake -S "$checkout" -B "$dir" "$@" >"$log" 2>&1 7>&-
    else
        rm -rf -- "$dir/CMakeCache.txt" "$dir/CMakeFiles"
        cmake -S "$checkout" -B "$dir" -G "$generator" -DCMAKE_BUILD_TYPE=RelWithDebInfo "$@" >"$log" 2>&1 7>&-
    fi
}

build_compile() {
    local dir=$1 log=$2
    if [[ -f $dir/build.ninja ]] && ninja -C "$dir" -n 2>/dev/null | grep -q 'no work to do'; then return 0; fi
    note "Building into $dir (the first time takes a minute or two)"
    cmake --build "$dir" --parallel "$(nproc)" >>"$log" 2>&1 7>&-
}
