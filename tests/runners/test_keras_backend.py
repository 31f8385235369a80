"""TensorFlow behind the contract: devices, threads, memory, kernels. Runs on TensorFlow 1.15 and 2."""

import types

import pytest

pytest.importorskip("tensorflow", reason="TensorFlow is not in this environment")

from runners.contract import DeviceUnavailable, OptionUnavailable
from runners.keras import compat, network, tuning
from runners.keras.backend import describe_kernels, open_backend


@pytest.fixture
def backend():
    return open_backend("cpu", 1)


def test_the_versions_name_what_computes(backend):
    """TensorFlow, Keras and NumPy, as they call themselves."""
    assert backend.name == "TensorFlow"
    assert backend.versions()["tensorflow"] == compat.tf.__version__
    assert set(backend.versions()) >= {"tensorflow", "keras", "numpy"}


def test_on_the_cpu_no_memory_is_counted(backend):
    """TensorFlow has no counter for the CPU, so nothing is made up."""
    backend.reset_memory()
    backend.synchronize()
    assert backend.read_memory() == {}


def test_both_thread_pools_are_pinned(backend):
    """The number asked for reaches TensorFlow itself and the record."""
    if compat.TF1:
        options = compat.tf.compat.v1.keras.backend.get_session()._config
        pools = (options.intra_op_parallelism_threads, options.inter_op_parallelism_threads)
    else:
        threading = compat.tf.config.threading
        pools = (threading.get_intra_op_parallelism_threads(), threading.get_inter_op_parallelism_threads())
    assert pools == (1, 1)
    assert backend.kernel_path()["threads"] == 1


def test_the_kernel_path_tells_what_ran(backend):
    """After real steps on the CPU: the generic LSTM, without XLA, deterministic."""
    compat.start_over()
    net = network.compile_with_adam(network.build(4, 2), 1e-3)
    steps = network.steps(net, network.representative_batch(*windows()), {}, {})
    steps.train(steps.train_batch())
    path = backend.kernel_path()
    assert (path["lstm"], path["xla"]) == ("generic", False)
    assert path["deterministic"] is (None if compat.TF1 else True)
    assert path["execution"] == ("graph session" if compat.TF1 else "tf.function")
    assert "MatMul" in compat.operations_run(), "the graph that ran is the one looked at"


def windows():
    random = compat.np.random.RandomState(0)
    return random.rand(40, 4), random.rand(40)


@pytest.mark.skipif(compat.TF1, reason="TensorFlow 1.15 has no jit_compile")
def test_xla_is_told_from_the_functions(backend):
    """A function compiled by XLA shows in the kernel path."""
    compiled = compat.tf.function(lambda value: value + 1, jit_compile=True)
    assert backend.kernel_path()["xla"] is False
    compiled(1.0)
    assert backend.kernel_path()["xla"] is True


def test_cudnn_is_told_from_the_operations():
    """An operation of cuDNN's family in a graph that was built means that cuDNN's LSTM ran; a GPU tells more."""
    fake = types.SimpleNamespace(TF1=False, determinism_is_on=lambda: True, tf32_is_on=lambda: True)
    assert describe_kernels({"MatMul", "CudnnRNNV3"}, fake, "gpu", 4) == {
        "lstm": "cuDNN",
        "execution": "tf.function",
        "xla": False,
        "deterministic": True,
        "threads": 4,
        "inter_op_threads": 4,
        "tf32": True,
        "peak_memory": "since the last reset",
    }


def test_without_a_gpu_the_row_is_skipped_with_its_reason(monkeypatch):
    """No GPU visible is no failure of the model; the message says what to look for."""
    monkeypatch.setattr(compat, "visible_gpus", list)
    with pytest.raises(DeviceUnavailable, match="sees no GPU"):
        open_backend("gpu", 1)


def test_a_gpu_that_tensorflow_has_no_code_for_is_skipped_with_its_reason(monkeypatch):
    """A card too new or too old for the build: the first computation tells, and its message is passed on."""

    def no_code():
        raise compat.tf.errors.InternalError(None, None, "CUDA_ERROR_INVALID_PTX")

    monkeypatch.setattr(compat, "visible_gpus", lambda: ["a GPU"])
    monkeypatch.setattr(compat, "configure", lambda device, threads: None)
    monkeypatch.setattr(compat, "try_gpu", no_code)
    with pytest.raises(DeviceUnavailable, match=r"cannot compute on it: .*CUDA_ERROR_INVALID_PTX"):
        open_backend("gpu", 1)


class Recorder:
    """Stands in for TensorFlow and keeps the calls made through it."""

    def __init__(self):
        self.calls = []

    def __getattr__(self, name):
        return Call(self.calls, name)


class Call:
    def __init__(self, calls, name):
        self.calls, self.name = calls, name

    def __getattr__(self, name):
        return Call(self.calls, self.name + "." + name)

    def __call__(self, *arguments):
        self.calls.append((self.name,) + arguments)
        return {"current": 5, "peak": 7}


