"""What an environment is made from: stacks of locks, one Dockerfile, and what an image is built out of."""
