"""One row's training and prediction timed in this process, with memory, energy, conditions and warnings."""

from typing import Any, Callable, Dict, List, Optional

from runners.contract import Backend, Quality, Rule, Steps
from runners.machine import load, memory, nvml
from runners.worker import energy, events, synchronization, warnings
from runners.worker.gate import reason_not_training
from runners.worker.measure import interquartile_range, measure, median_interval, quantile


class Timing:
    """What it takes to time the phases of one row on one device."""

    def __init__(self, steps: Steps, backend: Backend, device: str, rule: Rule, sender: events.Sender) -> None:
        self._steps, self._backend, self._device, self._rule, self._sender = steps, backend, device, rule, sender
        self._warnings: List[Dict[str, Any]] = []

    def run(self, gpu_before: Optional[nvml.Gpu], with_energy: bool, proves: bool) -> Dict[str, Any]:
        """Time training, then prediction. Returns the fields of the process's result.

        With ``proves`` an asynchronous device proves that its synchronization waits, after the warm-up of training.
        """
        steps, backend = self._steps, self._backend
        resident_before = memory.resident_bytes()
        peak_before, is_reset = memory.peak_resident_bytes(), memory.reset_peak()
        backend.reset_memory()
        losses: List[float] = []

        def keep_loss(answer: Any) -> None:
            losses.append(steps.read_loss(answer))

        def prove() -> None:
            if proves and backend.asynchronous:
                synchronization.prove(steps, backend.synchronize)

        state_before = steps.state()
        train = self._phase("train", steps.train, steps.train_batch, keep_loss, prove)
        timed = losses[len(train["warmup_s"]) :]
        reason = reason_not_training(timed, steps.iterative, state_before, steps.state())
        train.update(unit=steps.train_unit, losses=losses, valid=reason is None, reason=reason)
        predict = self._phase("predict", steps.predict, steps.predict_batch, lambda answer: None)
        gpu_after = nvml.read() if gpu_before is not None else None
        peak = memory.peak_resident_bytes()
        counted = backend.read_memory()
        return {
            "train": train,
            "predict": predict,
            "warnings": self._warnings,
            "memory": {
                "peak_allocated_bytes": counted.get("peak_allocated_bytes"),
                "peak_reserved_bytes": counted.get("peak_reserved_bytes"),
                "gpu_used_before_bytes": gpu_before.memory_used if gpu_before else None,
                "gpu_used_after_bytes": gpu_after.memory_used if gpu_after else None,
                "gpu_total_bytes": gpu_before.memory_total if gpu_before else None,
                "resident_before_bytes": resident_before,
                # A peak that could not be reset is that of the timed steps only if it rose.
                "peak_resident_bytes": peak if is_reset or (peak or 0) > (peak_before or 0) else None,
            },
            "energy": self._energy() if with_energy else None,
        }

    def _phase(
        self,
        name: str,
        step: Callable[[Any], Any],
        next_batch: Callable[[], Any],
        observe: Callable[[Any], None],
        before_samples: Callable[[], None] = lambda: None,
    ) -> Dict[str, Any]:
        self._sender.send("phase", phase=name)
        on_gpu = self._device == "gpu"
        warm: List[Any] = []  # the GPU and the machine when the samples begin: building and compiling come before

        def on_warm() -> None:
            before_samples()
            warm.extend([nvml.read() if on_gpu else None, load.read()])

        samples = measure(
            step,
            self._backend.synchronize,
            self._rule,
            next_batch=next_batch,
            observe=observe,
            progress=self._sender.samples(name, self._rule),
            on_warm=on_warm,
        )
        gpu_after = nvml.read() if on_gpu else None  # before anything else, while it still has its clock
        gpu_before, load_before = warm
        conditions = load.conditions(load_before, load.read())
        conditions.update(nvml.conditions(gpu_before, gpu_after))
        ordered = sorted(samples.samples_s)
        phase = dict(
            samples._asdict(),
            unit="batch",
            batch_size=self._steps.batch_size,
            median_s=quantile(ordered, 0.5),
            interval_s=median_interval(ordered),
            iqr_s=interquartile_range(ordered),
            losses=[],
            valid=True,
            reason=None,
            conditions=conditions,
        )
        found = warnings.of_phase(phase, self._rule, gpu_before, gpu_after)
        self._warnings += [dict(warning._asdict(), phase=name) for warning in found]
        return phase

    def _energy(self) -> Optional[Dict[str, Any]]:
        steps = self._steps
        train, predict = [
            energy.per_batch(self._device, step, next_batch, self._backend.synchronize)
            for step, next_batch in ((steps.train, steps.train_batch), (steps.predict, steps.predict_batch))
        ]
        if train is None and predict is None:
            return None
        source = energy.SOURCES[self._device]
        return {"train_joules_per_batch": train, "predict_joules_per_batch": predict, "source": source}


def complete_passes(steps: Steps, quality: Quality, train: Dict[str, Any], predict: Dict[str, Any]) -> Dict[str, Any]:
    """Seconds per epoch and per test set, where the page quotes them: measured, else extrapolated."""

    def seconds(batches: Optional[int], measured_s: Optional[float], phase: Dict[str, Any]) -> Optional[Dict[str, Any]]:
        if batches is None or not phase["valid"]:
            return None
        if measured_s is not None:
            return {"seconds": measured_s, "batches": batches, "how": "measured"}
        return {"seconds": batches * phase["median_s"], "batches": batches, "how": "extrapolated"}

    return {
        "epoch": seconds(steps.train_batches, quality.epoch_seconds, train),
        "test_set": seconds(steps.test_batches, quality.test_seconds, predict),
    }
