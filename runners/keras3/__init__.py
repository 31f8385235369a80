"""What Keras 3 has in common on its backends JAX and PyTorch: shared by the frameworks that name it in `shares`."""
