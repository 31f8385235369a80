"""What may make a Keras row faster without changing what it computes."""

from functools import partial
from typing import Any, Dict, Optional, Tuple

import numpy as np

from runners.contract import Context, Variant
from runners.keras import compat, lstm_net
from runners.keras_nets import compiled
from runners.nets import implementation
from runners.nets.learner import Timed


def prepare(context: Context, settings: Dict[str, Any]) -> Variant:
    """The row with the options' settings."""
    if settings.get("onednn") is False and compat.GRAPH:
        raise compat.missing("oneDNN")
    timed = implementation.timed(context)
    net = _net(timed, context.seed, settings)
    steps = compiled.steps(timed, net)
    if settings.get("tf_function"):
        train, predict = functions(net, settings.get("xla", False))
        steps = steps._replace(train=train, predict=predict)

    def outputs() -> Any:
        # In a function of its own, not the one that is timed: XLA and cuDNN keep the precision they first ran with.
        ask = steps.predict if compat.GRAPH else functions(net, settings.get("xla", False))[1]
        with compat.disable_tf32():
            return np.asarray(ask(steps.predict_batch())).ravel()

    return Variant(steps, outputs)


def _net(timed: Timed, seed: int, settings: Dict[str, Any]) -> Any:
    """The row's compiled net with other layers where the settings ask for them, but the same first weights."""
    net = lstm_net.timed_net(timed, seed)
    layer = _layer(settings)
    if layer is None:
        return net
    weights = [one.get_weights() for one in net.layers]
    net = lstm_net.timed_net(timed, seed, layer)
    compat.copy_weights(net, weights)
    return net


def _layer(settings: Dict[str, Any]) -> Optional[lstm_net.Layer]:
    if settings.get("cudnn"):
        return compat.cudnn_layer
    if settings.get("xla") or settings.get("unroll"):
        return partial(compat.generic_layer, unroll=settings.get("unroll", False), cudnn=not settings.get("xla"))
    return None


def functions(net: Any, xla: bool) -> Tuple[Any, Any]:
    """(train, predict) of a compiled net as functions of TensorFlow, without what Keras does around them.

    ``train`` does what ``train_on_batch`` does with a mean squared error, ``predict`` what ``predict_on_batch`` does;
    both return their answer on the host. ``xla`` compiles both, which Keras itself refuses for a net with LSTM layers.
    """
    tf = compat.tf

    def update(inputs: Any, targets: Any) -> Any:
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.square(net(inputs, training=True) - targets))
        gradients = tape.gradient(loss, net.trainable_variables)
        net.optimizer.apply_gradients(zip(gradients, net.trainable_variables))
        return loss

    train = compat.tf_function(update, xla)
    predict = compat.tf_function(lambda inputs: net(inputs, training=False), xla)
    return lambda pair: train(*pair).numpy(), lambda inputs: predict(inputs).numpy()
