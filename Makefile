# erabench: eight models of 2017, measured. `make help` lists the targets.

PYTHON   ?= python3
STACK    ?=
ENGINE   ?=
PROFILE  ?= quick
MODEL    ?=
DEVICE   ?=
MACHINE  ?= $(shell uname -n | tr -cs 'A-Za-z0-9._\n-' '-')
RESULTS  ?= results
SITE     ?= site
LOCALE   ?= ko
DATA_DIR ?= $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/erabench/data
VENVS    ?= .venvs
FORCE    ?=
export STACK ENGINE PROFILE MODEL DEVICE MACHINE RESULTS SITE LOCALE DATA_DIR VENVS

# Values reach programs through the environment, so nothing in them is read as shell or make.
RUN_ARGUMENTS = --model "$$MODEL" --device "$$DEVICE" --profile "$$PROFILE" --machine "$$MACHINE" --stack "$$STACK" \
  $(if $(filter-out 0,$(FORCE)),--force)
REPORT = $(VENVS)/report/bin/python -s -m report
MAKE_QUIET = $(MAKE) --no-print-directory

.PHONY: bench list page test lock clean help python report-env
.NOTPARALLEL:
.DEFAULT_GOAL := help

ifneq ($(and $(STACK),$(ENGINE)),)
include images/engines/$(ENGINE).mk
endif

bench: python ## build and run every framework in isolation, write the page
	@frameworks=$$($(PYTHON) -m runners --plan --model "$$MODEL" --device "$$DEVICE" --profile "$$PROFILE" \
	    --machine "$$MACHINE" --out "$$RESULTS") && \
	choice=$$($(PYTHON) images/choose.py --engine "$$ENGINE" --stack "$$STACK") || exit 2; \
	$(MAKE_QUIET) -k $$choice $$(printf 'run-%s ' $$frameworks); status=$$?; \
	$(MAKE_QUIET) page && exit $$status

list: python ## list the models
	@$(PYTHON) -m runners --list

page: report-env ## write the page from the results there are
	@$(REPORT) --results "$$RESULTS" --site "$$SITE" --locale "$$LOCALE"

report-env: python
	@$(PYTHON) images/venv.py $(VENVS)/report images/report/report.lock

test: python ## the tests
	@$(PYTHON) tests/run.py

lock: python ## make a stack's hashed locks anew: make lock STACK=cpu
	@$(PYTHON) images/venv.py $(VENVS)/tests tests/requirements.lock
	@$(VENVS)/tests/bin/python images/lock.py --stack "$$STACK"

clean: ## remove environments and caches; results, site and data stay
	rm -rf $(VENVS) .pytest_cache .mypy_cache .ruff_cache .hypothesis

help: ## show this
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 20
	@echo "Variables: STACK ENGINE PROFILE MODEL DEVICE MACHINE RESULTS SITE LOCALE DATA_DIR VENVS PYTHON FORCE=1"

python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
	  { echo "erabench: '$(PYTHON)' is no Python 3.11 or later; name one: make PYTHON=/path/to/python3.11 …" >&2; exit 2; }
