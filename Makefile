# Every target sets up what it needs: a virtual environment of its own, with pinned versions.
#
#   make run ARGS='-e "XLEN a"'   run streamcli
#   make test                     run the tests
#   make check                    ruff, ruff format, mypy --strict, and the tests
#   make servers                  fetch a real Redis 8.0 and Valkey 9 into .servers (Debian), for live comparisons
#   make record                   record the conformance scripts' replies again, from that Redis
#   make completions              write the completion files of bash, zsh and fish again
#   make bench                    measure, against the peers, in one run
#   make clean                    remove what the targets above have made

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
WORKERS ?= 2

.PHONY: run test check lint types servers record completions bench clean

run: $(READY)
	@$(BIN)/streamcli $(ARGS)

test: $(READY)
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadgroup $(ARGS)

check: lint types test

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(READY)
	$(BIN)/mypy

servers:
	$(PYTHON) tests/servers.py install

record: $(READY) servers
	$(BIN)/python -m tests.conformance.record
	$(BIN)/python -m tests.conformance.test_redis_cli

completions: $(READY)
	$(BIN)/python -m streamcli.completions completions

bench: $(READY)
	$(BIN)/python -m benchmarks $(ARGS)

clean:
	rm -rf $(VENV) .servers .mypy_cache .pytest_cache .ruff_cache .hypothesis dist

$(READY): .ci/pins.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "make: streamcli needs Python 3.11 or newer; name one with make PYTHON=..." >&2; exit 1; }
	@$(PYTHON) .ci/make_venv.py $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --requirement .ci/pins.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $(READY)
