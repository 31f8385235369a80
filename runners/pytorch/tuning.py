"""What may make a PyTorch row faster without changing what it computes."""

from typing import Any, Dict

import torch

from runners.contract import Context, Steps, Variant
from runners.nets.implementation import start
from runners.pytorch import compat, lstm_net
from runners.pytorch.densenet.net import build
from runners.pytorch.densenet.row import batches, steps
from runners.pytorch.steps import predict_step, torch_device


def prepare(context: Context, settings: Dict[str, Any]) -> Variant:
    """The row with the options' settings."""
    return (_densenet if context.model.dataset == "cifar10" else _lstm)(context, settings)


def _lstm(context: Context, settings: Dict[str, Any]) -> Variant:
    timed, weights = start(context)
    net = lstm_net.build(weights, torch_device(context.device))
    forward = compat.compiled(net) if settings.get("compile") else net
    optimizer = lstm_net.optimizer_of(net, timed.learning_rate, fused=settings.get("fused", False))
    return _variant(context, lstm_net.steps(context, timed, net, forward, optimizer), forward)


def _densenet(context: Context, settings: Dict[str, Any]) -> Variant:
    net, data = build(context.settings, context.device), batches(context)
    if settings.get("channels_last"):
        compat.channels_last(net)
        data = data._replace(images=compat.channels_last(data.images), predict=compat.channels_last(data.predict))
    forward = compat.compiled(net) if settings.get("compile") else net
    if settings.get("cudnn_benchmark"):
        torch.backends.cudnn.benchmark = True
    adam = compat.adam(net.parameters(), context.settings["timing_learning_rate"], fused=settings.get("fused", False))
    return _variant(context, steps(context, net, forward, adam, data), forward)


def _variant(context: Context, made: Steps, forward: Any) -> Variant:
    def outputs() -> Any:
        inputs = made.predict_batch()  # which puts the net into evaluation mode
        with compat.disable_tf32():
            return predict_step(forward, torch_device(context.device), inputs).numpy().ravel()

    return Variant(made, outputs)
