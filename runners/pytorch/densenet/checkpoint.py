"""What a long training keeps, so that a killed one continues where it was."""

import hashlib
import json
import os
from typing import Any, Dict, Optional

import torch

from runners.contract import RowError
from runners.machine.files import atomic_write
from runners.pytorch import compat


class Checkpoint:
    """One file in ``folder``, named after what it belongs to; without a folder nothing is kept.

    ``identity`` is everything that the training's course depends on (settings, seed, data, device, versions): a
    training of another identity neither reads the file nor writes over it.
    """

    def __init__(self, folder: Optional[str], name: str, identity: Dict[str, Any]) -> None:
        digest = hashlib.sha256(json.dumps(identity, sort_keys=True).encode("utf-8")).hexdigest()
        self._path = os.path.join(folder, "{}-{}.pt".format(name, digest[:16])) if folder else None

    def save(self, state: Dict[str, Any]) -> None:
        """Write the state; the old file stays until the new one is complete."""
        if self._path is None:
            return
        with atomic_write(self._path) as file:
            torch.save(state, file)

    def restore(self) -> Optional[Dict[str, Any]]:
        """The state that was kept, on the CPU; ``None`` where there is none. Raises ``RowError``, naming the file."""
        if self._path is None or not os.path.exists(self._path):
            return None
        try:
            return compat.load_file(self._path)
        except Exception:  # torch raises whatever a broken file provokes
            raise RowError("checkpoint-damaged", file="/".join(self._path.split(os.sep)[-2:]))
