"""The rows in PyTorch: DenseNets on CIFAR-10 and, on request, LSTM nets. With PyTorch 1.0 and with today's."""
