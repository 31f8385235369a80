"""The sources of environments: stacks of locks, one Dockerfile, and the recipe of an image."""
