"""Every difference between TensorFlow 1.15 (Python 3.6, graph mode) and today's TensorFlow with Keras 3.

Nothing here sets what a user's own script would not: no determinism, no memory growth, no thread count unless asked.
"""

import random
from contextlib import contextmanager
from typing import Any, Callable, Dict, Iterator, List, Optional, Set, Tuple

import numpy as np
import tensorflow as tf

from runners.contract import OptionUnavailable

TF1 = tf.__version__.startswith("1.")
keras = tf.keras  # Keras 3 where TensorFlow is 2.16 or later

_threads: Optional[int] = None
_device = "cpu"


def visible_gpus() -> List[Any]:
    """The GPUs that TensorFlow can use."""
    return list(tf.config.experimental.list_physical_devices("GPU"))


def configure(device: str, threads: Optional[int]) -> None:
    """Pins the device, and the threads where a number is asked for, before TensorFlow has computed anything."""
    global _threads, _device
    _threads, _device = threads, device
    if TF1:
        start_over()
        return
    if device == "cpu" and visible_gpus():
        tf.config.set_visible_devices([], "GPU")
    if threads is not None:
        tf.config.threading.set_intra_op_parallelism_threads(threads)
        tf.config.threading.set_inter_op_parallelism_threads(threads)


def try_gpu() -> None:
    """Computes something small on the GPU; raises what TensorFlow raises where it has no code for the card."""
    if not TF1:
        with tf.device("/device:GPU:0"):
            tf.matmul(tf.ones((2, 2)), tf.ones((2, 2))).numpy()
        return
    with tf.Graph().as_default(), tf.device("/device:GPU:0"):
        product = tf.matmul(tf.ones((2, 2)), tf.ones((2, 2)))
        with tf.compat.v1.Session(config=_session_options()) as session:
            session.run(product)


def start_over() -> None:
    """Forgets all models; in TensorFlow 1 with a new session that has the threads and devices of ``configure``."""
    keras.backend.clear_session()
    if TF1:
        tf.compat.v1.keras.backend.set_session(tf.compat.v1.Session(config=_session_options()))


def _session_options() -> Any:
    threads = _threads or 0  # 0: TensorFlow decides
    options = tf.compat.v1.ConfigProto(intra_op_parallelism_threads=threads, inter_op_parallelism_threads=threads)
    options.allow_soft_placement = True
    if _device == "cpu":
        options.device_count["GPU"] = 0
    return options


def seed_everything(seed: int) -> None:
    """Seeds Python, NumPy and TensorFlow. In TensorFlow 1 this holds for the graph that is current."""
    random.seed(seed)
    np.random.seed(seed)
    if TF1:
        tf.compat.v1.set_random_seed(seed)
    else:
        keras.utils.set_random_seed(seed)


def input_layers(shape: Any) -> List[Any]:
    """What a Sequential model starts with to know its input's shape."""
    return [keras.layers.InputLayer(input_shape=shape)] if TF1 else [keras.Input(shape)]


def lstm_layer(units: int, sequences: bool, unroll: bool, cudnn: bool, xla: bool) -> Any:
    """An LSTM layer with cuDNN's activations, which are today's defaults; TensorFlow 1 had a hard sigmoid.

    ``cudnn`` takes TensorFlow 1's layer for cuDNN. Today's layer takes cuDNN by itself: there is nothing to choose,
    except to leave it out for ``xla``, which cannot compile it.
    """
    if not cudnn:
        others = {"use_cudnn": False} if xla and not TF1 else {}
        return keras.layers.LSTM(
            units, return_sequences=sequences, unroll=unroll, recurrent_activation="sigmoid", **others
        )
    if not TF1:
        raise OptionUnavailable("Keras {} chooses cuDNN by itself".format(keras.__version__))
    return tf.compat.v1.keras.layers.CuDNNLSTM(units, return_sequences=sequences)


def check_options(settings: Dict[str, Any]) -> None:
    """Raises ``OptionUnavailable`` for what a tuned variant asks of TensorFlow's own variables in vain."""
    if TF1 and settings.get("onednn") is False:
        raise OptionUnavailable("TensorFlow {} has no oneDNN to leave out".format(tf.__version__))


def copy_weights(net: Any, other: Any) -> None:
    """Gives a net the weights of another of the same shape, whose layers may be cuDNN's where this one's are not.

    TensorFlow 1 derives an initial weight's seed from how many operations there are, so that two nets that differ in
    their operations start apart. Its own reader of saved weights knows how cuDNN orders them.
    """
    from tensorflow.python.keras.saving.hdf5_format import preprocess_weights_for_loading

    for layer, weights in zip(net.layers, other):
        layer.set_weights(preprocess_weights_for_loading(layer, weights, original_keras_version="2"))


