"""Show the DenseNet recipe at work where there is no GPU: train on a part of CIFAR-10, by the code that ``full`` runs.

    python -m experiments.pytorch_proof --data DIR --blocks 6,6,6 --growth 12 --train-images 5000 --epochs 8

Run it in PyTorch's environment. Prints one line per epoch. A run that was stopped continues if ``--checkpoints`` names
the same folder. The exit status is 0 only if the loss fell and the accuracy on held-out images is well above chance.
"""

import argparse
import sys
import time

from runners.contract import Context, RowError
from runners.data import dataset
from runners.registry import framework, load_model

CHANCE = 0.1
STDS = 5.0  # above chance: of the binomial distribution of that many guesses


def main(arguments=None):
    options = parse(arguments)
    try:
        data = dataset("cifar10").load(options.data)
        context, training = make_training(options, data)
        training.restore()
    except RowError as error:
        sys.stderr.write(f"erabench: {error}\n")
        return 2
    note = data.source.note.key if data.source.note else "verified"
    print(f"{data.source.source}; {note}")
    print(f"{training.parameters():,} parameters; {context.settings}")
    print("epoch  seconds    loss  held-out loss  held-out accuracy")
    began = time.time()
    while not training.is_finished():
        training.run_epoch()
        last = {name: values[-1] for name, values in training.history.items()}
        print(
            "{:5}  {seconds:7.1f}  {loss:6.4f}  {held_out_loss:13.4f}  {held_out_accuracy:17.4f}".format(
                len(training.history["loss"]), **last
            ),
            flush=True,
        )
    return judge(training, time.time() - began)


def judge(training, seconds):
    """Print and return the verdict: 0 if the loss fell and the accuracy is far enough above chance, else 1."""
    quality = training.quality()
    needed = CHANCE + STDS * (CHANCE * (1 - CHANCE) / training.test_images()) ** 0.5
    accurate = quality.scores[0].accuracy >= needed
    fell = quality.history["loss"][-1] < quality.history["loss"][0]
    print(
        f"{seconds:.0f} s in all; accuracy {'at least' if accurate else 'BELOW'} {needed:.3f}, {STDS:g} standard "
        f"deviations above chance; loss {'fell' if fell else 'DID NOT FALL'}"
    )
    return 0 if accurate and fell else 1


def make_training(options, data):
    """The context and training of these options; raises ``DeviceUnavailable``."""
    from runners.pytorch.backend import open_backend
    from runners.pytorch.densenet.training import Training

    model = load_model("pytorch", options.model)
    settings = dict(
        model.settings["full"],
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
    context = Context(
        backend, model, options.device, "full", settings, options.seed, data, show, options.checkpoints or None
    )
    return context, Training(context)


def show(phase, done, total):
    """Progress on a terminal; nothing where the output goes to a file."""
    if sys.stderr.isatty():
        sys.stderr.write(f"\r{phase} {done}/{total} \r")


def parse(arguments):
    rows = framework("pytorch").rows
    parser = argparse.ArgumentParser(prog="python -m experiments.pytorch_proof", description=__doc__.split("\n")[0])
    parser.add_argument("--data", required=True, metavar="DIR", help="folder of the fetched data sets")
    parser.add_argument("--model", default=rows[0], choices=rows, help="row with the settings (default: %(default)s)")
    parser.add_argument("--blocks", type=layers, help="other dense layers per block, such as 6,6,6: a smaller net")
    parser.add_argument("--growth", type=positive, help="another growth rate (default: 24)")
    parser.add_argument("--train-images", type=positive, default=5000, help="default: %(default)s")
    parser.add_argument("--test-images", type=positive, default=1000, help="default: %(default)s")
    parser.add_argument("--epochs", type=positive, default=8, help="default: %(default)s")
    parser.add_argument("--seed", type=int, default=1, help="default: %(default)s")
    parser.add_argument("--device", choices=("cpu", "gpu"), default="cpu")
    parser.add_argument("--threads", type=positive, help="CPU threads (default: PyTorch's)")
    parser.add_argument("--checkpoints", default="", metavar="DIR", help="folder for checkpoints (default: none kept)")
    return parser.parse_args(arguments)


def positive(text):
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{number} is less than 1")
    return number


def layers(text):
    return [positive(part) for part in text.split(",")]


if __name__ == "__main__":
    sys.exit(main())
