#!/usr/bin/env bash
# Asks cargo-deny, where it is installed, about licences, bans, sources and advisories (deny.toml). Without it nothing
# is lost but the advisories: tests/dependencies.rs checks the rest of deny.toml everywhere, and offline.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

if ! cargo deny --version >/dev/null 2>&1; then
    echo "cargo-deny is not installed: advisories are not checked, the rest of deny.toml is (tests/dependencies.rs)"
    exit 0
fi
cargo deny --workspace --locked check licenses bans sources
if cargo deny fetch db 2>/dev/null; then
    cargo deny --workspace --locked check --disable-fetch advisories
else
    echo "the advisory database cannot be fetched from here: advisories are not checked"
fi
