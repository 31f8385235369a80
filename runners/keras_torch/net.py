"""What Keras leaves to PyTorch: products without TF32."""

from contextlib import contextmanager
from typing import Iterator

import torch

from runners.keras_nets.lstm import library
from runners.nets.implementation import Implementation


@contextmanager
def without_tf32() -> Iterator[None]:
    """FP32 on the GPU without TF32 within the block."""
    places = torch.backends.cuda.matmul, torch.backends.cudnn
    before = [place.allow_tf32 for place in places]
    set_precision("float32")
    try:
        yield
    finally:
        for place, allowed in zip(places, before):
            place.allow_tf32 = allowed


def set_precision(precision: str) -> None:
    """On a GPU without TF32. PyTorch takes the precision of its arrays."""
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False


_ROW = Implementation(library(set_precision))
prepare, train_to_quality, prove = _ROW.prepare, _ROW.train_to_quality, _ROW.prove
