# make run    set everything up and serve the deck with a first training run on it
# make test   set everything up and run the whole suite, browser included
# make check  format, lint, types, architecture
# make bench  the table of numbers

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := PIP_CONSTRAINT=constraints.txt $(BIN)/python -m pip --quiet --disable-pip-version-check
HOST_FLAGS ?=
# Tests wait for processes as often as they compute. A file's tests stay together, as they share decks.
WORKERS ?= 2

.PHONY: run test check bench format clean setup

run: .make/run
	@$(BIN)/python -m traindeck.cli serve $(if $(PORT),--port $(PORT)) --first-run mnist $(HOST_FLAGS)

test: .make/test .make/browser
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile $(ARGS)

check: .make/test
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -q tests/architecture

format: .make/test
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: .make/run .make/browser
	$(BIN)/python -m benchmarks $(ARGS)

setup: .make/run

clean:
	rm -rf $(VENV) .make build dist frontend/node_modules frontend/static/vendor frontend/static/pages
	find . -name __pycache__ -prune -exec rm -rf {} +

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("Traindeck needs Python 3.11 or newer: make run PYTHON=python3.12")'
	@$(PYTHON) -m venv $(VENV)

.make/run: pyproject.toml constraints.txt | $(BIN)/python
	@echo "Setting up: PyTorch is large, this takes a minute or two the first time."
	@$(PIP) install --editable .
	@mkdir -p .make && touch $@

.make/test: .make/run
	@$(PIP) install --editable '.[test,check]'
	@touch $@

.make/browser: tests/browser/install.sh
	@sh tests/browser/install.sh
	@mkdir -p .make && touch $@
