# erabench: models of 2017, measured. `make help` lists the targets.

PYTHON ?= python3
export PYTHON

# Variables reach the driver through the environment, so nothing in them is read as shell or make.
DRIVER = "$$PYTHON" -s -m erabench

.PHONY: bench frameworks eras list page compare check-page site serve test test-containers test-gpu bench-harness tune data doctor fleet fleet-status \
  fleet-gather fleet-cancel lock mirror save load clean help
.DEFAULT_GOAL := help

bench: ## set everything up, measure the rows in rounds, write the page
	@$(DRIVER) bench

frameworks: ## measure one net in every framework, proven the same: make frameworks NET=lstm FRAMEWORK=pytorch,jax
	@$(DRIVER) frameworks

eras: ## measure with the releases of several years: make eras ERA=2018,2026 NET=lstm,ar
	@$(DRIVER) eras

list: ## list the rows
	@$(DRIVER) list

page: ## write the page from the results there are
	@$(DRIVER) page

compare: ## compare two results folders: make compare A=results/old B=results/new
	@$(DRIVER) compare

check-page: ## fail if the committed example page differs from what its results give
	@$(DRIVER) check-page

tune: ## try each framework's speed settings and report the gain
	@$(DRIVER) tune

site: ## build the web site around the page (needs jekyll)
	@$(DRIVER) site

serve: ## show the site at http://localhost:4000 (needs jekyll)
	@$(DRIVER) serve

data: ## fetch the data sets, so that a bench needs no network
	@$(DRIVER) data

doctor: ## check this machine and suggest fixes
	@$(DRIVER) doctor

test: ## run the tests
	@$(DRIVER) test

test-containers: ## run the tests that need a container engine
	@$(DRIVER) test containers

test-gpu: ## test each framework on the GPU: make test-gpu PYTHON_PYTORCH=python3
	@$(DRIVER) test-gpu

bench-harness: ## measure what the harness itself costs, on a quiet machine
	@$(DRIVER) bench-harness

fleet: ## measure on the machines of a cluster, through Slurm or Kubernetes: make fleet FLEET=fleet.toml
	@$(DRIVER) fleet

fleet-status: ## show the state of each cell of a fleet
	@$(DRIVER) fleet-status

fleet-gather: ## gather a fleet's results and write the page
	@$(DRIVER) fleet-gather

fleet-cancel: ## stop a fleet's jobs; finished rows are kept
	@$(DRIVER) fleet-cancel

lock: ## regenerate a stack's lock files: make lock STACK=cpu
	@$(DRIVER) lock

mirror: ## copy a stack's images to a registry: make mirror STACK=gtx1080 REGISTRY=host:5000
	@$(DRIVER) mirror

save: ## write a stack's images to a file: make save STACK=gtx1080 FILE=images.tar
	@$(DRIVER) save

load: ## read images that `make save` wrote: make load FILE=images.tar
	@$(DRIVER) load

clean: ## remove environments and caches; results, site and data stay
	@$(DRIVER) clean

help: ## show this
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' $(firstword $(MAKEFILE_LIST)) | expand -t 24
	@echo "Variables: STACK ENGINE PROFILE MODEL NET FRAMEWORK DEVICE MACHINE THREADS RESULTS SITE LOCALE DATA_DIR VENVS PYTHON FORCE=1"
	@echo "With a fleet: FLEET DRY=1 AGAIN=1 CELL (docs/fleet.md)"
	@echo "With eras: ERA NET FRAMEWORK KEEP=1 (docs/eras.md)"
	@echo "With containers: BASE REGISTRY FILE WHEELS CA_BUNDLE MEMORY_LIMIT FORCE_STACK=1 (docs/containers.md)"
	@echo "Options of a command: python3 -m erabench COMMAND --help"
