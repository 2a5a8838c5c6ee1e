# `make run` and `make test` are all that a fresh machine with Python and make needs; any Python
# from 3.10 on: make test PYTHON=python3.13. Without that it is 3.11, or python3 where that does not run.
PYTHON ?= $(shell python3.11 -c 'print("python3.11")' 2>/dev/null || echo python3)
VERSION := $(shell $(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])')
BIN := .venv/bin
ARGS ?=
# Tests that run at a time.
JOBS ?= 2
# What is seen in five minutes on two cores, installation included; without them there are more
# epochs, and all rows are ranked. A default gives way to ARGS: the command line refuses a key that
# is given twice.
default = $(if $(filter --$(1)=%,$(ARGS)),,--$(1)=$(2))
DEFAULTS = $(call default,model,IMNNet) $(call default,dataset,czb) $(call default,epochs,2) \
	$(call default,eval_rows,2000)

.PHONY: run test lint docs env clean

run: env
	$(BIN)/python run_recbole_imn.py $(strip $(DEFAULTS) $(ARGS))

test: env lint
	$(BIN)/python -m pytest --numprocesses $(JOBS) --dist loadfile --no-loadscope-reorder

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
	@echo "installing into .venv, once: 2.5 GB, some two minutes and what it takes to fetch them"
	@$(PYTHON) -m venv $(if $(wildcard $@),,--clear) .venv
	@echo "  1 of 3: torch, 0.9 GB"
	@# First and pinned: no other package may choose its build. Of 16,000 files few are ever imported;
	@# these are compiled then.
	@$(BIN)/pip install --quiet --quiet --no-compile --constraint constraints.txt torch
	@echo "  2 of 3: numpy, pandas, polars and all else that runs, tests and pages need, 1.6 GB"
	@$(BIN)/pip install --quiet --quiet --no-compile --requirement constraints.txt
	@echo "  3 of 3: RecBole and this package"
	@# RecBole asks for a ray that has no builds for later Pythons, and needs none.
	@$(BIN)/pip install --quiet --quiet --no-deps recbole==1.2.1 --editable .
	@touch $@

clean:
	rm -rf .venv build *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
