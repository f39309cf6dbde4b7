# make demo | test | bench | check from a fresh clone; the first call makes .venv by itself.
# PYTHON names the interpreter (3.11 or newer) where the one found is not the one wanted: make setup PYTHON=python3.12

VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.ready
PYTHON ?=

.DEFAULT_GOAL := help
.PHONY: help setup demo test fuzz fuzz-clients soak bench promise acceptance loadtest chaos check format lock test-official clean

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 16

setup: $(STAMP) ## make .venv with everything in it, from the lock, by hash

$(STAMP): requirements.lock pyproject.toml
	@python="$(PYTHON)"; \
	if [ -z "$$python" ]; then \
	  for name in python3.13 python3.12 python3.11 python3 python; do \
	    if $$name -c 'import sys, venv; raise SystemExit(sys.version_info < (3, 11))' >/dev/null 2>&1; then \
	      python=$$name; break; \
	    fi; \
	  done; \
	fi; \
	if [ -z "$$python" ]; then \
	  echo "No Python 3.11 or newer found. Install one, or name it: make setup PYTHON=/path/to/python3" >&2; exit 1; \
	fi; \
	echo "1/3 environment in $(VENV) with $$($$python --version)"; \
	$$python -m venv --clear $(VENV)
	@echo "2/3 dependencies from requirements.lock (about a minute)"
	@$(BIN)/python -m pip install --disable-pip-version-check --progress-bar on -q \
	  --require-hashes --only-binary=:all: -r requirements.lock
	@echo "3/3 cross-market-connect itself"
	@$(BIN)/python -m pip install --disable-pip-version-check -q --no-deps --no-build-isolation -e .
	@touch $@

demo: $(STAMP) ## two simulated venues and the whole gateway on this machine, for a minute
	@$(BIN)/cmc demo $(ARGS)

test: $(STAMP) ## the tests
	@$(BIN)/python -m pytest $(ARGS)

fuzz: $(STAMP) ## a million damaged FIX messages; SEED=N draws others
	@$(BIN)/python -m tests.fix.fuzz --seed $(or $(SEED),1) $(ARGS)

fuzz-clients: $(STAMP) ## a million damaged messages of a client, an honest one beside it; SEED=N draws others
	@$(BIN)/python -m tests.clients.hostile --seed $(or $(SEED),1) $(ARGS)

soak: $(STAMP) ## SEEDS=N simulated worlds with faults (1000), two at a time
	@$(BIN)/python -m tests.simulation.soak --seeds $(or $(SEEDS),1000) $(ARGS)

bench: $(STAMP) ## the measurements, printed as a table
	@$(BIN)/python -m benchmarks $(ARGS)

promise: $(STAMP) ## people, one program, this gateway and an oracle on the same days; under ten minutes; ARGS="--recorded DIR"
	@$(BIN)/python -m benchmarks.promise $(ARGS)

acceptance: $(STAMP) ## the five steps of a delivery on simulators, with a signed report; under 15 minutes
	@$(BIN)/cmc deliver all --out runs/acceptance-$$(date -u +%Y%m%dT%H%M%SZ) $(ARGS)

loadtest: $(STAMP) ## clients' load on a gateway with simulators: make loadtest ARGS="--only soak --web 8089"
	@$(BIN)/cmc deliver stress --out runs/loadtest-$$(date -u +%Y%m%dT%H%M%SZ) $(ARGS)

chaos: $(STAMP) ## rounds of kill -9, frozen processes, cut lines, full disks: make chaos ROUNDS=200 SEED=1
	@$(BIN)/python -m tests.chaos.run --rounds $(or $(ROUNDS),21) --seed $(or $(SEED),1) $(ARGS)

check: $(STAMP) ## format, lint, types, style
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/python -m pytest tests/test_tidy.py

format: $(STAMP) ## write the format that check wants
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

lock: $(STAMP) ## requirements.lock anew from pyproject.toml; names no host
	@$(BIN)/python -m venv $(VENV)/lock
	@$(VENV)/lock/bin/python -m pip install --disable-pip-version-check -q pip-tools
	@$(VENV)/lock/bin/pip-compile --quiet --allow-unsafe --extra=dev --generate-hashes --strip-extras \
	  --no-emit-index-url --no-emit-trusted-host --no-emit-find-links --output-file=requirements.lock pyproject.toml

# The package `quickfix` is source only and has no TLS; it took 11 minutes to compile on a two-core machine. Outside CI.
test-official: $(STAMP) ## the tests on the official quickfix package, built from source; slow
	@test -x .venv-official/bin/python || $(BIN)/python -m venv .venv-official
	@$(BIN)/python -m pip freeze --exclude-editable | grep -v '^quickfix' > .venv-official/beside.txt
	@.venv-official/bin/python -m pip install --disable-pip-version-check -q --only-binary=:all: -r .venv-official/beside.txt
	@echo "compiling quickfix; this takes minutes and prints nothing"
	@.venv-official/bin/python -m pip install --disable-pip-version-check -q --require-hashes --no-binary quickfix \
	  -r requirements-official.txt
	@.venv-official/bin/python -m pip install --disable-pip-version-check -q --no-deps --no-build-isolation -e .
	@.venv-official/bin/python -m pytest $(ARGS)

clean: ## what make and the programs made here, except runs/
	rm -rf $(VENV) .venv-official .mypy_cache .ruff_cache .pytest_cache .hypothesis *.egg-info build
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
