# Python 3.11 or newer and make are all that is needed: the rest is installed into .venv, once.
PYTHON ?= python3
ARGS   ?=

VENV  := .venv
BIN   := $(VENV)/bin
PIP   := $(BIN)/python -m pip --disable-pip-version-check --quiet install
CODE  := sqlprovider tests
# One file stays in one worker, so that a server of its own is started once.
PYTEST := $(BIN)/python -m pytest -n auto --dist loadfile

.DEFAULT_GOAL := help
.PHONY: help demo check test bench conformance faults kills soak coverage format static clean distclean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(VENV)/.ready-demo ## start a real MLflow server, fill it, run a tour of queries (ARGS=--keep leaves it up)
	@$(BIN)/sqlprovider demo $(ARGS)

check: static ## the quick loop: format, lint, types, layers, spelling, unit tests and cases
	$(PYTEST) -m "not slow and not live" $(ARGS)

test: static ## everything: check, and the tests against real servers and official clients
	$(PYTEST) -m "not live" $(ARGS)

bench: $(VENV)/.ready-dev ## measure (ARGS='--only 4,7 --runs 5 --json FILE')
	@$(BIN)/python -m tests.bench.run $(ARGS)
	@$(BIN)/python -m tests.bench.naming

conformance: $(VENV)/.ready-dev ## each service's operations against its vendor's own client (ARGS=mlflow)
	@$(BIN)/python -m tests.contracts.report $(ARGS)

faults: $(VENV)/.ready-dev ## every write × faults × shapes against the state of the servers (ARGS='--only google')
	@$(BIN)/python -m tests.faults.run --all $(ARGS)

kills: $(VENV)/.ready-dev ## an apply killed at every request, and applied again (ARGS='--platform mlflow --step 7')
	@$(BIN)/python -m tests.deploy.killing $(ARGS)

soak: $(VENV)/.ready-dev ## long runs: random SELECTs by every way, mixed work, random writes (ARGS='--seed 7 --minutes 2')
	@$(BIN)/python -m tests.soak $(ARGS)

coverage: $(VENV)/.ready-dev ## everything, with the branch coverage of each file
	$(PYTEST) -m "not live" --cov --cov-report=term-missing:skip-covered $(ARGS)

format: $(VENV)/.ready-dev ## put the code into shape
	$(BIN)/ruff format $(CODE)
	$(BIN)/ruff check --fix $(CODE)

static: $(VENV)/.ready-dev
	$(BIN)/ruff format --check $(CODE)
	$(BIN)/ruff check $(CODE)
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/codespell

clean: ## remove caches and built files
	rm -rf build dist .coverage .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find $(CODE) -name __pycache__ -type d -prune -exec rm -rf {} +

distclean: clean ## clean, and remove the environment
	rm -rf $(VENV)

# The stamps are written last: an installation that was cut off is done again.
$(VENV)/.ready-venv:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "sqlprovider needs Python 3.11 or newer; name one: make PYTHON=python3.12 ...")'
	$(PYTHON) -m venv $(VENV)
	$(PIP) 'pip>=25.1'
	@touch $@

$(VENV)/.ready-demo: pyproject.toml | $(VENV)/.ready-venv
	$(PIP) --editable '.[demo]' --group server
	@touch $@

$(VENV)/.ready-dev: pyproject.toml | $(VENV)/.ready-venv
	$(PIP) --editable '.[demo]' --group dev
	@touch $@
