#!/usr/bin/env bash
# Makes sure that this machine can build Stockade; quiet when it can.
#
#   scripts/setup.sh         what the build needs: a Rust toolchain, clang, libclang, a C++ compiler, make
#   scripts/setup.sh lint    and rustfmt, clippy and python3, which the checks need
#   scripts/setup.sh count   and valgrind, which counts instructions; without it the build and the other checks work
#
# What is missing is installed with apt-get where that needs no password, otherwise one sentence says what to install
# and the exit status is 1, but for valgrind 0: the counting says that it was skipped. Nothing that is present is
# installed again.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

fail() {
    echo "setup: $*" >&2
    exit 1
}

present() {
    command -v "$1" >/dev/null 2>&1
}

# The places and names in which bindgen looks for the library; libclang-cpp is another one.
libclang_present() {
    local folder
    if [[ -n "${LIBCLANG_PATH:-}" ]]; then
        [[ -f "$LIBCLANG_PATH" ]] && return 0
        folder_has_libclang "$LIBCLANG_PATH" && return 0
    fi
    for folder in /usr/lib/llvm-*/lib /usr/lib/*-linux-gnu /usr/lib /usr/lib64 /usr/local/lib /usr/local/lib64; do
        folder_has_libclang "$folder" && return 0
    done
    return 1
}

folder_has_libclang() {
    local file
    for file in "$1"/libclang.so* "$1"/libclang-*.so*; do
        [[ -e "$file" && "$file" != */libclang-cpp* ]] && return 0
    done
    return 1
}

missing_packages() {
    present clang || echo clang
    libclang_present || echo libclang-dev
    { present c++ && present cc; } || echo g++
    present make || echo make
    [[ "$1" != lint ]] || present python3 || echo python3
}

# Prints the prefix that gives apt-get its rights, nothing for root; status 1 if there is no way without a password.
apt_rights() {
    present apt-get || return 1
    [[ "$(id -u)" == 0 ]] && return 0
    present sudo && sudo -n true 2>/dev/null && echo "sudo -n"
}

# The first word says what lacks the packages.
install_packages() {
    local lacking by_hand rights log
    lacking="$1"
    shift
    by_hand="apt-get install $*"
    rights="$(apt_rights)" || fail "$lacking lacks $*; on Debian or Ubuntu run as root: $by_hand"
    log="$(mktemp)"
    echo "setup: $lacking lacks $*; installing with apt-get" >&2
    # A stale or foreign package list is no reason to stop: the installation below decides.
    # shellcheck disable=SC2086 # $rights is empty or two words
    $rights env DEBIAN_FRONTEND=noninteractive apt-get -qq update </dev/null >"$log" 2>&1 || true
    # shellcheck disable=SC2086
    if ! $rights env DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends \
        -o DPkg::Lock::Timeout=120 "$@" </dev/null >>"$log" 2>&1; then
        cat "$log" >&2
        rm -f "$log"
        fail "apt-get could not install $*; its reason stands above, then run as root: $by_hand"
    fi
    rm -f "$log"
}

check_rust() {
    local need have
    need="$(sed -n 's/^rust-version *= *"\(.*\)"$/\1/p' Cargo.toml | head -n 1)"
    { present cargo && present rustc; } ||
        fail "no Rust toolchain in PATH; install Rust $need or newer from https://rustup.rs"
    have="$(rustc --version | cut -d' ' -f2)"
    [[ "$(printf '%s\n%s\n' "$need" "$have" | sort -V | head -n 1)" == "$need" ]] ||
        fail "Rust $have is too old, $need or newer is needed; run: rustup update stable"
}

check_rust_component() {
    cargo "$1" --version >/dev/null 2>&1 && return 0
    if present rustup; then
        echo "setup: the checks lack $2; installing with rustup" >&2
        rustup component add "$2" </dev/null >&2 && return 0
    fi
    fail "the checks need $2; run: rustup component add $2"
}

purpose="${1:-}"
check_rust
if [[ "$purpose" == lint ]]; then
    check_rust_component fmt rustfmt
    check_rust_component clippy clippy
fi

mapfile -t missing < <(missing_packages "$purpose")
if ((${#missing[@]} > 0)); then
    install_packages "the build" "${missing[@]}"
    mapfile -t missing < <(missing_packages "$purpose")
    ((${#missing[@]} == 0)) || fail "apt-get succeeded, but the build still lacks ${missing[*]}; install them by hand"
fi

# The budgets of instructions are those of x86-64.
if [[ "$purpose" == count && "$(uname -m)" == x86_64 ]] && ! present valgrind; then
    (install_packages "the counting of instructions" valgrind) || true
    present valgrind || echo "setup: going on without valgrind: no instructions will be counted" >&2
fi
