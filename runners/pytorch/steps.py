"""A DenseNet made ready for timing: one training step and one prediction, from host memory."""

import hashlib
from typing import Any, Tuple

import torch
from torch.nn import functional

from runners.contract import Context, Steps
from runners.pytorch import backend
from runners.pytorch.densenet import DenseNet, count_parameters
from runners.pytorch.images import choose, labels_to_tensor, to_tensor


def build(settings: Any, device: str) -> DenseNet:
    """The net of a row's settings on ``device``, with PyTorch's own initial values."""
    normalize_first = device == "cpu" and settings["cpu_normalize_first"]
    net = DenseNet(settings["blocks"], settings["compression"], settings["growth"], normalize_first)
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
    count = settings["batch_size"]
    train_batch = _batch(context.data.train_images, context.data.train_labels, count, context.seed, context.device)
    predict_batch = _batch(context.data.test_images, context.data.test_labels, count, context.seed, context.device)[0]
    net = build(settings, context.device)
    optimizer = torch.optim.Adam(net.parameters(), lr=settings["timing_learning_rate"])
    backend.look_at(net, lambda: train_batch[0].to(device))

    def next_train_batch() -> Tuple[Any, Any]:
        net.train()
        return train_batch

    def train(batch: Tuple[Any, Any]) -> Any:
        images, labels = (part.to(device, non_blocking=True) for part in batch)
        optimizer.zero_grad()
        loss = functional.cross_entropy(net(images), labels)
        loss.backward()
        optimizer.step()
        return loss.detach()

    def next_predict_batch() -> Any:
        net.eval()
        return predict_batch

    def predict(images: Any) -> Any:
        with torch.no_grad():
            return net(images.to(device, non_blocking=True)).argmax(1).cpu()

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
            "normalize_first": context.device == "cpu" and settings["cpu_normalize_first"],
        },
    )


def _batch(images: Any, labels: Any, count: int, seed: int, device: str) -> Tuple[Any, Any]:
    chosen = choose(labels, count, seed)
    batch = to_tensor(images[chosen]), labels_to_tensor(labels[chosen])
    return tuple(part.pin_memory() for part in batch) if device == "gpu" else batch  # type: ignore[return-value]
