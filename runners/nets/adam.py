"""Adam in NumPy (Kingma and Ba, arXiv:1412.6980), and the constants of every row.

There are two forms. Keras and TensorFlow add epsilon to the root of the second moment before its bias is corrected (the
end of section 2); PyTorch and Optax add it to the corrected one (Algorithm 1). With ``EPSILON_OF_CORRECTED`` the second
form makes the same first step as the first one with ``EPSILON``; after ten steps their epsilons are 1e-6 and 3e-6, both
far below any gradient that matters.
"""

from typing import Any, Dict

import numpy as np

BETA_1, BETA_2 = 0.9, 0.999
EPSILON = 1e-7  # Keras' default
EPSILON_OF_CORRECTED = EPSILON / (1.0 - BETA_2) ** 0.5  # 3.16e-6
CONSTANTS = {"optimizer": "Adam", "beta_1": BETA_1, "beta_2": BETA_2, "epsilon": EPSILON}

Arrays = Dict[str, Any]


class Adam:
    """The optimizer of the reference: Keras' form."""

    def __init__(self, learning_rate: float) -> None:
        self._rate, self._steps = learning_rate, 0
        self._first: Arrays = {}
        self._second: Arrays = {}

    def update(self, parameters: Arrays, gradients: Arrays) -> Arrays:
        """The parameters after one more step."""
        self._steps += 1
        rate = self._rate * (1 - BETA_2**self._steps) ** 0.5 / (1 - BETA_1**self._steps)
        updated = {}
        for name, gradient in gradients.items():
            first, second = (moments.get(name, 0.0) for moments in (self._first, self._second))
            self._first[name] = BETA_1 * first + (1 - BETA_1) * gradient
            self._second[name] = BETA_2 * second + (1 - BETA_2) * gradient**2
            updated[name] = parameters[name] - rate * self._first[name] / (np.sqrt(self._second[name]) + EPSILON)
        return updated
