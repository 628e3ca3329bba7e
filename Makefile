# Two commands do everything on a machine with git, make, a C compiler and Python ≥ 3.11:
#   make demo    set up, then the whole job against the practice CRM
#   make test    set up, then every check and test
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

VENV := .venv
RUN := $(VENV)/bin
# An installed uv is used; else pip puts one into .uv/ from the package index pip is set up for.
UV := $(shell command -v uv 2>/dev/null || echo .uv/bin/uv)
PYTHON ?= python3
# Tests wait for sockets and processes half of their time: two workers for each core, at most eight.
WORKERS := $(shell $(PYTHON) -c 'import os; print(2 * min(os.cpu_count() or 1, 4))')
# durable-rules is source only; on Python >= 3.13 it compiles with this one definition.
export CPPFLAGS += -DPyEval_CallObject=PyObject_CallObject
export UV_NO_PROGRESS := 1
# Compiled modules are kept: the tests start hundreds of processes, each of which would compile all anew.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: help demo test editor schema spark bench proofs lint format docs lock wheel clean setup

help:  ## this list
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup: $(VENV)/.ready  ## install what the lock files name into .venv

.uv/bin/uv:
	$(PYTHON) -m venv .uv
	.uv/bin/pip install --quiet --disable-pip-version-check uv

$(VENV)/.ready: requirements-dev.lock requirements.lock pyproject.toml $(filter .uv/bin/uv,$(UV))
	$(UV) venv --quiet --allow-existing --python $(PYTHON) $(VENV)
	$(UV) pip sync --quiet --compile-bytecode --python $(RUN)/python --require-hashes requirements-dev.lock
	$(UV) pip install --quiet --python $(RUN)/python --no-deps --no-build-isolation --editable .
	touch $@

demo: setup  ## the whole job against the practice CRM (CRM=fxiaoke for the other one)
	$(RUN)/crmsync demo $(if $(CRM),--crm $(CRM))

lint: setup  ## ruff and mypy --strict
	$(RUN)/ruff check .
	$(RUN)/ruff format --check .
	$(RUN)/mypy

test: lint  ## every check and test
	$(RUN)/python -m pytest -n $(WORKERS) --dist worksteal

# Other versions of Python that P18 is to be proved on as well: make proofs OTHERS="python3.12 python3.13"
OTHERS ?=
OTHER_VENVS := $(foreach python,$(OTHERS),.venv-other/$(notdir $(python)))
EMPTY :=

.venv-other/%/.ready: requirements-dev.lock | setup
	$(UV) venv --quiet --allow-existing --python $(filter %$*,$(OTHERS)) .venv-other/$*
	$(UV) pip sync --quiet --python .venv-other/$*/bin/python --require-hashes requirements-dev.lock
	$(UV) pip install --quiet --python .venv-other/$*/bin/python --no-deps --no-build-isolation --editable .
	touch $@

proofs: export CRMSYNC_OTHER_PYTHONS = $(subst $(EMPTY) ,:,$(OTHER_VENVS:%=%/bin/python))
proofs: setup $(OTHER_VENVS:%=%/.ready)  ## every promise against injected faults, one line and figure each (ONLY=P1 for one)
	$(RUN)/python -m tests.proofs --save $(ONLY)
	$(RUN)/python -m tests.proofs.table README.md README.zh-CN.md

editor: setup  ## what editors are told of the files, tried with a real language server (needs npm)
	$(RUN)/python -m tests.editor

schema: setup  ## write the editors' JSON Schemas from the code
	$(RUN)/python -m crmsync.rules.json_schema

.spark/.ready: pyproject.toml | setup
	$(UV) pip install --quiet --python $(RUN)/python --target .spark 'pyspark>=4.0,<4.1'
	touch $@

spark: setup .spark/.ready  ## the matcher on Spark against the compiled one (needs Java)
	PYTHONPATH=.spark:. $(RUN)/python -m tests.spark

.venv-bench/.ready: tests/bench/peers.txt | setup
	$(UV) venv --quiet --allow-existing --python $(PYTHON) .venv-bench
	-$(UV) pip install --quiet --python .venv-bench/bin/python -r tests/bench/peers.txt && touch $@

bench: setup .venv-bench/.ready  ## figures, one JSON line each, with a peer in the same run
	$(RUN)/python -m tests.bench

format: setup  ## rewrite the code in the house's layout
	$(RUN)/ruff check --fix .
	$(RUN)/ruff format .

docs: setup  ## write the command reference into both READMEs
	CRMSYNC_LANG=en $(RUN)/python -m crmsync.cli.reference README.md
	CRMSYNC_LANG=zh $(RUN)/python -m crmsync.cli.reference README.zh-CN.md

lock:  $(filter .uv/bin/uv,$(UV))  ## compile the lock files again (names no index address)
	$(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links \
	  --no-header --no-annotate pyproject.toml -o requirements.lock
	$(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links \
	  --no-header --no-annotate pyproject.toml --group dev -c requirements.lock -o requirements-dev.lock

wheel: setup  ## build the wheel into dist/
	$(RUN)/hatchling build -t wheel

clean:  ## remove what the targets made
	rm -rf $(VENV) .venv-other .uv .spark dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
