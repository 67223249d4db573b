# The two commands of a newcomer: `make run` and `make test`. Both make the environment when it is missing or outdated
# and work offline afterwards.

PYTHON ?= python3
VENV := .venv
STAMP := $(VENV)/.installed
export RAY_USAGE_STATS_ENABLED := 0
export PYTHONUNBUFFERED := 1

.PHONY: run test lint types unit console console-unit test-browser docs clean help

help:
	@echo "make run   start Wayside with a demo camera and a demo receiver"
	@echo "make test  lint, types, import rules, tests"
	@echo "make console        build the web console (needs Node.js 20 or newer)"
	@echo "make docs           the documentation as a site, in build/site"
	@echo "make test-browser   the console in a real Chromium (Debian: apt-get install chromium)"

$(STAMP): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed, this is " + sys.version.split()[0]) if sys.version_info < (3, 11) else None'
	@test -x $(VENV)/bin/python || $(PYTHON) -m venv $(VENV) || (echo "python venv is missing: apt-get install python3-venv" && false)
	$(VENV)/bin/python -m pip install --quiet --editable '.[dev]'
	@touch $@

# The console's files, made again when its sources change. Without Node the rest works and "/" says how to build it.
CONSOLE := api/console_files/index.html
CONSOLE_SOURCES := console/package.json console/package-lock.json console/index.html console/vite.config.ts console/tsconfig.json $(shell find console/src -type f 2>/dev/null)

$(CONSOLE): $(CONSOLE_SOURCES)
	@if ! command -v npm >/dev/null; then echo "Node.js is not installed: the web console is not built (20 or newer is needed)"; \
	elif [ "$$(node -p 'parseInt(process.versions.node)')" -lt 20 ]; then \
	echo "Node.js is $$(node --version), 20 or newer is needed: the web console is not built"; \
	else cd console && npm ci --no-audit --no-fund --loglevel=error && npm run --silent build; fi

console: $(CONSOLE)

run: $(STAMP)
	@$(MAKE) --no-print-directory console || echo "the web console could not be built, see above; everything else works"
	@$(VENV)/bin/wayside models pull
	@$(VENV)/bin/wayside demo

test: lint types unit console-unit

lint: $(STAMP)
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/lint-imports

types: $(STAMP)
	$(VENV)/bin/mypy

unit: $(STAMP)
	@$(VENV)/bin/wayside models pull
	$(VENV)/bin/python -m pytest -m 'not browser'

# The editor's own logic, where Node is installed.
console-unit: $(CONSOLE)
	@if test -d console/node_modules; then cd console && npm test --silent; else echo "console tests skipped: no Node.js"; fi

test-browser: $(STAMP) $(CONSOLE)
	@$(VENV)/bin/wayside models pull
	$(VENV)/bin/python -m pytest -m browser

docs: $(STAMP)
	$(VENV)/bin/python -m pip install --quiet --editable '.[docs]'
	$(VENV)/bin/mkdocs build

clean:
	rm -rf $(VENV) build dist *.egg-info console/node_modules api/console_files
