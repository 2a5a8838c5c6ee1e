# `make run` and `make test` are all that a fresh machine with Python 3.11 and make needs.
PYTHON ?= python3.11
BIN := .venv/bin
ARGS ?=
# A default gives way to ARGS: the command line refuses a key that is given twice.
default = $(if $(filter --$(1)=%,$(ARGS)),,--$(1)=$(2))
DEFAULTS = $(call default,model,IMNNet) $(call default,dataset,czb) $(call default,epochs,4)

.PHONY: run test lint env clean

run: env
	$(BIN)/python run_recbole_imn.py $(strip $(DEFAULTS) $(ARGS))

test: env lint
	$(BIN)/python -m pytest

lint: env
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

env: .venv/installed

.venv/installed: setup.py constraints.txt
	$(PYTHON) -m venv .venv
	# torch first and pinned: no other package may choose its build.
	$(BIN)/pip install --quiet --constraint constraints.txt torch
	$(BIN)/pip install --quiet --constraint constraints.txt --editable ".[dev]"
	touch $@

clean:
	rm -rf .venv build *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
