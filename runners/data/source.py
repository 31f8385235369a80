"""Where a data set came from, and how the manifest beside its arrays is read."""

import json
import os
from typing import Any, Dict, NamedTuple, Optional, Sequence

import numpy as np

from runners.contract import DataUnavailable, Reason


class Source(NamedTuple):
    """A data set's identity, as every record has it."""

    name: str  # key in runners.data.DATASETS
    source: str  # one line for a reader
    sha256: str  # of the values as the models see them
    synthetic: bool = False
    note: Optional[Reason] = None  # what a reader must know before comparing figures made from these data

    def record(self) -> Dict[str, Any]:
        """The record's field ``data``."""
        return dict(self._asdict(), note=self.note and dict(self.note._asdict()))


def read_manifest(directory: str, folder: str, fields: Sequence[str]) -> Dict[str, Any]:
    """``manifest.json`` of a folder in the data directory; each of ``fields`` must be text."""
    file = folder + "/manifest.json"
    try:
        with open(os.path.join(directory, file), encoding="utf-8") as lines:
            manifest = json.load(lines)
    except FileNotFoundError:
        raise DataUnavailable("data-missing", file=file)
    except (OSError, ValueError):
        raise DataUnavailable("data-damaged", file=file)
    if not isinstance(manifest, dict) or not all(isinstance(manifest.get(field), str) for field in fields):
        raise DataUnavailable("data-damaged", file=file)
    return manifest


def read_array(directory: str, file: str, mapped: bool = False) -> Any:
    """The array in a file of the data directory; ``mapped`` reads its values when they are used."""
    path = os.path.join(directory, file)
    try:
        return np.load(path, mmap_mode="r" if mapped else None, allow_pickle=False)
    except FileNotFoundError:
        raise DataUnavailable("data-missing", file=file)
    except (OSError, ValueError, EOFError):
        raise DataUnavailable("data-damaged", file=file)
