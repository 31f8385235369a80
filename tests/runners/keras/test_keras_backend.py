"""TensorFlow behind the contract: devices, threads, memory, execution. Runs on TensorFlow 1 and 2."""

import types
from unittest import mock

import pytest

pytest.importorskip("tensorflow", reason="TensorFlow is not in this environment")

from keras_helpers import make_context, thread_pools

from runners.contract import DeviceUnavailable
from runners.data import airline
from runners.keras import compat, lstm, lstm_net, lstm_rows
from runners.keras.backend import describe, open_backend


def test_the_versions_name_what_computes(backend):
    """TensorFlow, Keras and NumPy, as they call themselves."""
    assert backend.versions()["tensorflow"] == compat.tf.__version__
    assert set(backend.versions()) >= {"tensorflow", "keras", "numpy"}


def test_on_the_cpu_no_memory_is_counted(backend):
    """TensorFlow has no counter for the CPU, so nothing is made up."""
    backend.reset_memory()
    backend.synchronize()
    assert backend.read_memory() == {}


def test_both_thread_pools_are_pinned(backend):
    """The number asked for reaches TensorFlow itself and the record."""
    assert thread_pools() == (1, 1)
    assert backend.execution()["threads"] == 1


def test_the_execution_names_what_ran(backend):
    """After real steps on the CPU: the generic LSTM, without XLA, with nothing deterministic asked for."""
    settings = dict(lstm.MODEL.settings["smoke"], units=2)
    steps = lstm_rows.prepare(make_context(lstm.MODEL, settings, airline.load()))
    steps.train(steps.train_batch())
    found = backend.execution()
    operations = compat.operations_run()
    assert (found["lstm"], found["xla"]) == ((None, None) if operations is None else ("generic", False))
    assert not found["deterministic"]
    assert found["execution"] == ("graph session" if compat.GRAPH else "tf.function")  # no stack tested here is eager
    assert operations is None or "MatMul" in operations, "the graph that ran is the one examined"


@pytest.mark.skipif(compat.GRAPH, reason="TensorFlow 1 has no tf.function")
def test_xla_is_recognized_by_its_functions(backend):
    """A function compiled by XLA shows in the execution."""
    compiled = compat.tf_function(lambda value: value + 1, True)
    assert backend.execution()["xla"] is False
    compiled(1.0)
    assert backend.execution()["xla"] is True


def test_cudnn_is_recognized_by_its_operations(monkeypatch):
    """An operation of cuDNN's family in a graph that was built means that cuDNN's LSTM ran; a GPU adds two facts."""
    monkeypatch.setattr(compat, "tf32_is_on", lambda: True)
    monkeypatch.setattr(compat, "resets_memory", lambda: True)
    assert describe({"MatMul", "CudnnRNNV3"}, "gpu", 4) == {
        "lstm": "cuDNN",
        "execution": compat.EXECUTION,
        "xla": False,
        "deterministic": compat.determinism_is_on(),
        "threads": 4,
        "inter_op_threads": 4,
        "tf32": True,
        "peak_memory": "timed-steps",
    }


def test_without_a_gpu_the_row_is_skipped_with_its_reason(monkeypatch):
    """An invisible GPU is not a failure of the row."""
    monkeypatch.setattr(compat, "visible_gpus", list)
    with pytest.raises(DeviceUnavailable) as caught:
        open_backend("gpu", 1)
    version = compat.tf.__version__
    assert caught.value.reason == ("gpu-not-visible", {"framework": "TensorFlow", "version": version})


def test_a_gpu_that_tensorflow_has_no_code_for_is_skipped_with_its_reason(monkeypatch):
    """A GPU too new or too old for the build: the first computation fails, and its message is passed on."""

    def no_code():
        raise compat.tf.errors.InternalError(None, None, "CUDA_ERROR_INVALID_PTX")

    monkeypatch.setattr(compat, "visible_gpus", lambda: ["a GPU"])
    monkeypatch.setattr(compat, "configure", lambda device, threads: None)
    monkeypatch.setattr(compat, "try_gpu", no_code)
    with pytest.raises(DeviceUnavailable) as caught:
        open_backend("gpu", 1)
    assert caught.value.reason.key == "gpu-unusable"
    assert "CUDA_ERROR_INVALID_PTX" in caught.value.reason.values["message"]


def test_a_gpu_is_waited_for_and_its_peak_reset(monkeypatch):
    """Synchronize waits for all devices; the peak is reset before and read after."""
    tf = mock.MagicMock()
    tf.config.experimental.get_memory_info.return_value = {"current": 5, "peak": 7}
    monkeypatch.setattr(compat, "tf", tf)
    monkeypatch.setattr(compat, "_device", "gpu")
    compat.reset_memory()
    compat.synchronize()
    assert compat.read_memory() == {"peak_allocated_bytes": 7}
    assert tf.mock_calls == [
        mock.call.config.experimental.reset_memory_stats("GPU:0"),
        mock.call.test.experimental.sync_devices(),
        mock.call.config.experimental.get_memory_info("GPU:0"),
    ]


def test_a_version_that_cannot_reset_its_peak_says_what_the_peak_is_of(monkeypatch):
    """TensorFlow 1 has nothing to call for it, nor for a synchronization: a session's run has waited already."""
    monkeypatch.setattr(compat, "tf", types.SimpleNamespace(test=object()))
    monkeypatch.setattr(compat, "_device", "gpu")
    compat.reset_memory()
    compat.synchronize()
    assert not compat.resets_memory()
    assert describe(set(), "gpu", None)["peak_memory"] == "process"


def test_the_seed_decides_the_first_weights(backend):
    """The same seed gives the same net, another seed another."""

    def weights(seed):
        compat.reset_session()
        backend.seed(seed)
        return b"".join(values.tobytes() for values in lstm_net.build(4, 3).get_weights())

    assert weights(1) == weights(1)
    assert weights(1) != weights(2)


def test_tf32_is_off_within_the_block_only(monkeypatch):
    """For the comparison of outputs; afterwards it is on again."""
    calls = []
    monkeypatch.setattr(compat, "tf32_is_on", lambda: True)
    monkeypatch.setattr(
        compat.tf.config, "experimental", types.SimpleNamespace(enable_tensor_float_32_execution=calls.append)
    )
    with compat.disable_tf32():
        assert calls == [False]
    assert calls == [False, True]
