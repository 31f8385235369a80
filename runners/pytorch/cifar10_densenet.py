"""The DenseNet rows on CIFAR-10: made ready for timing, and trained."""

import math
from typing import Any, Dict, Tuple

import torch
from torch.nn import functional

from runners.contract import Context, Quality, Reason, Steps, digest
from runners.nets import densenet
from runners.nets.densenet import Batches
from runners.nets.densenet_implementation import prove_row, timed_steps
from runners.pytorch import compat
from runners.pytorch.densenet import DenseNet, build, torch_device
from runners.pytorch.images import channels_first
from runners.pytorch.training import Training
from runners.pytorch.twins.densenet import open_twin


def batches(context: Context) -> Batches:
    """The row's batches as a data loader returns them: tensors in host memory, page-locked for a GPU."""
    images, labels, predict = densenet.batches(context)
    tensors = [channels_first(images), torch.from_numpy(labels), channels_first(predict)]
    return Batches(*[tensor.pin_memory() if context.device == "gpu" else tensor for tensor in tensors])


def prepare(context: Context) -> Steps:
    """Steps on one batch, used again and again so that the loss falls within a few steps.

    Loading and augmentation are outside the clock. Adam runs at a smaller learning rate than in training: its
    arithmetic is the same, and at 1e-3 the first steps on one batch overshoot, which would look like no training.
    """
    net = build(context.settings, context.device)
    adam = compat.adam(net.parameters(), context.settings["timing_learning_rate"])
    return steps(context, net, net, adam, batches(context))


def steps(context: Context, net: DenseNet, forward: Any, optimizer: Any, data: Batches) -> Steps:
    """Training and prediction of a net as the timing loop takes them; ``forward`` is the net or stands for it."""
    device = torch_device(context.device)

    def next_train_batch() -> Tuple[Any, Any]:
        net.train()
        return data.images, data.labels

    def train(batch: Tuple[Any, Any]) -> Any:
        images, labels = (part.to(device, non_blocking=True) for part in batch)
        optimizer.zero_grad()
        loss = functional.cross_entropy(forward(images), labels)
        loss.backward()
        optimizer.step()
        return loss.detach()

    def next_predict_batch() -> Any:
        net.eval()
        return data.predict

    def predict(images: Any) -> Any:
        with torch.no_grad():
            return forward(images.to(device, non_blocking=True)).argmax(1).cpu()

    def state() -> bytes:
        return digest(parameter.detach().cpu().numpy() for parameter in net.parameters())

    return timed_steps(context, data, train, predict, state)._replace(
        train_batch=next_train_batch,
        predict_batch=next_predict_batch,
        execution=lambda: compat.kernels_run(net, forward, data.images.to(device)),
    )


def train_to_quality(context: Context) -> Quality:
    """Train to the target accuracy or the last epoch, whichever comes first; an empty ``Quality`` outside ``full``."""
    settings = context.settings
    if "epochs" not in settings:
        return Quality(reason=Reason("full-profile-only"))
    if context.device == "cpu" and not settings.get("on_cpu"):
        batches = math.ceil(len(context.data.train_labels) / settings["batch_size"])
        return Quality(reason=Reason("too-slow-on-cpu", {"batches": batches}))
    training = Training(context)
    training.restore()
    while not training.is_finished():
        training.run_epoch()
    return training.quality()


def prove(context: Context) -> Dict[str, Any]:
    """How far the net is from the NumPy reference."""
    return prove_row(context, open_twin)
