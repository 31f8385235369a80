"""Two stacked LSTM layers and a linear output in Flax NNX, from the weights of a description."""

from functools import partial
from typing import Any, Dict, Tuple

import numpy as np
import optax
from flax import nnx
from jax import numpy as jnp

from runners.contract import Context, Steps, digest
from runners.jax import device
from runners.nets import adam
from runners.nets.implementation import implement
from runners.nets.learner import Learner, Timed, timed_steps
from runners.nets.lstm import LAYERS, Weights, directions, size
from runners.nets.sameness import Description, Subject

RNN = {"forward": "forward_rnn", "backward": "backward_rnn"}


class ForecastNet(nnx.Module):
    """Windows (n, time, 1) to forecasts (n, 1): LSTM, LSTM, linear; ``units`` is for one direction."""

    def __init__(self, units: int, bidirectional: bool, precision: str, rngs: Any) -> None:
        kind = getattr(jnp, precision)

        def layer(inputs: int) -> Any:
            cells = [
                nnx.RNN(nnx.OptimizedLSTMCell(inputs, units, param_dtype=kind, rngs=rngs))
                for _ in directions(bidirectional)
            ]
            return nnx.Bidirectional(*cells) if bidirectional else cells[0]

        states = units * len(directions(bidirectional))
        self.bidirectional = bidirectional
        self.lstm1, self.lstm2 = layer(1), layer(states)
        self.linear = nnx.Linear(states, 1, param_dtype=kind, rngs=rngs)

    def __call__(self, windows: Any) -> Any:
        carry, _ = self.lstm2(self.lstm1(windows), return_carry=True)
        last = jnp.concatenate([state for _, state in carry], axis=-1) if self.bidirectional else carry[1]
        return self.linear(last)


def places(net: ForecastNet) -> Dict[str, Any]:
    """A description's name of a weight -> Flax's parameter.

    Both have the same layout and one bias, which Flax keeps with the recurrent kernel; and the gates in the order
    input, forget, candidate, output.
    """
    found = {"output.kernel": net.linear.kernel, "output.bias": net.linear.bias}
    for layer in LAYERS:
        for direction in directions(net.bidirectional):
            rnn = getattr(net, layer)
            cell = (getattr(rnn, RNN[direction]) if net.bidirectional else rnn).cell
            place = "{}.{}.".format(layer, direction)
            found[place + "kernel"] = cell.dense_i.kernel
            found[place + "recurrent"], found[place + "bias"] = cell.dense_h.kernel, cell.dense_h.bias
    return found


def build(weights: Weights, precision: str = "float32") -> ForecastNet:
    """The net with the weights of a description."""
    net = ForecastNet(*size(weights), precision=precision, rngs=nnx.Rngs(0))
    for name, parameter in places(net).items():
        parameter[...] = jnp.asarray(weights[name], precision)
    return net


def optimizer_of(net: ForecastNet, learning_rate: Any) -> Any:
    """Adam with the epsilon that makes its step that of Keras. The rate may be a schedule."""
    return nnx.Optimizer(net, optax.adam(learning_rate, eps=adam.EPSILON_OF_CORRECTED), wrt=nnx.Param)


def first_moments(net: Any, optimizer: Any) -> Any:
    """A copy of the net with Adam's first moments in place of its parameters, which finds them by name."""
    copy = nnx.clone(net)
    nnx.update(copy, optimizer.opt_state[0].mu)
    return copy


def loss_of(net: ForecastNet, inputs: Any, targets: Any) -> Any:
    """The mean squared error over the batch."""
    return optax.squared_error(net(inputs), targets).mean()


def update(net: ForecastNet, optimizer: Any, inputs: Any, targets: Any) -> Any:
    """One update on a batch; the loss before it."""
    loss, gradients = nnx.value_and_grad(loss_of)(net, inputs, targets)
    optimizer.update(net, gradients)
    return loss


train_step = nnx.jit(update)


@nnx.jit
def predict_step(net: ForecastNet, inputs: Any) -> Any:
    """Forecasts (n, 1)."""
    return net(inputs)


def ready(context: Context, timed: Timed, weights: Weights) -> Steps:
    """The net with these weights, ready for timing: batches are NumPy arrays in host memory."""
    net = build(weights)
    optimizer = optimizer_of(net, timed.learning_rate)
    return steps(timed, net, partial(train_step, net, optimizer), partial(predict_step, net))


def steps(timed: Timed, net: ForecastNet, train_on: Any, answer: Any) -> Steps:
    """Training and prediction as the timing loop takes them: ``train_on(inputs, targets)``, ``answer(inputs)``."""

    def train(batch: Tuple[Any, Any]) -> Any:
        loss = train_on(*batch)
        device.started(loss, net.linear.bias[...])
        return loss

    def state() -> bytes:
        return digest(np.asarray(parameter[...]) for parameter in places(net).values())

    return timed_steps(
        timed,
        train=train,
        predict=lambda inputs: np.asarray(answer(inputs)),
        state=state,
        parameters=sum(parameter[...].size for parameter in places(net).values()),
    )


def open_learner(context: Context, window: int, weights: Weights, learning_rate: float, updates: int) -> Learner:
    """The net as the training loops take it, its rate falling to zero along half a cosine."""
    net = build(weights)
    optimizer = optimizer_of(net, optax.cosine_decay_schedule(learning_rate, updates))
    return Learner(
        net,
        train=lambda inputs, targets: float(train_step(net, optimizer, inputs, targets)),
        predict=lambda inputs: np.asarray(predict_step(net, inputs)),
    )


def open_subject(context: Context, description: Description, precision: str) -> Subject:
    """The described net for the proof."""
    device.set_precision(precision)
    net = build(description.weights, precision)
    optimizer = optimizer_of(net, description.learning_rate)

    def gradients() -> Dict[str, Any]:
        return {name: adam.first_gradient(place[...]) for name, place in places(first_moments(net, optimizer)).items()}

    return Subject(
        outputs=lambda inputs: np.asarray(predict_step(net, inputs.astype(precision))),
        step=lambda inputs, targets: float(
            train_step(net, optimizer, inputs.astype(precision), targets.astype(precision))
        ),
        gradients=gradients,
        parameters=lambda: {name: np.asarray(place[...]) for name, place in places(net).items()},
    )


prepare, train_to_quality, prove = implement(ready, open_learner, open_subject)
