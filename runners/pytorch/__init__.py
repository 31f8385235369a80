"""The PyTorch rows: DenseNet on CIFAR-10. Runs with PyTorch 1.0 (Python 3.6) and with today's."""
