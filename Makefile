# The same verbs by hand and in CI.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SYNCED := $(VENV)/.synced
DEV := $(VENV)/.synced-dev

.DEFAULT_GOAL := help
.PHONY: help run test unit check fmt docs reference bench chaos fuzz ui clean
KILLS ?= 1000
QUERIES ?= 20000
SEED ?= $(shell date +%s)

help: ## Say what the verbs do
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 12

run: $(SYNCED) ui ## Watch this host and a simulated trading platform; prints the address
	$(BIN)/qvmon warm
	exec $(BIN)/qvmon demo

test: $(DEV) ui ## Run every test this machine can run; says what was left out
	$(BIN)/python ui/build.py --check
	$(BIN)/python -m pytest

unit: $(DEV) ## Run the fast tests
	$(BIN)/python -m pytest tests/unit tests/architecture -m "not slow and not server"

check: $(DEV) ## Format, lint, types and the direction of imports, none of them changed
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	PYTHONPATH=src $(BIN)/lint-imports

fmt: $(DEV) ## Format the code and mend what can be mended
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

docs: $(DEV) reference ## Build the documentation into site/
	$(BIN)/zensical build

reference: $(DEV) ## Write the generated pages of docs/reference
	$(BIN)/python docs/generate.py

bench: $(DEV) ## Measure speed, beside peers where they are installed
	$(BIN)/python -m benchmarks

chaos: $(DEV) ## Kill the store KILLS times at random instants; nothing acknowledged may be lost
	$(BIN)/python -m tests.chaos --kills $(KILLS) --seed $(SEED)

fuzz: $(DEV) ## Ask QUERIES random queries here and of a Prometheus 3.16 (benchmarks/README.md)
	$(BIN)/python -m tests.differential --queries $(QUERIES) --seed $(SEED)

ui: $(SYNCED) ## Build the web client (a second time only when it changed)
	@$(BIN)/python ui/build.py

$(VENV)/bin/uv:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "qvmon needs Python 3.11 or later; set PYTHON=")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv

$(SYNCED): pyproject.toml uv.lock | $(VENV)/bin/uv
	UV_PROJECT_ENVIRONMENT=$(VENV) $(BIN)/uv sync --frozen --inexact --no-default-groups --quiet
	@touch $@

$(DEV): pyproject.toml uv.lock | $(VENV)/bin/uv
	UV_PROJECT_ENVIRONMENT=$(VENV) $(BIN)/uv sync --frozen --inexact --quiet
	@touch $@ $(SYNCED)

clean: ## Remove what was built; data stays
	rm -rf $(VENV) site dist src/qvmon/api/static ui/node_modules
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
