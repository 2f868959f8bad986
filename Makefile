# convohouse. Every target installs what it needs into .venv. Requires make, git and Python 3.11 or later.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
RUN := .venv/.run-is-installed
DEV := .venv/.dev-is-installed
BENCH := .venv/bench/.is-installed
ENGINES := .venv/engines/.is-installed
SPARK := .venv/spark/.is-installed
CONTRACTS := .venv/contracts/.is-installed
SUPERSET := .venv/superset/.is-installed
DUCKDB_1_1 := .venv/duckdb-1.1/.is-installed
# Into the environment of the Python $(1): by pip, which every environment has, or by uv, which is several times faster
# (make UV=uv ...; .ci/run does so).
UV ?=
install = $(if $(UV),$(UV) pip install --quiet --python $(1),$(1) -m pip --disable-pip-version-check --quiet install)

.DEFAULT_GOAL := help
.PHONY: help setup demo dev superset test suite test-fast lint types style engines sail tools spark chaos bench docs readme screenshots lock clean

help:  ## Show the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 13

setup: $(RUN)  ## Create .venv with the packages that convohouse needs to run

demo: $(RUN)  ## Run the whole job on the emulated API, without a key, into the folder demo
	$(BIN)/convohouse demo

dev: $(RUN)  ## Start Dagster with its page of assets, jobs and schedules
	$(BIN)/convohouse dev

superset: $(RUN) $(if $(HOME_FOLDER),,demo/warehouse.duckdb) $(SUPERSET)  ## Start Superset with a dashboard of the demo (0.9 GB in .venv/superset); HOME_FOLDER=data: of yours
	$(BIN)/python examples/superset/start.py --home $(or $(HOME_FOLDER),demo)

demo/warehouse.duckdb: | $(RUN)
	$(BIN)/convohouse demo

# mypy takes 20 s in a new clone, of one core: it runs beside the tests.
ifneq ($(filter test,$(MAKECMDGOALS)),)
MAKEFLAGS += --jobs=2
endif
test: types suite  ## Run lint and every test

suite: style
	$(IN_MEMORY) $(PYTEST) $(AND_REMOVE)

test-fast: $(DEV)  ## Run the tests without Dagster, whole syncs and whole builds: a minute
	$(IN_MEMORY) $(PYTEST) tests/unit tests/property tests/contract tests/sql -m "not whole_build" --few-examples $(AND_REMOVE)

# Compiled modules are kept: the suite starts a hundred processes that import the same ones.
suite test-fast: export PYTHONDONTWRITEBYTECODE =
WORKERS := --numprocesses auto --dist loadfile --no-loadscope-reorder
PYTEST := $(BIN)/python -m pytest $(WORKERS)
# The homes of the tests are in memory where there is room and TMPDIR says nothing else: on a disk, half of the time is
# spent waiting for it. What failed tests have written stays.
MEMORY = $(shell test "$$(df --output=avail --block-size=1G /dev/shm 2>/dev/null | tail -1)" -ge 8 2>/dev/null && echo /dev/shm)
IN_MEMORY = folder=$$(mktemp -d "$(or $(TMPDIR),$(MEMORY),/tmp)/convohouse.XXXXXX"); TMPDIR=$$folder
AND_REMOVE = && rm -rf "$$folder"

lint: types style  ## Run the fast checks: style, types, import rules, SQL and plain language
	$(BIN)/python -m pytest tests/sql/test_sql_style.py tests/sql/test_sql_lint.py

types: $(DEV)
	$(BIN)/mypy

style: $(DEV)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/python -m warehouse.models.lint
	$(BIN)/python -m tests.helpers.plain_language

engines: $(DEV) $(ENGINES) $(DUCKDB_1_1) $(SPARK)  ## Read the lake with engines that are large or need Java (1.5 GB in .venv)
	$(IN_MEMORY) $(BIN)/python -m pytest -m "engines and not tools" tests/engines $(AND_REMOVE)

sail: $(DEV) $(SPARK)  ## Run the models and the hand-worked cases of tests/sql on Sail, and compare every row
	$(IN_MEMORY) .venv/spark/bin/python -m pytest $(WORKERS) --engine sail -m "sail or every_engine" tests/engines tests/sql $(AND_REMOVE)

tools: $(DEV) $(ENGINES) $(CONTRACTS) $(SUPERSET)  ## Test contracts with their own tools: dbt, Superset and others (1.4 GB in .venv)
	$(BIN)/python -m pytest -m tools tests/engines

spark: $(DEV) $(SPARK)  ## Run the models on a real cluster of Spark, and the hand-worked cases on a server (needs Java)
	$(IN_MEMORY) .venv/spark/bin/python -m pytest -m spark tests/engines $(AND_REMOVE)