def test_on_a_gpu_tensorflow_2_is_waited_for_and_its_peak_reset(monkeypatch):
    """Synchronize waits for all devices; the peak is set back before and read after."""
    recorder = Recorder()
    for name, value in (("tf", recorder), ("TF1", False), ("_device", "gpu")):
        monkeypatch.setattr(compat, name, value)
    compat.reset_memory()
    compat.synchronize()
    assert compat.read_memory() == {"peak_allocated_bytes": 7}
    assert recorder.calls == [
        ("config.experimental.reset_memory_stats", "GPU:0"),
        ("test.experimental.sync_devices",),
        ("config.experimental.get_memory_info", "GPU:0"),
    ]


def test_tensorflow_1_cannot_reset_its_peak(monkeypatch):
    """With TensorFlow 1 neither reset nor synchronize has anything to call, and the record says what the peak is of."""
    recorder = Recorder()
    for name, value in (("tf", recorder), ("TF1", True), ("_device", "gpu")):
        monkeypatch.setattr(compat, name, value)
    compat.reset_memory()
    compat.synchronize()
    assert recorder.calls == []
    fake = types.SimpleNamespace(TF1=True, determinism_is_on=lambda: True, tf32_is_on=lambda: False)
    assert describe_kernels(set(), fake, "gpu", None)["peak_memory"] == "of the whole process"


def test_the_seed_decides_the_first_weights(backend):
    """The same seed gives the same net, another seed another."""

    def weights(seed):
        compat.start_over()
        backend.seed(seed)
        return b"".join(values.tobytes() for values in network.build(4, 3).get_weights())

    assert weights(1) == weights(1)
    assert weights(1) != weights(2)


TIMED = {"units": 3, "timing_learning_rate": 1e-3}


def timed(backend, settings, bidirectional):
    """Steps of a small net with the settings laid over its own."""
    compat.start_over()
    backend.seed(1)
    settings = dict(TIMED, **settings)
    net = network.build_for_timing(settings, 4, bidirectional)
    return network.steps(net, network.representative_batch(*windows()), {}, settings)


OPTIONS = {option.key: option.settings for option in tuning.options("gpu", 1, 1) + tuning.options("cpu", 1, 1)}
OFFERED = {"unroll", "cudnn"} if compat.TF1 else {"unroll", "direct-step", "xla", "any-order", "no-onednn"}


@pytest.mark.parametrize("key", sorted(OFFERED - {"cudnn"}))
@pytest.mark.parametrize("bidirectional", [False, True])
def test_a_tuned_variant_is_the_same_function(backend, key, bidirectional):
    """Same outputs and first losses on the same weights, which then change."""
    plain = timed(backend, {}, bidirectional)
    outputs = plain.outputs()
    weights = plain.state()
    losses = [plain.read_loss(plain.train(plain.train_batch())) for _ in range(3)]
    tuned = timed(backend, OPTIONS[key], bidirectional)
    assert tuned.state() == weights
    assert tuned.outputs() == pytest.approx(outputs, rel=1e-4, abs=1e-6)
    assert [tuned.read_loss(tuned.train(tuned.train_batch())) for _ in range(3)] == pytest.approx(losses, rel=1e-3)
    assert tuned.state() != weights


@pytest.mark.parametrize("key", sorted(set(OPTIONS) - OFFERED))
def test_an_option_that_a_version_lacks_is_named(backend, key):
    """With the version, so that a reader knows why."""
    with pytest.raises(OptionUnavailable, match=r"(Keras|TensorFlow) [0-9.]+ "):
        timed(backend, OPTIONS[key], False)


@pytest.mark.skipif(not compat.TF1, reason="today's layer chooses cuDNN by itself")
@pytest.mark.parametrize("bidirectional", [False, True])
def test_weights_are_handed_to_cudnn_s_layers_in_its_order(bidirectional, monkeypatch):
    """As many as the layers ask for; cuDNN has two biases, of which TensorFlow makes the second nothing."""
    compat.start_over()
    weights = [layer.get_weights() for layer in network.build(4, 3, bidirectional).layers]
    compat.start_over()
    net = network.build(4, 3, bidirectional, cudnn=True)
    handed = []
    for layer in net.layers:
        monkeypatch.setattr(layer, "set_weights", handed.append)
    compat.copy_weights(net, weights)
    shapes = [[tuple(values.shape.as_list()) for values in layer.weights] for layer in net.layers]
    assert [[values.shape for values in layer] for layer in handed] == shapes
    assert handed[0][2].sum() == pytest.approx(weights[0][2].sum())
    assert "CudnnRNNV2" in compat.operations_run()
    compat.start_over()  # a graph with cuDNN's operation runs nowhere without a GPU


def test_products_are_exact_meanwhile_only(monkeypatch):
    """TensorFloat-32 is off for the comparison of outputs and on again after it."""
    calls = []
    monkeypatch.setattr(compat, "tf32_is_on", lambda: True)
    monkeypatch.setattr(
        compat.tf.config, "experimental", types.SimpleNamespace(enable_tensor_float_32_execution=calls.append)
    )
    with compat.exact_products():
        assert calls == [False]
    assert calls == [False, True]


def test_determinism_is_asked_for_unless_tensorflows_own_variable_says_otherwise(monkeypatch):
    """A variant says so there."""
    monkeypatch.setenv("TF_DETERMINISTIC_OPS", "0")
    assert not compat.determinism_is_asked()
    monkeypatch.delenv("TF_DETERMINISTIC_OPS")
    assert compat.determinism_is_asked()
