"""Train a DenseNet to the published accuracy, with checkpoints from which a killed run continues identically."""

import hashlib
import json
import math
import os
import time
from types import SimpleNamespace
from typing import Dict, List, Optional, Tuple

import torch
from torch.nn import functional

from runners.contract import Context, Quality, Reason, RowError, Score
from runners.machine.files import atomic_write
from runners.pytorch import compat
from runners.pytorch.densenet.images import choose, epoch_order, labels_to_tensor, to_tensor
from runners.pytorch.densenet.net import build
from runners.pytorch.steps import count_parameters, torch_device, train_step

# Settings about when to stop or to save, not what is computed: a training may continue under other ones.
_NOT_IDENTITY = ("epochs", "target_accuracy", "checkpoint_every", "timing_learning_rate", "on_cpu")


class Training:
    """One training: the net, its optimizer, and its progress."""

    def __init__(self, context: Context) -> None:
        settings, data = context.settings, context.data
        self._settings, self._seed, self._device = settings, context.seed, torch_device(context.device)
        self._progress = context.progress
        train = choose(data.train_labels, settings["train_images"], context.seed)
        test = choose(data.test_labels, settings["test_images"], context.seed)
        self._train = data.train_images[train], data.train_labels[train]
        self._test = data.test_images[test], data.test_labels[test]

        context.backend.seed(context.seed)  # the net's initial values follow from it
        self._net = build(settings, context.device)
        self._optimizer = compat.adam(self._net.parameters(), settings["learning_rate"])
        history: Dict[str, List[float]] = {"loss": [], "held_out_loss": [], "held_out_accuracy": [], "seconds": []}
        # Step, losses and seconds are those of the epoch that is running.
        self._done = SimpleNamespace(step=0, losses=[], seconds=0.0, history=history, test_seconds=None, resumed=0)
        self._checkpoint = self._checkpoint_of(context)

    def _checkpoint_of(self, context: Context) -> Optional[str]:
        """This training's file; ``None`` without a folder, where nothing is kept.

        It is named after everything that the course of the training depends on: one of another identity neither reads
        the file nor writes over it.
        """
        if context.checkpoints is None:
            return None
        identity = {
            "settings": {key: value for key, value in self._settings.items() if key not in _NOT_IDENTITY},
            "seed": context.seed,
            "device": context.device,
            "data": context.data.source.sha256,
            "versions": context.backend.versions(),
            "threads": torch.get_num_threads(),
        }
        digest = hashlib.sha256(json.dumps(identity, sort_keys=True).encode("utf-8")).hexdigest()
        return os.path.join(context.checkpoints, "training-{}.pt".format(digest[:16]))

    @property
    def history(self) -> Dict[str, List[float]]:
        """Losses, accuracy and seconds of each finished epoch."""
        found: Dict[str, List[float]] = self._done.history
        return found

    def parameters(self) -> int:
        return count_parameters(self._net)

    def test_images(self) -> int:
        return len(self._test[1])

    def is_finished(self) -> bool:
        return self._reached() or len(self.history["loss"]) >= self._settings["epochs"]

    def _reached(self) -> bool:
        accuracies, target = self.history["held_out_accuracy"], self._settings["target_accuracy"]
        return bool(accuracies) and target is not None and accuracies[-1] >= target

    def run_epoch(self) -> None:
        """The rest of the epoch that is running, its test, and a checkpoint."""
        images, labels = self._train
        epoch, size = len(self.history["loss"]), self._settings["batch_size"]
        steps = math.ceil(len(labels) / size)
        order, flipped = epoch_order(len(labels), self._seed, epoch)
        self._net.train()
        done = self._done
        while done.step < steps:
            began = time.perf_counter()
            chosen = order[done.step * size : (done.step + 1) * size]
            batch = to_tensor(images[chosen], flipped[chosen]), labels_to_tensor(labels[chosen])
            loss = float(train_step(self._net, self._optimizer, functional.cross_entropy, self._device, batch))
            done.seconds += time.perf_counter() - began
            if not math.isfinite(loss):
                raise RowError(
                    "loss-diverged",
                    loss=str(loss),
                    epoch=epoch + 1,
                    batch=done.step + 1,
                    learning_rate=self._settings["learning_rate"],
                )
            done.losses.append(loss)
            done.step += 1
            self._progress("epoch {} of {}".format(epoch + 1, self._settings["epochs"]), done.step, steps)
            if done.step % self._settings["checkpoint_every"] == 0 and done.step < steps:
                self.save()
        self._finish_epoch()

    def _finish_epoch(self) -> None:
        began = time.perf_counter()
        loss, accuracy = self._evaluate()
        done = self._done
        done.test_seconds = time.perf_counter() - began
        for key, value in (
            ("loss", sum(done.losses) / len(done.losses)),
            ("held_out_loss", loss),
            ("held_out_accuracy", accuracy),
            ("seconds", done.seconds),
        ):
            self.history[key].append(value)
        done.step, done.losses, done.seconds = 0, [], 0.0
        self.save()

    def _evaluate(self) -> Tuple[float, float]:
        """Mean cross-entropy and share of correct labels over the test images."""
        images, labels = self._test
        size, summed, correct = self._settings["batch_size"], 0.0, 0
        self._net.eval()
        with torch.no_grad():
            for start in range(0, len(labels), size):
                truth = labels_to_tensor(labels[start : start + size]).to(self._device)
                logits = self._net(to_tensor(images[start : start + size]).to(self._device))
                summed += float(functional.cross_entropy(logits, truth, reduction="sum").item())
                correct += int((logits.argmax(1) == truth).sum().item())
                self._progress("test set", min(start + size, len(labels)), len(labels))
        return summed / len(labels), correct / float(len(labels))

    def save(self) -> None:
        """Write all that the rest of the training depends on; the old file stays until the new one is complete."""
        if self._checkpoint is None:
            return
        state = {
            "net": self._net.state_dict(),
            "optimizer": self._optimizer.state_dict(),
            "progress": json.dumps(vars(self._done)),
        }
        with atomic_write(self._checkpoint) as file:
            torch.save(state, file)

    def restore(self) -> None:
        """Continue from the checkpoint, if there is one of this training. Raises ``RowError``, naming a broken file."""
        if self._checkpoint is None or not os.path.exists(self._checkpoint):
            return
        try:
            state = compat.load_file(self._checkpoint)
        except Exception:  # torch raises whatever a broken file provokes
            raise RowError("checkpoint-damaged", file="/".join(self._checkpoint.split(os.sep)[-2:]))
        self._net.load_state_dict(state["net"])
        self._optimizer.load_state_dict(state["optimizer"])
        self._done = SimpleNamespace(**json.loads(state["progress"]))
        self._done.resumed += 1

    def quality(self) -> Quality:
        """The last epoch's figures: not the best epoch's, which the test images would have chosen."""
        history, seconds = self.history, sum(self.history["seconds"])
        loss, accuracy = history["held_out_loss"][-1], history["held_out_accuracy"][-1]
        return Quality(
            protocol="held-out",
            loss_metric="cross-entropy",
            accuracy_metric="top-1",
            scores=[Score("held-out", loss, accuracy, Reason("test-images", {"images": self.test_images()}))],
            by_seed=[{"seed": self._seed, "seconds": seconds, "loss": loss, "accuracy": accuracy}],
            epochs=len(history["loss"]),
            history=history,
            test_seconds=self._done.test_seconds,
            epoch_seconds=sorted(history["seconds"])[len(history["seconds"]) // 2],
            notes=self._notes(accuracy, seconds),
        )

    def _notes(self, accuracy: float, seconds: float) -> List[Reason]:
        epochs, images, target = len(self.history["loss"]), len(self._train[1]), self._settings["target_accuracy"]
        notes = []
        if target is not None:
            to_target = Reason(
                "trained-to-target",
                {"epochs": epochs, "images": images, "seconds": seconds, "accuracy": accuracy, "target": target},
            )
            notes.append(to_target if self._reached() else to_target._replace(key="trained-without-target"))
        if self._done.resumed:
            notes.append(Reason("interrupted", {"times": self._done.resumed}))
        return notes
