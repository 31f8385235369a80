"""What the proof of sameness needs of ``compat``: a net's precision, and its gradients without an update."""

from typing import Any, List, Tuple

from runners.keras.compat import GRAPH, keras, reset_session, tf, v1


def set_precision(precision: str) -> None:
    """Build and train in "float32" or "float64" from now on. Only a process that times nothing calls it."""
    keras.backend.set_floatx(precision)
    reset_session()


def loss_and_gradients(net: Any, inputs: Any, targets: Any) -> Tuple[float, List[Any]]:
    """The mean squared error over the batch and its gradients, in the order of the net's trainable weights."""
    if GRAPH:
        places = [v1.placeholder(keras.backend.floatx(), one.shape) for one in (inputs, targets)]
        loss = tf.reduce_mean(tf.square(net(places[0]) - places[1]))
        wanted = [loss] + tf.gradients(loss, net.trainable_weights)
        found = keras.backend.get_session().run(wanted, dict(zip(places, (inputs, targets))))
        return float(found[0]), list(found[1:])
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(tf.square(net(tf.constant(inputs), training=True) - targets))
    gradients = tape.gradient(loss, net.trainable_weights)
    return float(loss.numpy()), [one.numpy() for one in gradients]