chaos: $(DEV)  ## Run sixty nights of random kills, faults and damage (about a minute); SEED=N repeats one
	$(BIN)/python -m pytest -m chaos tests/chaos -k sixty $(if $(SEED),--seed $(SEED))

bench: $(DEV) $(BENCH)  ## Measure against other tools; FULL=1: the sizes of RESULTS.md (45 minutes)
	$(BIN)/python -m benchmarks.run $(if $(FULL),--full)

docs: $(DEV)  ## Write the generated documents: tables, metrics, commands, settings
	$(BIN)/python -m warehouse.models.docs docs
	$(BIN)/python -m tests.helpers.reference_docs

readme: $(DEV)  ## Write the output of a demo run into README.md
	$(BIN)/python -m tests.helpers.readme_demo

screenshots: $(DEV)  ## Take the pictures of docs/images, with Chromium
	$(BIN)/python -m tests.helpers.screenshots

lock: $(DEV)  ## Resolve the dependencies again and write the lock files
	$(BIN)/uv pip compile pyproject.toml $(LOCK) --extra build --extra page -o requirements.lock
	$(BIN)/uv pip compile pyproject.toml -c requirements.lock $(LOCK) --extra build --extra page --extra server \
		-o requirements-server.lock
	$(BIN)/uv pip compile pyproject.toml $(LOCK) $(DEV_EXTRAS:%=--extra %) -o requirements-dev.lock
	$(BIN)/uv pip compile benchmarks/requirements.in $(LOCK) -o requirements-bench.lock
	$(BIN)/uv pip compile tests/engines/requirements.in $(LOCK) -o requirements-engines.lock
	$(BIN)/uv pip compile tests/engines/duckdb-1.1.in $(LOCK) -o requirements-duckdb-1.1.lock
	$(BIN)/uv pip compile tests/engines/spark.in -c requirements-dev.lock $(LOCK) $(IN_DEV:%=--no-emit-package %) \
		-o requirements-spark.lock
	$(BIN)/uv pip compile tests/engines/contracts.in $(LOCK) -o requirements-contracts.lock
	$(BIN)/uv pip compile examples/superset/requirements.in $(LOCK) -o requirements-superset.lock

# Not spark and sail: together 180 MB, which only .venv/spark needs.
DEV_EXTRAS := build test interop lint page publish postgres server mcp
IN_DEV := numpy pandas pyarrow python-dateutil six protobuf typing-extensions
LOCK := --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-header --no-annotate

clean:  ## Remove the environment, caches and the demo's data
	rm -rf .venv .dagster demo .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

$(RUN): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "convohouse needs Python 3.11 or later; choose one with: make PYTHON=/path/to/python3.11 ..."; exit 1; }
	@echo "Creating .venv (once, about a minute) ..."
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(call install,$(BIN)/python) --require-hashes --no-deps -r requirements.lock
	@$(call install,$(BIN)/python) --no-deps --no-build-isolation --editable .
	@touch $@

$(DEV): requirements-dev.lock $(RUN)
	@echo "Installing the packages for development into .venv ..."
	@$(call install,$(BIN)/python) --require-hashes --no-deps -r requirements-dev.lock
	@touch $@

$(BENCH): requirements-bench.lock | $(RUN)
	@echo "Creating .venv/bench with the tools to measure against ..."
	@test -x .venv/bench/bin/python || $(BIN)/python -m venv .venv/bench
	@$(call install,.venv/bench/bin/python) --require-hashes --no-deps -r $<
	@touch $@

$(ENGINES): requirements-engines.lock | $(RUN)
	@echo "Creating .venv/engines with engines that read the lake ..."
	@test -x .venv/engines/bin/python || $(BIN)/python -m venv .venv/engines
	@$(call install,.venv/engines/bin/python) --require-hashes --no-deps -r $<
	@touch $@

$(SPARK): requirements-spark.lock $(DEV)
	@echo "Creating .venv/spark with Spark and Sail, on top of .venv ..."
	@test -x .venv/spark/bin/python || $(BIN)/python -m venv .venv/spark
	@.venv/spark/bin/python -c 'import site, pathlib; folder = pathlib.Path(site.getsitepackages()[0]); \
		(folder / "dev.pth").write_text(f"../../../../lib/{folder.parent.name}/site-packages\n")'
	@$(call install,.venv/spark/bin/python) --require-hashes --no-deps -r $<
	@touch $@

$(CONTRACTS) $(SUPERSET) $(DUCKDB_1_1): .venv/%/.is-installed: requirements-%.lock | $(RUN)
	@echo "Creating .venv/$* ..."
	@test -x .venv/$*/bin/python || $(BIN)/python -m venv .venv/$*
	@$(call install,.venv/$*/bin/python) --require-hashes --no-deps -r $<
	@touch $@
