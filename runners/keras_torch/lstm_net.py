"""The LSTM nets of ``runners.keras_nets.lstm`` in Keras on PyTorch."""

import torch

from runners.keras_nets.lstm import implementation


def set_precision(precision: str) -> None:
    """On a GPU without TF32. PyTorch takes the precision of its arrays."""
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False


prepare, train_to_quality, prove = implementation(set_precision)
