# `make run` and `make test` are all that a fresh machine with Python and make needs; any Python
# from 3.10 on: make test PYTHON=python3.13
PYTHON ?= python3.11
VERSION := $(shell $(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])')
BIN := .venv/bin
ARGS ?=
# Tests that run at a time.
JOBS ?= 2
# A default gives way to ARGS: the command line refuses a key that is given twice.
default = $(if $(filter --$(1)=%,$(ARGS)),,--$(1)=$(2))
DEFAULTS = $(call default,model,IMNNet) $(call default,dataset,czb) $(call default,epochs,4)

.PHONY: run test lint docs env clean

run: env
	$(BIN)/python run_recbole_imn.py $(strip $(DEFAULTS) $(ARGS))

test: env lint
	$(BIN)/python -m pytest --numprocesses $(JOBS) --dist loadfile

lint: env
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# build/site/index.html, strictly; any Python from 3.11 on.
docs: env
	$(BIN)/python docs/site/make_site.py

# Of one Python: with another, .venv is made anew.
env: .venv/installed-$(VERSION)

.venv/installed-$(VERSION): setup.py constraints.txt
	$(PYTHON) -m venv $(if $(wildcard $@),,--clear) .venv
	# torch first and pinned: no other package may choose its build.
	$(BIN)/pip install --quiet --constraint constraints.txt torch
	$(BIN)/pip install --quiet --requirement constraints.txt
	# RecBole asks for a ray that has no builds for later Pythons, and needs none.
	$(BIN)/pip install --quiet --no-deps recbole==1.2.1 --editable .
	touch $@

clean:
	rm -rf .venv build *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
