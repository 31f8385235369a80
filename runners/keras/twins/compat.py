"""What the twins need of ``compat``: a net's precision, a loss of logits, and gradients without an update."""

from typing import Any, Callable, List, Tuple

from runners.contract import OptionUnavailable
from runners.keras.compat import GRAPH, keras, reset_session, tf, v1


def set_precision(precision: str) -> None:
    """Build and train in "float32" or "float64" from now on; on a GPU without TF32, which hides small differences.

    Only a process that times nothing calls it.
    """
    keras.backend.set_floatx(precision)
    experimental = getattr(getattr(tf, "config", None), "experimental", None)
    if hasattr(experimental, "enable_tensor_float_32_execution"):
        experimental.enable_tensor_float_32_execution(False)
    reset_session()


def set_precision_of_images(precision: str) -> None:
    """As ``set_precision``; raises ``OptionUnavailable`` where batch norm has no such precision (TensorFlow 1)."""
    set_precision(precision)
    try:
        keras.layers.BatchNormalization()(keras.layers.Input(shape=(2, 2, 1)))
    except TypeError:
        option = "batch norm in {}".format(precision)
        raise OptionUnavailable("option-missing", framework="TensorFlow", version=tf.__version__, option=option)


def cross_entropy() -> Any:
    """The mean cross-entropy of logits and integer labels: a class from TensorFlow 1.13 on, before it a function."""
    if hasattr(keras.losses, "SparseCategoricalCrossentropy"):
        return keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    return lambda labels, logits: keras.backend.sparse_categorical_crossentropy(labels, logits, from_logits=True)


def loss_and_gradients(net: Any, inputs: Any, targets: Any) -> Tuple[float, List[Any]]:
    """The mean squared error over the batch and its gradients, in the order of the net's trainable weights."""
    return _gradients(net, inputs, targets, lambda outputs, wanted: tf.reduce_mean(tf.square(outputs - wanted)))


def classification_gradients(net: Any, inputs: Any, labels: Any) -> Tuple[float, List[Any]]:
    """The mean cross-entropy over the batch and its gradients, in the order of the net's trainable weights."""

    def loss(logits: Any, wanted: Any) -> Any:
        return tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=wanted, logits=logits))

    return _gradients(net, inputs, labels, loss)


def _gradients(net: Any, inputs: Any, targets: Any, loss_of: Callable[[Any, Any], Any]) -> Tuple[float, List[Any]]:
    if GRAPH:
        places = [v1.placeholder(one.dtype, one.shape) for one in (inputs, targets)]
        loss = loss_of(net(places[0], training=True), places[1])
        wanted = [loss] + tf.gradients(loss, net.trainable_weights)
        found = keras.backend.get_session().run(wanted, dict(zip(places, (inputs, targets))))
        return float(found[0]), list(found[1:])
    with tf.GradientTape() as tape:
        loss = loss_of(net(tf.constant(inputs), training=True), tf.constant(targets))
    gradients = tape.gradient(loss, net.trainable_weights)
    return float(loss.numpy()), [one.numpy() for one in gradients]
