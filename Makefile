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
RUNNER   ?= runners
export A B REGISTRY FILE
export STACK ENGINE PROFILE MODEL DEVICE MACHINE RESULTS SITE LOCALE DATA_DIR VENVS

# Values reach programs through the environment, so nothing in them is read as shell or make.
RUN_ARGUMENTS = --model "$$MODEL" --device "$$DEVICE" --profile "$$PROFILE" --machine "$$MACHINE" --stack "$$STACK" \
  $(if $(filter-out 0,$(FORCE)),--force)
REPORT = "$$VENVS"/report/bin/python -s -m report
MAKE_QUIET = $(MAKE) --no-print-directory
choose = choice=$$($(PYTHON) images/choose.py --engine "$$ENGINE" --stack "$$STACK")
carried = --engine "$$(echo $$choice | sed 's/.*ENGINE=\([a-z]*\).*/\1/')" --stack "$$(echo $$choice | sed 's/.*STACK=//')"

.PHONY: bench list page compare check-page site serve test test-containers bench-harness calibrate tune doctor lock mirror save load \
  clean help python report-env
.NOTPARALLEL:
.DEFAULT_GOAL := help

ifneq ($(and $(STACK),$(ENGINE)),)
include $(wildcard images/engines/$(ENGINE).mk)
endif

bench: python ## build and run every framework in isolation, write the page
	@frameworks=$$($(PYTHON) -m runners --plan $(RUN_ARGUMENTS) --out "$$RESULTS") && $(choose) || exit 2; \
	$(MAKE_QUIET) -k $$choice $$(printf 'run-%s ' $$frameworks); status=$$?; $(MAKE_QUIET) $$choice page && exit $$status

list: python ## list the models
	@$(PYTHON) -m runners --list

page: python ## write the page from the results there are
	@if $(PYTHON) images/venv.py "$$VENVS/report" images/report/report.lock; then \
	  $(REPORT) --results "$$RESULTS" --site "$$SITE" --locale "$$LOCALE"; \
	elif [ "$$ENGINE" = docker ] || [ "$$ENGINE" = podman ]; then \
	  echo "erabench: making the page in a container instead" >&2; \
	  $(PYTHON) images/build.py report --engine "$$ENGINE" --stack "$$STACK" && \
	  $(PYTHON) images/run.py report --engine "$$ENGINE" --stack "$$STACK" -- --locale "$$LOCALE"; \
	else exit 2; fi

compare: report-env ## compare two results folders: make compare A=results/old B=results/new
	@$(REPORT).compare --a "$$A" --b "$$B" --site "$$SITE" --locale "$$LOCALE"

check-page: report-env ## fail if the committed example page is not what its results give
	@$(REPORT) --results docs/example/results --site docs/example/site --check

calibrate: python ## learn this machine's noise, so that a comparison knows what is chance
	@frameworks=$$($(PYTHON) -m runners --plan $(RUN_ARGUMENTS) --out "$$RESULTS") && $(choose) || exit 2; \
	$(MAKE_QUIET) RUNNER=runners.calibrate $$choice $$(printf 'run-%s ' $$frameworks)

tune: python ## find what each framework offers to make its nets faster, and by how much it does
	@frameworks=$$($(PYTHON) -m runners --plan $(RUN_ARGUMENTS) --out "$$RESULTS") && $(choose) || exit 2; \
	nets=$$(printf 'run-%s ' $$frameworks | sed 's/run-classical *//'); \
	[ -n "$$nets" ] || { echo "erabench: of '$$MODEL' no row is a neural model; there is nothing to tune" >&2; exit 2; }; \
	$(MAKE_QUIET) -k RUNNER=runners.tune $$choice $$nets; status=$$?; $(MAKE_QUIET) $$choice page && exit $$status

site: page ## build the web site around the page (needs jekyll)
	@rm -rf "$$SITE/.jekyll" && cp -r report/jekyll "$$SITE/.jekyll" && cp -r "$$SITE/pages" "$$SITE/.jekyll/pages"
	@jekyll build --quiet --source "$$SITE/.jekyll" --destination "$$SITE/html" && echo "site     $$SITE/html"

serve: site ## show the page at http://localhost:4000 (needs jekyll)
	@jekyll serve --source "$$SITE/.jekyll" --destination "$$SITE/html"

doctor: python ## say what this machine has and lacks, with the cures
	@$(PYTHON) images/doctor.py --engine "$$ENGINE" --stack "$$STACK"

test: python ## the tests
	@$(PYTHON) tests/run.py

test-containers: python ## the tests against a real container engine
	@$(PYTHON) tests/run.py containers

bench-harness: report-env ## what the harness itself costs, on a quiet machine
	@$(PYTHON) -m tests.harness

lock: python ## make a stack's hashed locks anew: make lock STACK=cpu
	@$(PYTHON) images/venv.py "$$VENVS/tests" tests/requirements.lock
	@"$$VENVS"/tests/bin/python images/lock.py --stack "$$STACK"

mirror: python ## copy the stack's images to a registry: make mirror STACK=gtx1080 REGISTRY=host:5000
	@$(choose) && $(PYTHON) images/mirror.py mirror $(carried) --registry "$$REGISTRY"

save: python ## write the stack's images to a file: make save STACK=gtx1080 FILE=images.tar
	@$(choose) && $(PYTHON) images/mirror.py save $(carried) --file "$$FILE"

load: python ## read images that `make save` wrote: make load FILE=images.tar
	@$(choose) && $(PYTHON) images/mirror.py load $(carried) --file "$$FILE"

clean: ## remove environments and caches; results, site and data stay
	rm -rf -- "$${VENVS:?}" .pytest_cache .mypy_cache .ruff_cache .hypothesis

help: ## show this
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' $(firstword $(MAKEFILE_LIST)) | expand -t 24
	@echo "Variables: STACK ENGINE PROFILE MODEL DEVICE MACHINE RESULTS SITE LOCALE DATA_DIR VENVS PYTHON FORCE=1"
	@echo "With containers: BASE BASE_REPORT REGISTRY FILE WHEELS CA_BUNDLE MEMORY_LIMIT FORCE_STACK=1 (docs/containers.md)"

report-env: python
	@$(PYTHON) images/venv.py "$$VENVS/report" images/report/report.lock

python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
	  { echo "erabench: '$(PYTHON)' is no Python 3.11 or later; name one: make PYTHON=/path/to/python3.11 …" >&2; exit 2; }
