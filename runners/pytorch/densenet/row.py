"""The DenseNet rows on CIFAR-10: made ready for timing, and trained."""

import math
from functools import partial
from typing import Any

import torch
from torch.nn import functional

from runners.contract import Context, Quality, Reason, Steps
from runners.nets import densenet
from runners.nets.densenet import Batches
from runners.nets.densenet_implementation import prove_row, timed_steps
from runners.pytorch import compat
from runners.pytorch.densenet.images import channels_first
from runners.pytorch.densenet.net import DenseNet, build, open_subject
from runners.pytorch.densenet.training import Training
from runners.pytorch.steps import host_tensors, predict_step, state, torch_device, train_step, with_modes


def batches(context: Context) -> Batches:
    """The row's batches as a data loader returns them."""
    images, labels, predict = densenet.batches(context)
    tensors = host_tensors(context.device, channels_first(images), torch.from_numpy(labels), channels_first(predict))
    return Batches(*tensors)


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
    made = timed_steps(
        context,
        data,
        train=lambda batch: train_step(forward, optimizer, functional.cross_entropy, device, batch),
        predict=lambda images: predict_step(lambda batch: forward(batch).argmax(1), device, images),
        state=lambda: state(net),
    )
    return with_modes(made, net)._replace(
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


prove = partial(prove_row, open_subject)
