"""What the proof of sameness needs of Keras: a net's precision, a loss of logits, and Adam's moments."""

from typing import Any, Dict, List

from runners.keras import compat
from runners.keras.compat import keras, tf

TOLERANCES: Dict[str, float] = {} if hasattr(keras, "ops") else {"loss": 1e-7, "gradients": 1e-6}
"""Of float64: Keras 2 keeps Adam's constants in float32, and returns a loss in it."""


def set_precision(precision: str) -> None:
    """Build and train in "float32" or "float64" from now on; on a GPU without TF32, which hides small differences.

    Only a process that times nothing calls it.
    """
    keras.backend.set_floatx(precision)
    if compat.tf32_is_on():
        tf.config.experimental.enable_tensor_float_32_execution(False)
    compat.reset_session()


def set_precision_of_images(precision: str) -> None:
    """As ``set_precision``; raises ``OptionUnavailable`` where batch norm has no such precision (TensorFlow 1)."""
    set_precision(precision)
    try:
        keras.layers.BatchNormalization()(keras.layers.Input(shape=(2, 2, 1)))
    except TypeError:
        raise compat.missing("batch norm in {}".format(precision))


def cross_entropy() -> Any:
    """The mean cross-entropy of logits and integer labels: a class from TensorFlow 1.13 on, before it a function."""
    if hasattr(keras.losses, "SparseCategoricalCrossentropy"):
        return keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    return lambda labels, logits: keras.backend.sparse_categorical_crossentropy(labels, logits, from_logits=True)


def first_moments(net: Any) -> List[Any]:
    """Adam's, in the order of the net's trainable weights."""
    optimizer, weights = net.optimizer, net.trainable_weights
    if hasattr(optimizer, "get_slot"):  # TensorFlow 1.14 to 2.10
        found = [optimizer.get_slot(weight, "m") for weight in weights]
    else:  # after the step count in TensorFlow 1.12 and 1.13
        found = getattr(optimizer, "_momentums", None) or optimizer.weights[1 : 1 + len(weights)]
    return compat.read_variables(found)
