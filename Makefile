# What a person types daily. `make` alone lists it.
# Everything runs from .venv, which is made once and renewed when the pinned requirements change.

VENV   := .venv
BIN    := $(VENV)/bin
PINS   := $(VENV)/.pins-installed
CLIENTS := .clients
READY  := $(VENV)/.omni-installed
PYTHON ?=
ARGS   ?=
UPGRADE ?=

CHECKED    := src tests noxfile.py $(wildcard examples) $(wildcard benchmarks)
BENCHMARKS := $(sort $(wildcard benchmarks/[a-z]*.py))
PIP        := $(BIN)/python -m pip --disable-pip-version-check install --quiet
PYTEST     := $(BIN)/python -m pytest
COMPILE    := UV_CUSTOM_COMPILE_COMMAND="make requirements" $(BIN)/uv pip compile --quiet --no-config --universal \
	--python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links $(UPGRADE)

.DEFAULT_GOAL := help
# One check after the other: their output is read by people, and a failure ends the run at the first one.
.NOTPARALLEL:
.PHONY: help install clients up down test duration lint types imports format docs bench requirements clean

help: ## List the targets
	@grep -E '^[a-z]+:.*## ' Makefile | sort | awk -F ':.*## ' '{ printf "  %-13s %s\n", $$1, $$2 }'

install: $(READY) ## Make .venv with everything in it

clients: $(CLIENTS)/.installed ## Make .clients with other programs' clients of Omni, which tests run (needs Node)

up: $(READY) ## Start Omni: PostgreSQL, HTTP and a worker (ARGS="--port 9000")
	$(BIN)/omni up $(ARGS)

down: $(READY) ## Stop what `make up` started and left running
	$(BIN)/omni down $(ARGS)

test: duration lint types imports ## Run every check, the whole test suite last (ARGS="-k billing")
	$(PYTEST) -n auto --maxprocesses 2 --dist loadfile $(ARGS)

duration:
	@echo "make test: every check takes about eight minutes on two cores, the first time with the installation"

lint: $(READY) ## Check style with ruff
	$(BIN)/ruff check $(CHECKED)
	$(BIN)/ruff format --check $(CHECKED)

types: $(READY) ## Check types with mypy
	$(BIN)/mypy $(CHECKED)

imports: $(READY) ## Check the import contracts of the architecture
	$(BIN)/lint-imports

format: $(READY) ## Format the code and fix what ruff can fix
	$(BIN)/ruff check --fix-only $(CHECKED)
	$(BIN)/ruff format $(CHECKED)

docs: $(READY) ## Build the documentation into site/ and check its links and examples
	$(BIN)/mkdocs build --strict
	$(PYTEST) -q tests/docs

bench: $(READY) ## Run every benchmark in its short form
	@set -e; for script in $(BENCHMARKS); do echo "== $$script"; $(BIN)/python $$script --short; done

# dev.txt is resolved first and constrains the others, so that a package has one version in all of them.
requirements: $(READY) ## Resolve the pinned requirements again (UPGRADE=--upgrade for newer versions)
	$(COMPILE) --output-file requirements/dev.txt pyproject.toml --extra all --group dev
	$(COMPILE) --constraints requirements/dev.txt --output-file requirements/all.txt pyproject.toml --extra all
	$(COMPILE) --constraints requirements/dev.txt --output-file requirements/core.txt pyproject.toml
	$(COMPILE) --constraints requirements/dev.txt --output-file requirements/lint.txt --group lint
	$(COMPILE) --constraints requirements/dev.txt --output-file requirements/build.txt --group build
	$(COMPILE) --constraints requirements/dev.txt --output-file requirements/clients.txt --group clients

clean: ## Remove .venv, caches and built files (not Omni's data)
	rm -rf $(VENV) $(CLIENTS) .nox site build dist .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	find src tests -type d -name __pycache__ -prune -exec rm -rf {} +

# Under the distribution's first name, it would offer its command and its kinds of provider twice.
$(READY): $(PINS) pyproject.toml
	@$(BIN)/python -m pip --disable-pip-version-check uninstall --quiet --yes omni 2>/dev/null
	$(PIP) --no-index --no-deps --no-build-isolation --editable .
	@touch $@

$(PINS): requirements/dev.txt
	@$(make_venv)
	@echo "installing the pinned requirements (a minute or two, once)"
	$(PIP) --require-hashes --requirement requirements/dev.txt
	@touch $@

# An environment of their own: what they pull in is not Omni's to test with.
$(CLIENTS)/.installed: $(READY) requirements/clients.txt tests/e2e/clients/package.json tests/e2e/clients/package-lock.json
	$(BIN)/python -m venv --clear --without-pip $(CLIENTS)
	$(BIN)/python -m pip --disable-pip-version-check --python $(CLIENTS)/bin/python install --quiet \
		--require-hashes --requirement requirements/clients.txt
	cp tests/e2e/clients/package.json tests/e2e/clients/package-lock.json tests/e2e/clients/.npmrc $(CLIENTS)
	npm ci --prefix $(CLIENTS) --ignore-scripts --loglevel=error
	@touch $@

# A venv whose interpreter has gone (an upgraded system, a moved checkout) is made anew.
define make_venv
if $(BIN)/python -m pip --version >/dev/null 2>&1; then exit 0; fi; \
for candidate in $(if $(PYTHON),$(PYTHON),python3.11 python3.12 python3.13 python3); do \
	if $$candidate -c 'import sys, ensurepip; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' 2>/dev/null; \
	then echo "making $(VENV) with `$$candidate --version`"; exec $$candidate -m venv --clear $(VENV); fi; \
done; \
echo "Omni needs Python 3.11, 3.12 or 3.13 with its venv module (Debian: apt install python3-venv)." >&2; \
echo "$(if $(PYTHON),$(PYTHON) is not one.,None was found on PATH. Name one: make PYTHON=/path/to/python)" >&2; \
exit 1
endef
