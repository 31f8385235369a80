"""The nets in JAX, as Flax NNX and Optax have a user write them: rows measured on request."""
