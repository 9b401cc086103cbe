# `make run` serves FlowPilot on http://127.0.0.1:8000/graphql, `make test` runs the whole suite.
PYTHON ?= python3.11
PYTHON := $(shell command -v $(PYTHON) || command -v python3)
BIN := .venv/bin
PIP := $(BIN)/pip install --quiet --disable-pip-version-check --require-hashes

.PHONY: run demo-destinations test check fix lock clean

run: .venv/run web/dist/console/index.html
	$(BIN)/python -m cli serve

# Stand-ins for the ticket systems and libraries of vendors, and a page that shows what arrives there.
demo-destinations: .venv/test
	$(BIN)/python -m tests.fakes.far_ends

test: .venv/test web/dist/console/index.html
	$(BIN)/pytest --numprocesses 2 -m "not browser"
	cd web && PATH="$(CURDIR)/$(BIN):$$PATH" npm run --silent test

check: .venv/test web/node_modules/.package-lock.json
	sh .ci/check

fix: .venv/test web/node_modules/.package-lock.json
	sh .ci/fix

.venv/bin/pip:
	$(PYTHON) -m venv .venv

.venv/run: requirements/runtime.txt requirements/build.txt | .venv/bin/pip
	$(PIP) -r requirements/runtime.txt -r requirements/build.txt
	touch $@

.venv/test: .venv/run requirements/dev.txt
	$(PIP) -r requirements/runtime.txt -r requirements/build.txt -r requirements/dev.txt
	touch $@

web/node_modules/.package-lock.json: web/package.json web/package-lock.json | .venv/run
	cd web && PATH="$(CURDIR)/$(BIN):$$PATH" npm ci --no-audit --no-fund --loglevel=error

# The last of the pages that a build writes.
web/dist/console/index.html: web/node_modules/.package-lock.json schema/schema.graphql \
  $(shell find web/console web/graphiql web/shared web/*.json web/*.mjs -not -name operations.ts -not -name types.ts 2>/dev/null)
	cd web && PATH="$(CURDIR)/$(BIN):$$PATH" npm run --silent build

lock: .venv/test
	for set in runtime build dev; do \
	  $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate \
	    --custom-compile-command "make lock" requirements/$$set.in --output-file requirements/$$set.txt; \
	done

clean:
	rm -rf .venv web/node_modules web/dist
