"""The nets in Keras 3 with JAX as its backend: rows measured on request."""
