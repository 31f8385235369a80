"""A DenseNet made ready for timing: one training step and one prediction, from host memory."""

import hashlib
from typing import Any, Tuple

import torch
from torch.nn import functional

from runners.contract import Context, Steps
from runners.pytorch import backend, compat
from runners.pytorch.densenet import DenseNet, count_parameters
from runners.pytorch.images import choose, labels_to_tensor, to_tensor


def build(settings: Any, device: str) -> DenseNet:
    """The net of a row's settings on ``device``, with PyTorch's own initial values."""
    net = DenseNet(settings["blocks"], settings["compression"], settings["growth"])
    return net.to(torch_device(device))


def torch_device(device: str) -> Any:
    return torch.device("cuda:0" if device == "gpu" else "cpu")


def prepare(context: Context) -> Steps:
    """Steps on one batch of real images, used again and again so that the loss falls within a few steps.

    The batch lies normalized in host memory as a data loader hands it over (page-locked for a GPU), so loading and
    augmentation are outside the clock. Adam runs at a smaller learning rate than in training: its arithmetic is
    the same, and at 1e-3 the first steps on one batch overshoot, which the gate takes for not training.
    """
    settings, device = context.settings, torch_device(context.device)
    count, data = settings["batch_size"], context.data
    train_batch = _batch(data.train_images, data.train_labels, count, context)
    predict_batch = _batch(data.test_images, data.test_labels, count, context)[0]
    net = build(settings, context.device)
    if settings.get("channels_last"):
        compat.channels_last(net)
    forward = compat.compiled(net) if settings.get("compile") else net
    if settings.get("cudnn_benchmark"):
        torch.backends.cudnn.benchmark = True
    optimizer = compat.adam(net.parameters(), settings["timing_learning_rate"], settings.get("fused", False))
    backend.look_at(net, forward, lambda: train_batch[0].to(device))

    def next_train_batch() -> Tuple[Any, Any]:
        net.train()
        return train_batch

    def train(batch: Tuple[Any, Any]) -> Any:
        images, labels = (part.to(device, non_blocking=True) for part in batch)
        optimizer.zero_grad()
        loss = functional.cross_entropy(forward(images), labels)
        loss.backward()
        optimizer.step()
        return loss.detach()

    def next_predict_batch() -> Any:
        net.eval()
        return predict_batch

    def predict(images: Any) -> Any:
        with torch.no_grad():
            return forward(images.to(device, non_blocking=True)).argmax(1).cpu()

    def outputs() -> Any:
        net.eval()
        with torch.no_grad(), compat.exact_products():
            return forward(predict_batch.to(device)).cpu().numpy().ravel()

    def state() -> bytes:
        digest = hashlib.sha256()
        for parameter in net.parameters():
            digest.update(parameter.detach().cpu().numpy().tobytes())
        return digest.digest()

    return Steps(
        train=train,
        train_batch=next_train_batch,
        read_loss=float,
        predict=predict,
        predict_batch=next_predict_batch,
        state=state,
        parameters=count_parameters(net),
        batch_size=count,
        details={
            "linear_inputs": net.linear.in_features,
            "blocks": list(settings["blocks"]),
            "growth": settings["growth"],
            "compression": settings["compression"],
        },
        outputs=outputs,
    )


def _batch(images: Any, labels: Any, count: int, context: Context) -> Tuple[Any, Any]:
    chosen = choose(labels, count, context.seed)
    batch = to_tensor(images[chosen]), labels_to_tensor(labels[chosen])
    if context.settings.get("channels_last"):
        batch = compat.channels_last(batch[0]), batch[1]
    return (batch[0].pin_memory(), batch[1].pin_memory()) if context.device == "gpu" else batch
