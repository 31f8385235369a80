"""The DenseNet rows: the net, its timing and proof, and its training on CIFAR-10."""