def direct_steps(net: Any, xla: bool) -> Tuple[Callable[[Any], Any], Callable[[Any], Any]]:
    """(train, predict) of a compiled net as functions of TensorFlow, without what Keras does around them.

    ``train`` does what ``train_on_batch`` does with a mean squared error and gives the loss, ``predict`` what
    ``predict_on_batch`` does; both bring their answer back to the host. ``xla`` compiles both, which Keras itself
    refuses for a net with LSTM layers.
    """
    if TF1:
        raise OptionUnavailable("TensorFlow {} runs Keras nets as graphs already".format(tf.__version__))

    @tf.function(jit_compile=xla)
    def update(inputs: Any, targets: Any) -> Any:
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.square(net(inputs, training=True) - targets))
        net.optimizer.apply(tape.gradient(loss, net.trainable_variables), net.trainable_variables)
        return loss

    answer = tf.function(lambda inputs: net(inputs, training=False), jit_compile=xla)
    return lambda pair: update(*pair).numpy(), lambda inputs: answer(inputs).numpy()


@contextmanager
def exact_products() -> Iterator[None]:
    """Matrix products on the GPU without TensorFloat-32 meanwhile."""
    before = tf32_is_on()
    if before:
        tf.config.experimental.enable_tensor_float_32_execution(False)
    try:
        yield
    finally:
        if before:
            tf.config.experimental.enable_tensor_float_32_execution(True)


def cosine_decay(start: float, steps: int) -> Any:
    """A learning rate that falls from ``start`` to 0 over ``steps`` updates along half a cosine."""
    schedules = tf.keras.experimental if TF1 else keras.optimizers.schedules
    return schedules.CosineDecay(start, steps)


def optimizer_values(model: Any) -> List[Any]:
    """The optimizer's state as arrays: moments and step count."""
    optimizer = model.optimizer
    if TF1:
        return list(optimizer.get_weights())
    return [np.asarray(variable) for variable in optimizer.variables]


def set_optimizer_values(model: Any, values: List[Any]) -> None:
    """Puts back what ``optimizer_values`` gave. The model must be one that has been compiled alike."""
    optimizer = model.optimizer
    if TF1:
        model._make_train_function()  # creates the moments, which set_weights needs
        optimizer.set_weights(values)
        return
    optimizer.build(model.trainable_variables)
    for variable, value in zip(optimizer.variables, values):
        variable.assign(value)


def synchronize() -> None:
    """Returns when all work given to the GPU is done.

    In TensorFlow 1 a session's run ends with a synchronization of its devices, so there is nothing to wait for.
    """
    if not TF1 and _device == "gpu":
        tf.test.experimental.sync_devices()


def reset_memory() -> None:
    """Sets the GPU's peak to what is in use now. TensorFlow 1 cannot: its peak is that of the process."""
    if not TF1 and _device == "gpu":
        tf.config.experimental.reset_memory_stats("GPU:0")


def read_memory() -> Dict[str, int]:
    """The GPU's peak of allocated bytes; nothing on the CPU, where TensorFlow counts none."""
    if _device != "gpu":
        return {}
    if not TF1:
        return {"peak_allocated_bytes": int(tf.config.experimental.get_memory_info("GPU:0")["peak"])}
    try:
        with tf.Graph().as_default(), tf.device("/device:GPU:0"):
            peak = tf.contrib.memory_stats.MaxBytesInUse()
            with tf.compat.v1.Session(config=_session_options()) as session:
                return {"peak_allocated_bytes": int(session.run(peak))}
    except (AttributeError, ImportError, tf.errors.OpError):  # a build without tf.contrib
        return {}


def versions() -> Dict[str, str]:
    """Versions of the libraries that compute."""
    found = {"tensorflow": tf.__version__, "keras": keras.__version__, "numpy": np.__version__}
    build = {} if TF1 else tf.sysconfig.get_build_info()
    for key, name in (("cuda_version", "cuda"), ("cudnn_version", "cudnn")):
        if build.get(key):
            found[name] = str(build[key])
    return found


def operations_run() -> Set[str]:
    """Types of the operations in every graph that is there to run; "XlaMustCompile" if one goes through XLA."""
    if TF1:
        graph = tf.compat.v1.get_default_graph()
        types = {operation.type for operation in graph.get_operations()}
        return types | {node.op for function in graph.as_graph_def().library.function for node in function.node_def}
    from tensorflow.python.eager import context

    eager = context.context()
    functions = [eager.get_function_def(name) for name in eager.list_function_names()]
    types = {node.op for function in functions for node in function.node_def}
    if any(function.attr["_XlaMustCompile"].b for function in functions if "_XlaMustCompile" in function.attr):
        types.add("XlaMustCompile")
    return types


def onednn_is_on() -> Optional[bool]:
    """Whether oneDNN's kernels are used on the CPU; ``None`` where the build does not tell."""
    try:
        from tensorflow.python.framework import test_util

        return bool(test_util.IsMklEnabled())
    except (ImportError, AttributeError):
        return None


def determinism_is_on() -> Optional[bool]:
    """Whether TensorFlow chooses deterministic kernels; ``None`` for TensorFlow 1, which can only be asked to."""
    if TF1:
        return None
    from tensorflow.python.framework import config

    return bool(config.is_op_determinism_enabled())


def tf32_is_on() -> bool:
    """Whether matrix products on the GPU may round their inputs to TensorFloat-32: on those that have it (8.0 on)."""
    if TF1 or not tf.config.experimental.tensor_float_32_execution_enabled():
        return False
    details = [tf.config.experimental.get_device_details(gpu) for gpu in visible_gpus()]
    return any(detail.get("compute_capability", (0, 0)) >= (8, 0) for detail in details)
