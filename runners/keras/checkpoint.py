"""What a long training keeps after every epoch, so that a killed run goes on where it was."""

import hashlib
import json
import os
import zipfile
from typing import Any, Dict, List, Optional, Tuple

import numpy as np

from runners.keras import compat
from runners.machine.files import atomic_write


class Checkpoint:
    """One file in ``folder``, named after what it belongs to; without a folder nothing is kept.

    ``identity`` is everything that the training's course depends on, besides the versions: a training of another
    identity neither reads the file nor writes over it.
    """

    def __init__(self, folder: Optional[str], name: str, identity: Dict[str, Any]) -> None:
        digest = hashlib.sha256(json.dumps([identity, compat.versions()], sort_keys=True).encode("utf-8")).hexdigest()
        self._path = os.path.join(folder, "{}-{}.npz".format(name, digest[:16])) if folder else None

    def save(self, net: Any, losses: List[float], seconds: List[float]) -> None:
        """Write weights, optimizer state and the epochs so far; the old file stays until the new one is complete."""
        if self._path is None:
            return
        state = net.get_weights() + compat.read_variables(compat.optimizer_variables(net))
        arrays = {"array{}".format(index): values for index, values in enumerate(state)}
        arrays.update(losses=np.asarray(losses), seconds=np.asarray(seconds))
        with atomic_write(self._path) as file:
            np.savez(file, **arrays)

    def restore(self, net: Any) -> Tuple[List[float], List[float]]:
        """Put the kept state into the compiled net; return loss and seconds of each epoch that it had."""
        if self._path is None or not os.path.exists(self._path):
            return [], []
        try:
            with np.load(self._path, allow_pickle=False) as kept:
                arrays = {name: kept[name] for name in kept.files}
        except (OSError, ValueError, EOFError, zipfile.BadZipFile):  # not one of ours: start again
            return [], []
        state = [arrays["array{}".format(index)] for index in range(len(arrays) - 2)]
        count = len(net.get_weights())
        variables = compat.optimizer_variables(net)  # before the weights: creating them may take an update
        net.set_weights(state[:count])
        compat.write_variables(variables, state[count:])
        return [float(loss) for loss in arrays["losses"]], [float(value) for value in arrays["seconds"]]
