"""What Keras leaves to PyTorch: products without TF32."""

import torch

from runners.keras_nets.lstm import library
from runners.nets.implementation import Implementation


def set_precision(precision: str) -> None:
    """On a GPU without TF32. PyTorch takes the precision of its arrays."""
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False


_ROW = Implementation(library(set_precision))
prepare, train_to_quality, prove = _ROW.prepare, _ROW.train_to_quality, _ROW.prove
