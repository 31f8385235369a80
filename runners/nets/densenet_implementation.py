"""A DenseNet row's implementation, from the few things that a framework has to give."""

from typing import Any, Callable, Dict, NamedTuple

from runners.contract import Context, Quality, Reason, Steps
from runners.nets import densenet
from runners.nets.densenet_reference import open_reference
from runners.nets.sameness import OpenSubject, prove


class Library(NamedTuple):
    """What a framework gives: its net from described weights, for the timing and the proof."""

    prepare: Callable[[Context, densenet.Batches, densenet.Weights], Steps]
    open_subject: OpenSubject


class Implementation:
    """``prepare``, ``train_to_quality`` and ``prove`` of a row that is only timed."""

    def __init__(self, library: Library) -> None:
        self._library = library

    def prepare(self, context: Context) -> Steps:
        """An untrained net, ready for timing."""
        weights = densenet.initial_weights(context.settings, context.seed)
        return self._library.prepare(context, densenet.batches(context), weights)

    def train_to_quality(self, context: Context) -> Quality:
        """Nothing: the published row trains this net."""
        return Quality(reason=Reason("only-timed", {"row": context.model.twin_of}))

    def prove(self, context: Context) -> Dict[str, Any]:
        """How far the framework's net is from the NumPy reference."""
        return prove_row(context, self._library.open_subject)


def prove_row(context: Context, open_subject: OpenSubject) -> Dict[str, Any]:
    """The record's ``sameness`` of a DenseNet row."""
    return prove(
        densenet.describe(context),
        lambda description: open_reference(description, context.settings),
        lambda description, precision: open_subject(context, description, precision),
    )


def timed_steps(
    context: Context,
    batch: densenet.Batches,
    train: Callable[[Any], Any],
    predict: Callable[[Any], Any],
    state: Callable[[], bytes],
) -> Steps:
    """The net as the timing loop takes it, from the framework's own step and prediction, on one batch."""
    settings, shape = context.settings, densenet.shape_of(context.settings)
    return Steps(
        train=train,
        train_batch=lambda: (batch.images, batch.labels),
        read_loss=float,
        predict=predict,
        predict_batch=lambda: batch.predict,
        state=state,
        parameters=densenet.count_parameters(settings),
        batch_size=settings["batch_size"],
        details={
            "linear_inputs": shape.channels * shape.size**2,
            "blocks": list(settings["blocks"]),
            "growth": settings["growth"],
            "compression": settings["compression"],
        },
    )
