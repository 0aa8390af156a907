# Stockade's commands; `make help` lists them.
#
# There is one cargo profile, release, for everything, and every command names the whole workspace: another profile or
# another choice of packages may change the features of a build dependency, and RocksDB's C++ would be built again.
# Cargo.lock decides all versions (--locked).

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.NOTPARALLEL:
MAKEFLAGS += --no-print-directory

ifeq ($(CARGO_TARGET_DIR),)
# `help` and `setup` need no folder.
ifneq ($(filter-out help setup,$(MAKECMDGOALS)),)
CARGO_TARGET_DIR := $(shell scripts/target-dir.sh)
endif
endif
export CARGO_TARGET_DIR
# Told by the metrics.
export STOCKADE_COMMIT := $(shell git rev-parse --short=12 HEAD 2>/dev/null)

WORKSPACE := --release --locked --workspace
MEMBERS := stockade stockade-protocol stockade-client stockade-loadtest stockade-loom
DOC := cargo doc $(WORKSPACE) --no-deps --document-private-items
STEP := @scripts/step.sh
IN_TARGET := @scripts/in-target.sh

# One command for `test` and `instructions`; cargo builds examples as it builds the product.
COUNT := bash -c 'cargo build $(WORKSPACE) --example instructions && \
    exec "$$CARGO_TARGET_DIR/release/examples/instructions" "$$@"' instructions

KILLS ?= 200
ROUNDS ?= 50
ROWS ?=
SECONDS ?= 5
WORKLOADS ?=

.PHONY: kills feed-check figures compare instructions help setup setup-lint setup-count rocksdb-notice build demo test lint fmt \
    bench clean

help:  ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)$$/make \1\t\2/p' $(firstword $(MAKEFILE_LIST)) | expand -t 13

demo: setup rocksdb-notice  ## set up, build, run the flash sale with a kill -9 in the middle, print the audit
	$(IN_TARGET) bash -c 'cargo build $(WORKSPACE) --bins && exec "$$CARGO_TARGET_DIR/release/stockade" demo'

test: setup-lint setup-count rocksdb-notice  ## set up, then every test, lint and format check; what CI runs
	$(STEP) "download" cargo fetch --locked --target "$$(rustc -vV | sed -n 's/^host: //p')"
	$(STEP) "format" cargo fmt --all --check
	$(STEP) "clippy" cargo clippy $(WORKSPACE) --all-targets -- -D warnings
	$(STEP) "links in the code's documentation" env RUSTDOCFLAGS="-D warnings -A rustdoc::private_intra_doc_links" $(DOC)
	$(STEP) "cargo-deny" scripts/deny.sh
	$(STEP) "tests" cargo test $(WORKSPACE)
	$(STEP) "instruction counts" $(COUNT)

build: setup rocksdb-notice  ## set up, then build the binaries
	$(IN_TARGET) cargo build $(WORKSPACE) --bins

lint: setup-lint rocksdb-notice  ## format check and clippy, warnings are errors
	$(STEP) "format" cargo fmt --all --check
	$(STEP) "clippy" cargo clippy $(WORKSPACE) --all-targets -- -D warnings

fmt: setup-lint  ## format the sources
	@cargo fmt --all

kills: setup rocksdb-notice  ## 200 kill -9 cycles under load (KILLS=n for another number)
	$(IN_TARGET) env STOCKADE_KILL_CYCLES=$(KILLS) cargo test $(WORKSPACE) --test process kill -- --nocapture

feed-check: setup-lint rocksdb-notice  ## the feed into PostgreSQL (Debian: postgresql), both ends killed at random
	$(IN_TARGET) bash -c 'cargo build $(WORKSPACE) --bins && \
	    exec python3 scripts/feed_check.py "$$CARGO_TARGET_DIR/release" $(ROUNDS)'

figures: setup-lint rocksdb-notice  ## measure the table of docs/performance.md on this machine
	$(IN_TARGET) bash -c 'cargo build $(WORKSPACE) --bins && exec python3 scripts/figures "$$CARGO_TARGET_DIR/release"'

compare: setup-lint rocksdb-notice  ## measure beside Redis, PostgreSQL, MariaDB (ROWS=redis,floor: some; SECONDS=5: each)
	$(IN_TARGET) bash -c 'cargo build $(WORKSPACE) --bins && exec python3 scripts/compare "$$@"' \
	    compare "$$CARGO_TARGET_DIR/release" --seconds $(SECONDS) $(addprefix --rows=,$(ROWS))

bench: setup rocksdb-notice  ## the micro-benchmarks of benches/
	$(IN_TARGET) cargo bench --locked --workspace --benches

instructions: setup-count rocksdb-notice  ## hold instruction counts against their budgets (WORKLOADS="claim replay")
	$(IN_TARGET) $(COUNT) $(WORKLOADS)

setup:  ## install what the build lacks
	@scripts/setup.sh

clean:  ## remove the project's own build results, keep RocksDB's
	$(IN_TARGET) cargo clean --release --locked $(addprefix -p ,$(MEMBERS))

setup-lint:
	@scripts/setup.sh lint

setup-count:
	@scripts/setup.sh count

rocksdb-notice:
	@compgen -G "$$CARGO_TARGET_DIR/release/build/librocksdb-sys-*/out/librocksdb.a" >/dev/null || \
	    echo "RocksDB is compiled first: about ten minutes on two cores, once for this user ($$CARGO_TARGET_DIR)."
