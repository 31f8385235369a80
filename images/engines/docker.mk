# A framework in a Docker image of its own, made from the stack's base and hashed lock; run sealed by compose.yaml.

build-%:
	@$(PYTHON) images/build.py $* --engine docker --stack $(STACK)

run-%: build-%
	@$(PYTHON) images/run.py $* --engine docker --stack $(STACK) --module $(RUNNER) -- $(RUN_ARGUMENTS)
