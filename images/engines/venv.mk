# A framework in a virtual environment of its own, made from the stack's hashed lock.

venv := "$$VENVS/$$STACK"
locks := images/stacks/$(STACK)

build-%:
	@$(PYTHON) images/venv.py $(venv)/$* $(locks)/$*.lock --stack $(STACK)

run-%: build-%
	@PYTHONPATH="$(CURDIR)" $(venv)/$*/bin/python -s -m $(RUNNER) $* $(RUN_ARGUMENTS) --engine venv \
	  --out "$$RESULTS" --data-dir "$$DATA_DIR" --lock-sha256 $$(sha256sum <$(locks)/$*.lock | cut -c1-64)
