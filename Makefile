# make run    set everything up and serve the deck with a first training run on it
# make test   set everything up and run the whole suite, browser included
# make check  format, lint, types, architecture
# make bench  the table of numbers

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALL := PIP_CONSTRAINT=constraints.txt $(BIN)/python .ci/install.py
HOST_FLAGS ?=
# Tests wait for processes as often as they compute. A file's tests stay together, as they share decks.
WORKERS ?= 2

.PHONY: run test check bench format clean setup

run: .make/run
	@$(BIN)/python -m traindeck.cli serve $(if $(PORT),--port $(PORT)) --first-run mnist $(HOST_FLAGS)

test: .make/test .make/browser
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder $(ARGS)

check: .make/test
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -q tests/architecture

format: .make/test
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: .make/test .make/browser
	$(BIN)/python -m benchmarks $(ARGS)

setup: .make/run

clean:
	rm -rf $(VENV) .make build dist frontend/node_modules frontend/static/vendor frontend/static/pages
	find . -name __pycache__ -prune -exec rm -rf {} +

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("Traindeck needs Python 3.11 or newer: make run PYTHON=python3.12")'
	@$(PYTHON) -m venv --upgrade-deps $(VENV) >/dev/null

.make/run: pyproject.toml constraints.txt | $(BIN)/python
	@$(INSTALL) "Setting up, 1 of 2: PyTorch and what it needs, about 3 GB to download, 5.5 GB on disk" torch torchvision
	@$(INSTALL) "Setting up, 2 of 2: Traindeck, its pages, and the other packages that it needs" --editable '.[npm,tour]'
	@mkdir -p .make && touch $@

.make/test: .make/run
	@$(INSTALL) "Setting up what tests and checks need" --editable '.[test,check]'
	@touch $@

.make/browser: tests/browser/install.sh
	@sh tests/browser/install.sh
	@mkdir -p .make && touch $@
