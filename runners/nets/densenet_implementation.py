"""A DenseNet row's implementation, from the few things that a framework has to give."""

from functools import partial
from typing import Any, Callable, Dict

from runners.contract import Context, Implementation, Quality, Reason, Steps
from runners.nets import densenet
from runners.nets.densenet_reference import open_reference
from runners.nets.sameness import OpenSubject, prove


def implement(
    ready: Callable[[Context, densenet.Batches, densenet.Weights], Steps], open_subject: OpenSubject
) -> Implementation:
    """The functions of a row that is only timed, from a framework's net with described weights: for timing, proof."""

    def prepare(context: Context) -> Steps:
        """An untrained net, ready for timing."""
        weights = densenet.initial_weights(context.settings, context.seed)
        return ready(context, densenet.batches(context), weights)

    def train_to_quality(context: Context) -> Quality:
        """Nothing: the published row trains this net."""
        return Quality(reason=Reason("only-timed", {"row": context.model.twin_of}))

    return prepare, train_to_quality, partial(prove_row, open_subject)


def prove_row(open_subject: OpenSubject, context: Context) -> Dict[str, Any]:
    """The record's ``sameness`` of a DenseNet row: how far the framework's net is from the NumPy reference."""
    return prove(
        densenet.describe(context),
        lambda description: open_reference(description, context.settings),
        lambda description, precision: open_subject(context, description, precision),
        context.checkpoints,
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
