"""Adam in NumPy (Kingma and Ba, arXiv:1412.6980), and the constants of every row.

There are two forms. Keras and TensorFlow add epsilon to the root of the second moment before its bias is corrected (the
end of section 2); PyTorch and Optax add it to the corrected one (Algorithm 1). ``CONVERSION`` turns the epsilon of one
form into that with which the other makes the same first step; later steps nearly agree, since both epsilons are far
below any gradient that matters.
"""

from typing import Any, Dict

import numpy as np

BETA_1, BETA_2 = 0.9, 0.999
CONVERSION = (1.0 - BETA_2) ** 0.5  # 0.0316
EPSILON = 1e-7  # of the LSTM nets: Keras' default, in Keras' form
EPSILON_OF_CORRECTED = EPSILON / CONVERSION  # 3.16e-6
EPSILON_OF_DENSENET = 1e-8  # PyTorch's default, in PyTorch's form
CONSTANTS = {"optimizer": "Adam", "beta_1": BETA_1, "beta_2": BETA_2, "epsilon": EPSILON}

Arrays = Dict[str, Any]


def first_gradient(moment: Any) -> Any:
    """The gradient of the first step, from Adam's first moment after it."""
    return np.asarray(moment) / (1 - BETA_1)


class Adam:
    """The optimizer of a reference: in Keras' form, or in PyTorch's (``corrected``)."""

    def __init__(self, learning_rate: float, epsilon: float = EPSILON, corrected: bool = False) -> None:
        self._rate, self._epsilon, self._corrected, self._steps = learning_rate, epsilon, corrected, 0
        self._first: Arrays = {}
        self._second: Arrays = {}

    def update(self, parameters: Arrays, gradients: Arrays) -> Arrays:
        """The parameters after one more step."""
        self._steps += 1
        correction = (1 - BETA_2**self._steps) ** 0.5
        rate, epsilon = self._rate * correction / (1 - BETA_1**self._steps), self._epsilon
        if self._corrected:
            epsilon *= correction
        updated = {}
        for name, gradient in gradients.items():
            first, second = (moments.get(name, 0.0) for moments in (self._first, self._second))
            self._first[name] = BETA_1 * first + (1 - BETA_1) * gradient
            self._second[name] = BETA_2 * second + (1 - BETA_2) * gradient**2
            updated[name] = parameters[name] - rate * self._first[name] / (np.sqrt(self._second[name]) + epsilon)
        return updated
