# A framework in a Podman image of its own, made from the stack's base and hashed lock; run sealed by compose.yaml.

build-%:
	@$(PYTHON) images/container.py build $* --engine podman --stack $(STACK)

run-%: build-%
	@$(PYTHON) images/container.py run $* --engine podman --stack $(STACK) -- $(RUN_ARGUMENTS)
