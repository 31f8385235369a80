"""Individual household electric power consumption: one household's minutes, 2006-12-16 17:24 to 2010-11-26 21:02.

Georges Hebrail and Alice Berard, UCI Machine Learning Repository, data set 235, CC BY 4.0. Only the global active power
is used. A missing minute has the value of the same minute one day before, so the series is the same from every source.
"""

import hashlib
from typing import Any, NamedTuple

import numpy as np

from runners.contract import DataUnavailable, Reason
from runners.data.source import Source, read_array, read_manifest

SHA256 = "002916d068bf6cee66cd82e58e966fa59a38e77b4a0919c95e6c7297ad1c505b"  # of the filled series, '<i4' watts
MINIMUM, MAXIMUM = 76, 11122  # watts, of the whole series: the published scale is 0..1 between them
TRAIN_SHARE = 0.7
ARRAY = "household/watts.npy"


class Household(NamedTuple):
    """The filled series on the published scale (0..1 over the whole series), and its parts."""

    scaled: Any  # float32 (2075259,)
    train: Any  # float32, the first 70 %: (1452681,)
    test: Any  # float32, the last 30 %: (622578,)
    source: Source


def describe(directory: str) -> Source:
    """The prepared series' source. Raises ``DataUnavailable``."""
    manifest = read_manifest(directory, "household", ["source"])
    read_array(directory, ARRAY, mapped=True)
    return Source("household", manifest["source"], SHA256, note=Reason("filled-minutes"))


def load(directory: str) -> Household:
    """The prepared series, verified. Raises ``DataUnavailable``."""
    source = describe(directory)
    watts = read_array(directory, ARRAY)
    if watts.dtype != np.int32 or hashlib.sha256(watts.astype("<i4").tobytes()).hexdigest() != SHA256:
        raise DataUnavailable("data-damaged", file=ARRAY)
    scaled = ((watts - MINIMUM) / np.float32(MAXIMUM - MINIMUM)).astype(np.float32)
    split = int(len(watts) * TRAIN_SHARE)
    return Household(scaled, scaled[:split], scaled[split:], source)
