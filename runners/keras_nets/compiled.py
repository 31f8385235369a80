"""A compiled LSTM net of any Keras, as training, timing and proof take it."""

from typing import Any, Callable, Dict, List

import numpy as np

from runners.contract import Steps, digest
from runners.nets.adam import first_gradient
from runners.nets.learner import Learner, Timed, timed_steps
from runners.nets.sameness import Subject


def predict(net: Any, inputs: Any) -> Any:
    """The net's answers in host memory."""
    return np.asarray(net.predict_on_batch(inputs))  # TensorFlow 2.0 and 2.1 return a tensor


def learner(net: Any) -> Learner:
    """The net as the training loops take it."""
    return Learner(
        net, lambda inputs, targets: float(net.train_on_batch(inputs, targets)), lambda inputs: predict(net, inputs)
    )


def steps(timed: Timed, net: Any) -> Steps:
    """The net as the timing loop takes it.

    A training step is Keras' ``train_on_batch``, which returns the loss on the host, so it is finished when it returns;
    a prediction is ``predict_on_batch``.
    """
    return timed_steps(
        timed,
        train=lambda batch: net.train_on_batch(*batch),
        predict=lambda batch: predict(net, batch),
        state=lambda: digest(net.get_weights()),
        parameters=int(net.count_params()),
    )


def subject(
    net: Any,
    names: List[str],
    precision: str,
    first_moments: Callable[[Any], List[Any]],
    tolerances: Dict[str, float],
) -> Subject:
    """The net as the proof takes it. ``names`` are the description's of the net's weights, in Keras' order."""
    return Subject(
        outputs=lambda inputs: predict(net, inputs.astype(precision)),
        step=lambda inputs, targets: float(net.train_on_batch(inputs.astype(precision), targets.astype(precision))),
        gradients=lambda: dict(zip(names, map(first_gradient, first_moments(net)))),
        parameters=lambda: dict(zip(names, net.get_weights())),
        tolerances=tolerances,
    )
