# The two commands of a newcomer: `make run` and `make test`. Both make the environment when it is missing or outdated
# and work offline afterwards.

PYTHON ?= python3
VENV := .venv
STAMP := $(VENV)/.installed
export RAY_USAGE_STATS_ENABLED := 0
export PYTHONUNBUFFERED := 1

.PHONY: run test lint types unit clean help

help:
	@echo "make run   start Wayside with a demo camera and a demo receiver"
	@echo "make test  lint, types, import rules, tests"

$(STAMP): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed, this is " + sys.version.split()[0]) if sys.version_info < (3, 11) else None'
	@test -x $(VENV)/bin/python || $(PYTHON) -m venv $(VENV) || (echo "python venv is missing: apt-get install python3-venv" && false)
	$(VENV)/bin/python -m pip install --quiet --editable '.[dev]'
	@touch $@

run: $(STAMP)
	@$(VENV)/bin/wayside models pull
	@$(VENV)/bin/wayside demo

test: lint types unit

lint: $(STAMP)
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/lint-imports

types: $(STAMP)
	$(VENV)/bin/mypy

unit: $(STAMP)
	@$(VENV)/bin/wayside models pull
	$(VENV)/bin/python -m pytest

clean:
	rm -rf $(VENV) build dist *.egg-info
