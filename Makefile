# The commands of the project. Needs Python 3.11 or later (3.12 in PYTHON=python3.12), Node 20.19 or later and make; tests
# also need root or sudo for Debian packages.
PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
PAGES := src/parlons/console/index.html
SERVED := console/src/api/schema.ts
SUDO := $(shell [ "$$(id -u)" = 0 ] || echo sudo)

.PHONY: run test check bench lock clean console

run: $(VENV)/.run $(PAGES)  ## set up and answer calls with the demo agents
	PARLONS_CONFIG=$${PARLONS_CONFIG-examples/accueil} $(PY) -m parlons serve

# Telephones talk in real time, and share two cores with the server: what fails is tried once more, without the rest, and must
# pass then. Both tries are shown. It can go when whole runs pass at the first try.
test: check .apt $(PAGES)  ## everything: style, types, unit, database, telephone and console tests
	npm --prefix console run check
	npm --prefix console test
	npm --prefix console run test:browser
	$(PY) -m pytest || $(PY) -m pytest --last-failed --last-failed-no-failures none

check: $(VENV)/.dev  ## style and types
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy

bench: $(VENV)/.dev  ## the table of docs/benchmarks.md
	$(PY) -m benchmarks.run

lock: $(VENV)/.dev  ## renew the pinned versions (needs uv)
	scripts/lock

$(VENV)/.run: requirements/run.txt pyproject.toml
	[ -x $(PY) ] || $(PYTHON) -m venv $(VENV)
	$(PY) -m pip install --quiet --require-hashes -r requirements/run.txt
	$(PY) -m pip install --quiet --require-hashes -r requirements/build.txt
	$(PY) -m pip install --quiet --no-deps --no-build-isolation --editable .
	touch $@

$(VENV)/.dev: requirements/dev.txt $(VENV)/.run
	$(PY) -m pip install --quiet --require-hashes -r requirements/dev.txt
	touch $@

# The console: its libraries, and the pages that the server gives to browsers. Not `npm ci`: it wants every platform's
# binaries in the lock, and registries do not have them all. The lock stays as it is.
console/node_modules/.installed: console/package.json console/package-lock.json
	npm --prefix console install --no-save --no-audit --no-fund --loglevel=error
	touch $@

# Types of what the API answers, made from the API itself: where the console reads it otherwise, its check fails.
$(SERVED): $(VENV)/.run console/node_modules/.installed $(shell find src/parlons/api src/parlons/agents src/parlons/workflows -name '*.py')
	mkdir -p build
	$(PY) scripts/openapi > build/openapi.json
	npm --prefix console run --silent api

$(PAGES): $(SERVED) $(shell find console -type f -not -path 'console/node_modules/*' -not -path $(SERVED))
	npm --prefix console run build
	touch $@

console: $(PAGES)  ## the pages that the server gives to browsers

# Debian packages that only tests need: telephone peers, and a database server when none answers.
.apt: scripts/test-packages
	$(SUDO) scripts/test-packages
	touch $@

clean:
	rm -rf $(VENV) .venv-peers .apt console/node_modules $(dir $(PAGES)) $(SERVED) .mypy_cache .ruff_cache .pytest_cache build dist
