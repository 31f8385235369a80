"""Show the recipe at work where there is no GPU: train on a part of CIFAR-10, by the code that ``full`` runs.

    python -m runners.pytorch.proof --blocks 6,6,6 --growth 12 --train-images 5000 --test-images 1000 --epochs 8

Prints a line an epoch. A run that was stopped goes on where it was if ``--checkpoints`` names the same folder.
The exit status is 0 only if loss fell and the accuracy on held-out images is well above chance.
"""

import argparse
import sys
import time

from runners.contract import Context, DataUnavailable, DeviceUnavailable
from runners.data import dataset
from runners.data.__main__ import default_directory
from runners.pytorch import MODELS
from runners.registry import load_model

CHANCE = 0.1
DEVIATIONS = 5.0  # above chance: of the binomial distribution of that many guesses


def main(arguments=None):
    options = parse(arguments)
    try:
        data = dataset("cifar10").load(options.data_dir or default_directory())
        context, training = make_training(options, data)
        training.restore()
    except (DataUnavailable, DeviceUnavailable, OSError) as error:
        sys.stderr.write("erabench: {}\n".format(error))
        return 2
    print("{}; {}".format(data.source.source, data.source.note or "verified"))
    print("{:,} parameters; {}".format(training.parameters(), context.settings))
    print("epoch  seconds    loss  held-out loss  held-out accuracy")
    began = time.time()
    while not training.is_finished():
        training.run_epoch()
        history = training.history
        print(
            "{:5}  {:7.1f}  {:6.4f}  {:13.4f}  {:17.4f}".format(
                len(history["loss"]),
                history["seconds"][-1],
                history["loss"][-1],
                history["held_out_loss"][-1],
                history["held_out_accuracy"][-1],
            )
        )
        sys.stdout.flush()
    quality = training.quality()
    needed = CHANCE + DEVIATIONS * (CHANCE * (1 - CHANCE) / training.test_images()) ** 0.5
    accurate = quality.scores[0].accuracy >= needed
    fell = quality.history["loss"][-1] < quality.history["loss"][0]
    print(
        "{:.0f} s in all; accuracy {} {:.3f}, {:g} deviations above chance; loss {}".format(
            time.time() - began,
            "at least" if accurate else "BELOW",
            needed,
            DEVIATIONS,
            "fell" if fell else "DID NOT FALL",
        )
    )
    return 0 if accurate and fell else 1


def make_training(options, data):
    """The context and training of these options; raises ``DeviceUnavailable``."""
    from runners.pytorch.backend import open_backend
    from runners.pytorch.training import Training

    settings = dict(
        load_model("pytorch", options.model).settings["full"],
        epochs=options.epochs,
        target_accuracy=None,
        train_images=options.train_images,
        test_images=options.test_images,
        on_cpu=True,
    )
    if options.blocks:
        settings["blocks"] = options.blocks
    if options.growth:
        settings["growth"] = options.growth
    backend = open_backend(options.device, options.threads)
    context = Context(backend, options.device, "full", settings, options.seed, data, show, options.checkpoints or None)
    return context, Training(context)


def show(phase: str, done: int, total: int) -> None:
    """Progress on a terminal; nothing where the output goes to a file."""
    if sys.stderr.isatty():
        sys.stderr.write("\r{} {}/{} \r".format(phase, done, total))


def parse(arguments):
    parser = argparse.ArgumentParser(prog="python -m runners.pytorch.proof", description=__doc__.split("\n")[0])
    parser.add_argument("--model", default=MODELS[0], choices=MODELS, help="whose settings (default: %(default)s)")
    parser.add_argument(
        "--blocks", type=layers, help="other dense layers a block, e.g. 6,6,6: a smaller net of the kind"
    )
    parser.add_argument("--growth", type=positive, help="another growth rate (default: 24)")
    parser.add_argument("--train-images", type=positive, default=5000, help="default: %(default)s")
    parser.add_argument("--test-images", type=positive, default=1000, help="default: %(default)s")
    parser.add_argument("--epochs", type=positive, default=8, help="default: %(default)s")
    parser.add_argument("--seed", type=int, default=1, help="default: %(default)s")
    parser.add_argument("--device", choices=("cpu", "gpu"), default="cpu")
    parser.add_argument("--threads", type=positive, help="processor threads (default: PyTorch's)")
    parser.add_argument("--data-dir", default="", help="the cache (default: $DATA_DIR, else under the XDG cache)")
    parser.add_argument("--checkpoints", default="", help="folder to keep checkpoints in (default: none kept)")
    return parser.parse_args(arguments)


def positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("{} is less than 1".format(number))
    return number


def layers(text: str) -> list:
    return [positive(part) for part in text.split(",")]


if __name__ == "__main__":
    sys.exit(main())
