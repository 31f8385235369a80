"""Training step and prediction of a net, as PyTorch's rows time them and their proofs run them."""

from typing import Any, Callable, Tuple

import torch

from runners.contract import Steps, digest

LossOf = Callable[[Any, Any], Any]
"""``loss_of(answers, targets)``: the mean over a batch."""


def torch_device(device: str) -> Any:
    """PyTorch's device for "cpu" or "gpu": the first GPU."""
    return torch.device("cuda:0" if device == "gpu" else "cpu")


def host_tensors(device: str, *tensors: Any) -> Tuple[Any, ...]:
    """The tensors as a data loader returns them: in host memory, page-locked for a GPU."""
    return tuple(tensor.pin_memory() if device == "gpu" else tensor for tensor in tensors)


def train_step(forward: Any, optimizer: Any, loss_of: LossOf, device: Any, batch: Tuple[Any, Any]) -> Any:
    """One update on a batch of host tensors; the loss before it, on the device."""
    inputs, targets = (part.to(device, non_blocking=True) for part in batch)
    optimizer.zero_grad()
    loss = loss_of(forward(inputs), targets)
    loss.backward()
    optimizer.step()
    return loss.detach()


def predict_step(forward: Any, device: Any, inputs: Any) -> Any:
    """The answers to a host tensor, in host memory."""
    with torch.no_grad():
        return forward(inputs.to(device, non_blocking=True)).cpu()


def with_modes(steps: Steps, net: Any) -> Steps:
    """The steps with the net put into training or evaluation mode when a batch is fetched: outside the clock."""

    def train_batch() -> Any:
        net.train()
        return steps.train_batch()

    def predict_batch() -> Any:
        net.eval()
        return steps.predict_batch()

    return steps._replace(train_batch=train_batch, predict_batch=predict_batch)


def state(net: Any) -> bytes:
    """A digest of the net's parameters."""
    return digest(parameter.detach().cpu().numpy() for parameter in net.parameters())


def count_parameters(net: Any) -> int:
    """How many numbers the optimizer trains."""
    return sum(parameter.numel() for parameter in net.parameters() if parameter.requires_grad)
