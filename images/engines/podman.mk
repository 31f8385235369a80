# A framework in a Podman image of its own, made from the stack's base and hashed lock; run sealed by compose.yaml.

build-%:
	@$(PYTHON) images/build.py $* --engine podman --stack $(STACK)

run-%: build-%
	@$(PYTHON) images/run.py $* --engine podman --stack $(STACK) --module $(RUNNER) -- $(RUN_ARGUMENTS)
