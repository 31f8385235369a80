# erabench: models of 2017, measured. `make help` lists the targets.

PYTHON ?= python3
export PYTHON

# Variables reach the driver through the environment, so nothing in them is read as shell or make.
DRIVER = "$$PYTHON" -s -m erabench

COMMANDS = bench frameworks eras list page compare check-page tune site serve data doctor test test-gpu \
  bench-harness fleet fleet-status fleet-gather fleet-cancel lock mirror save load clean
.PHONY: $(COMMANDS) test-containers help
.DEFAULT_GOAL := help

bench: ## set everything up, measure the rows in rounds, write the page
frameworks: ## measure one net in every framework, proven the same: make frameworks NET=lstm FRAMEWORK=pytorch,jax
eras: ## measure with the releases of several years: make eras ERA=2018,2026 NET=lstm,ar
list: ## list the rows
page: ## write the page from the results there are
compare: ## compare two results folders: make compare A=results/old B=results/new
check-page: ## fail if the committed example page differs from what its results give
tune: ## try each framework's speed settings and report the gain
site: ## build the web site around the page (needs jekyll)
serve: ## show the site at http://localhost:4000 (needs jekyll)
data: ## fetch the data sets, so that a bench needs no network
doctor: ## check this machine and suggest fixes
test: ## run the tests
test-containers: ## run the tests that need a container engine
test-gpu: ## test each framework on the GPU: make test-gpu PYTHON_PYTORCH=python3
bench-harness: ## measure what the harness itself costs, on a quiet machine
fleet: ## measure on the machines of a cluster, through Slurm or Kubernetes: make fleet FLEET=fleet.toml
fleet-status: ## show the state of each cell of a fleet
fleet-gather: ## gather a fleet's results and write the page
fleet-cancel: ## stop a fleet's jobs; finished rows are kept
lock: ## regenerate a stack's lock files: make lock STACK=cpu
mirror: ## copy a stack's images to a registry: make mirror STACK=gtx1080 REGISTRY=host:5000
save: ## write a stack's images to a file: make save STACK=gtx1080 FILE=images.tar
load: ## read images that `make save` wrote: make load FILE=images.tar
clean: ## remove environments and caches; results, site and data stay

$(COMMANDS):
	@$(DRIVER) $@

test-containers:
	@$(DRIVER) test containers

help: ## show this
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' $(firstword $(MAKEFILE_LIST)) | expand -t 24
	@echo "Variables: STACK ENGINE PROFILE MODEL NET FRAMEWORK DEVICE MACHINE THREADS RESULTS SITE LOCALE DATA_DIR VENVS PYTHON FORCE=1"
	@echo "With a fleet: FLEET DRY=1 AGAIN=1 CELL (docs/fleet.md)"
	@echo "With eras: ERA NET FRAMEWORK KEEP=1 (docs/eras.md); with frameworks: NET FRAMEWORK TUNED=1 (docs/frameworks.md)"
	@echo "With containers: BASE REGISTRY FILE WHEELS CA_BUNDLE MEMORY_LIMIT FORCE_STACK=1 (docs/containers.md); with lock: UPGRADE=1"
	@echo "Options of a command: python3 -m erabench COMMAND --help"
