# Everything sets itself up: the first target that needs it makes .venv. `make` alone lists the targets.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
# One thread a process: two processes of two threads each on two cores run many times slower than alone.
ONE_THREAD := OMP_NUM_THREADS=1 OMP_WAIT_POLICY=PASSIVE

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help install demo page test test-all test-onnx-only test-page lint format check bench startup clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

install: $(INSTALLED) ## .venv with everything for work on i2i (the other targets do it by themselves)

$(INSTALLED): setup.cfg pyproject.toml tests/constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "i2i needs Python 3.11 or later, $(PYTHON) is `$(PYTHON) --version 2>&1`; run: make PYTHON=python3.11"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c tests/constraints.txt -e ".[dev]"
	@touch $@

demo: $(INSTALLED) ## train on the bundled pairs, export, convert, report: a page of pictures (about 6 minutes)
	$(BIN)/python tools/demo.py

page: $(INSTALLED) ## page/: every model under pretrained/ in the browser, to draw on and to try (needs npm, once)
	$(BIN)/python tools/page.py page --overwrite

test: $(INSTALLED) ## the default tests (about 10 minutes on 2 cores)
	$(ONE_THREAD) $(BIN)/python -m pytest

test-all: $(INSTALLED) ## every test, the slow ones too
	$(ONE_THREAD) $(BIN)/python -m pytest -m "slow or not slow" --timeout 1800

test-onnx-only: $(INSTALLED) ## the slow test that converts in a fresh environment without torch
	$(ONE_THREAD) $(BIN)/python -m pytest -n 0 -m slow --timeout 1800 tests/house/test_torch_free.py

test-page: $(INSTALLED) ## the page in headless Chromium, each program of the kit in a clean folder (pictures: runs/screenshots)
	@for tool in chromium node npm; do command -v $$tool >/dev/null || \
	  { echo "$$tool is missing; run: apt-get install chromium nodejs npm"; exit 1; }; done
	SCREENSHOTS=runs/screenshots $(ONE_THREAD) $(BIN)/python -m pytest -n 0 -m slow --timeout 600 -rs tests/embedding

lint: $(INSTALLED) ## format, lint, types, import contracts
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(INSTALLED) ## put the code into the house's format
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

check: lint test ## lint + test

bench: $(INSTALLED) ## our training step against a textbook one; exported files in every engine
	$(BIN)/python tools/bench.py
	$(BIN)/python tools/bench_engines.py

startup: $(INSTALLED) ## the time of `i2i --help` and `import i2i`
	$(BIN)/python tools/startup.py

clean: ## remove what make and the tools made, .venv too
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find i2i tools tests -name __pycache__ -type d -prune -exec rm -rf {} +
