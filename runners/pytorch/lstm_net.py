"""Two stacked LSTM layers and a linear output in PyTorch, from the weights of a description."""

from typing import Any, Dict, Tuple

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from runners.contract import Context, Steps
from runners.nets import adam
from runners.nets.implementation import implement
from runners.nets.learner import Learner, Timed, cosine_share, timed_steps
from runners.nets.lstm import LAYERS, Weights, directions, size
from runners.nets.sameness import Description, Subject
from runners.pytorch import compat
from runners.pytorch.steps import (
    count_parameters,
    host_tensors,
    predict_step,
    state,
    torch_device,
    train_step,
    with_modes,
)

PARTS = (("kernel", "weight_ih"), ("recurrent", "weight_hh"), ("bias", "bias_ih"))
SECOND = (("bias", "bias_hh"),)


class ForecastNet(nn.Module):
    """Windows (n, time, 1) to forecasts (n, 1): LSTM, LSTM, linear; ``units`` is for one direction.

    PyTorch's layers have two biases where one is enough. The second one is held at zero, since training both would move
    their sum twice as far with every step.
    """

    def __init__(self, units: int, bidirectional: bool) -> None:
        super().__init__()  # without names: a test puts another class in this one's place
        self.lstm = nn.LSTM(1, units, num_layers=len(LAYERS), batch_first=True, bidirectional=bidirectional)
        self.linear = nn.Linear(units * len(directions(bidirectional)), 1)
        for name, parameter in self.lstm.named_parameters():
            if name.startswith("bias_hh"):
                nn.init.constant_(parameter, 0.0)
                parameter.requires_grad_(False)

    def forward(self, windows: Any) -> Any:
        _, (states, _) = self.lstm(windows)
        # Backwards the last state belongs to the first minute: it is in `states`, not at the end of the output.
        last = torch.cat([states[-2], states[-1]], 1) if self.lstm.bidirectional else states[-1]
        return self.linear(last)


def places(net: ForecastNet, second_bias: bool = False) -> Dict[str, Any]:
    """A description's name of a weight -> PyTorch's parameter, which is transposed.

    Both have the gates in the order input, forget, candidate, output. With ``second_bias``, only the second biases.
    """
    found = {} if second_bias else {"output.kernel": net.linear.weight, "output.bias": net.linear.bias}
    for number, layer in enumerate(LAYERS):
        for direction in directions(net.lstm.bidirectional):
            ending = "_l{}{}".format(number, "_reverse" if direction == "backward" else "")
            for part, name in SECOND if second_bias else PARTS:
                found["{}.{}.{}".format(layer, direction, part)] = getattr(net.lstm, name + ending)
    return found


def build(weights: Weights, device: Any, precision: str = "float32") -> ForecastNet:
    """The net with the weights of a description."""
    net = ForecastNet(*size(weights)).to(device, getattr(torch, precision))
    with torch.no_grad():
        for name, parameter in places(net).items():
            parameter.copy_(torch.from_numpy(np.ascontiguousarray(weights[name].T)))
    return net


def optimizer_of(net: ForecastNet, learning_rate: float, fused: bool = False) -> Any:
    """Adam with the epsilon that makes its step that of Keras."""
    trained = [parameter for parameter in net.parameters() if parameter.requires_grad]
    return compat.adam(trained, learning_rate, adam.EPSILON_OF_CORRECTED, fused=fused)


def ready(context: Context, timed: Timed, weights: Weights) -> Steps:
    """The net with these weights, ready for timing."""
    net = build(weights, torch_device(context.device))
    return steps(context, timed, net, net, optimizer_of(net, timed.learning_rate))


def steps(context: Context, timed: Timed, net: ForecastNet, forward: Any, optimizer: Any) -> Steps:
    """Training and prediction as the timing loop takes them; ``forward`` is the net or stands for it."""
    device = torch_device(context.device)
    batch = host_tensors(context.device, *map(torch.from_numpy, timed.batch))

    def one_pass() -> None:
        net.train()
        forward(batch[0].to(device)).sum().backward()

    made = timed_steps(
        timed._replace(batch=batch),
        train=lambda batch: train_step(forward, optimizer, functional.mse_loss, device, batch),
        predict=lambda inputs: predict_step(forward, device, inputs),
        state=lambda: state(net),
        parameters=count_parameters(net),
    )
    return with_modes(made, net)._replace(execution=lambda: {"operators": compat.operators_run(one_pass)})


def open_learner(context: Context, window: int, weights: Weights, learning_rate: float, updates: int) -> Learner:
    """The net as the training loops take it, its rate falling to zero along half a cosine."""
    device = torch_device(context.device)
    net = build(weights, device)
    optimizer = optimizer_of(net, learning_rate)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: cosine_share(step, updates))

    def train(inputs: Any, targets: Any) -> float:
        net.train()
        loss = train_step(net, optimizer, functional.mse_loss, device, tensors("float32", inputs, targets))
        schedule.step()
        return float(loss)

    def predict(inputs: Any) -> Any:
        net.eval()
        return predict_step(net, device, tensors("float32", inputs)[0]).numpy()

    return Learner(net, train, predict)


def tensors(precision: str, *arrays: Any) -> Tuple[Any, ...]:
    """Host tensors of arrays."""
    return tuple(torch.from_numpy(np.ascontiguousarray(one, precision)) for one in arrays)


def open_subject(context: Context, description: Description, precision: str) -> Subject:
    """The described net for the proof; on a GPU without TF32, whose rounding would hide small differences."""
    device = torch_device(context.device)
    net = build(description.weights, device, precision)
    optimizer = optimizer_of(net, description.learning_rate)

    def values(tensor: Any) -> Any:
        return np.array(tensor.detach().cpu().numpy().T)

    def step(inputs: Any, targets: Any) -> float:
        net.train()
        with compat.disable_tf32():
            batch = tensors(precision, inputs, targets)
            return float(train_step(net, optimizer, functional.mse_loss, device, batch))

    def parameters() -> Dict[str, Any]:
        """A gate's bias is the sum of both of PyTorch's."""
        found = {name: values(parameter) for name, parameter in places(net).items()}
        for name, parameter in places(net, second_bias=True).items():
            found[name] = found[name] + values(parameter)
        return found

    def outputs(inputs: Any) -> Any:
        net.eval()
        with compat.disable_tf32():
            return predict_step(net, device, tensors(precision, inputs)[0]).numpy()

    return Subject(
        outputs=outputs,
        step=step,
        gradients=lambda: {name: values(parameter.grad) for name, parameter in places(net).items()},
        parameters=parameters,
    )


prepare, train_to_quality, prove = implement(ready, open_learner, open_subject)
