# A framework in a Docker image of its own, made from the stack's base and hashed lock; run sealed by compose.yaml.

build-%:
	@$(PYTHON) images/container.py build $* --engine docker --stack $(STACK)

run-%: build-%
	@$(PYTHON) images/container.py run $* --engine docker --stack $(STACK) -- $(RUN_ARGUMENTS)
