"""Every difference between TensorFlow 1.12 (Python 3.6, graph mode) and today's TensorFlow with Keras 3.

Features are tested for, not versions. Nothing here sets what a user's own script would not: no determinism, no memory
growth, no number of threads unless one is asked for.
"""

import importlib
import inspect
import random
from contextlib import contextmanager
from typing import Any, Dict, Iterator, List, Optional, Set

import numpy as np
import tensorflow as tf

from runners.contract import OptionUnavailable

GRAPH = not tf.executing_eagerly()  # TensorFlow 1: nets are graphs that a session runs
keras = tf.keras  # Keras 3 where TensorFlow is 2.16 or later
v1 = getattr(tf.compat, "v1", tf)
COMPILED = hasattr(keras.Model, "make_train_function")  # TensorFlow 2.0 and 2.1 run a step operation by operation
EXECUTION = "graph session" if GRAPH else "tf.function" if COMPILED else "eager"

_threads: Optional[int] = None
_device = "cpu"


def visible_gpus() -> List[Any]:
    """The GPUs that TensorFlow can use."""
    if hasattr(tf, "config"):
        return list(tf.config.experimental.list_physical_devices("GPU"))
    from tensorflow.python.client import device_lib

    return [device for device in device_lib.list_local_devices() if device.device_type == "GPU"]


def configure(device: str, threads: Optional[int]) -> None:
    """Set the device, and the threads where a number is asked for, before TensorFlow has computed anything."""
    global _threads, _device
    _threads, _device = threads, device
    if GRAPH:
        reset_session()
        return
    if device == "cpu" and visible_gpus():
        place = tf.config if hasattr(tf.config, "set_visible_devices") else tf.config.experimental
        place.set_visible_devices([], "GPU")
    if threads is not None:
        tf.config.threading.set_intra_op_parallelism_threads(threads)
        tf.config.threading.set_inter_op_parallelism_threads(threads)


def try_gpu() -> None:
    """Compute something small on the GPU; raises what TensorFlow raises where it has no code for the GPU."""
    if not GRAPH:
        with tf.device("/device:GPU:0"):
            tf.matmul(tf.ones((2, 2)), tf.ones((2, 2))).numpy()
        return
    with tf.Graph().as_default(), tf.device("/device:GPU:0"):
        product = tf.matmul(tf.ones((2, 2)), tf.ones((2, 2)))
        with v1.Session(config=_session_options()) as session:
            session.run(product)


def reset_session() -> None:
    """Forget all nets; in graph mode with a new session that has the threads and devices of ``configure``."""
    keras.backend.clear_session()
    if GRAPH:
        keras.backend.set_session(v1.Session(config=_session_options()))


def _session_options() -> Any:
    threads = _threads or 0  # 0: TensorFlow decides
    options = v1.ConfigProto(intra_op_parallelism_threads=threads, inter_op_parallelism_threads=threads)
    options.allow_soft_placement = True
    if _device == "cpu":
        options.device_count["GPU"] = 0
    return options


def seed_everything(seed: int) -> None:
    """Seed Python, NumPy and TensorFlow; in graph mode only the current graph."""
    random.seed(seed)
    np.random.seed(seed)
    if hasattr(keras.utils, "set_random_seed"):
        keras.utils.set_random_seed(seed)
    elif GRAPH:
        v1.set_random_seed(seed)
    else:
        tf.random.set_seed(seed)


def adam(learning_rate: Any) -> Any:
    """Keras' Adam, or TensorFlow's own where Keras knows no schedules (1.12)."""
    if callable(learning_rate) and not hasattr(keras.optimizers, "schedules"):
        from tensorflow.python.keras import backend, optimizers

        step = backend.variable(0, dtype="int64")
        own = v1.train.AdamOptimizer(learning_rate(step), epsilon=backend.epsilon())
        optimizer = optimizers.TFOptimizer(own, iterations=step)
        backend.track_tf_optimizer(optimizer)
        return optimizer
    return keras.optimizers.Adam(learning_rate)


def cosine_decay(start: float, steps: int) -> Any:
    """A learning rate that falls from ``start`` to 0 over ``steps`` updates along half a cosine."""
    for place in (getattr(keras.optimizers, "schedules", None), getattr(keras, "experimental", None)):
        if hasattr(place, "CosineDecay"):
            return place.CosineDecay(start, steps)
    return lambda step: v1.train.cosine_decay(start, step, steps)


def optimizer_variables(net: Any) -> List[Any]:
    """The state of a compiled net's optimizer, moments and step count, created if need be."""
    optimizer = net.optimizer
    if GRAPH:
        net._make_train_function()
        weights = {weight.name for weight in net.weights}
        return [variable for variable in v1.global_variables() if variable.name not in weights]
    if hasattr(optimizer, "build"):
        optimizer.build(net.trainable_variables)
    elif not optimizer.variables():  # before 2.11: an update by nothing, whose step count the caller sets
        optimizer.apply_gradients([(tf.zeros_like(one), one) for one in net.trainable_variables])
    return list(optimizer.variables() if callable(optimizer.variables) else optimizer.variables)


def read_variables(variables: List[Any]) -> List[Any]:
    """Their values as arrays."""
    return list(keras.backend.batch_get_value(variables)) if GRAPH else [np.asarray(one.numpy()) for one in variables]


def write_variables(variables: List[Any], values: List[Any]) -> None:
    """Put back what ``read_variables`` returned."""
    if GRAPH:
        keras.backend.batch_set_value(list(zip(variables, values)))
        return
    for variable, value in zip(variables, values):
        variable.assign(value)


def synchronize() -> None:
    """Return when all work given to the GPU is done. A session's run, and what returns a number, has waited already."""
    if _device == "gpu" and hasattr(getattr(tf.test, "experimental", None), "sync_devices"):
        tf.test.experimental.sync_devices()


def resets_memory() -> bool:
    """Whether the peak of the GPU's memory can be reset; if not, it is that of the process."""
    return hasattr(getattr(getattr(tf, "config", None), "experimental", None), "reset_memory_stats")


def reset_memory() -> None:
    """Set the GPU's peak to what is in use now, where that is possible."""
    if _device == "gpu" and resets_memory():
        tf.config.experimental.reset_memory_stats("GPU:0")


def read_memory() -> Dict[str, int]:
    """The GPU's peak of allocated bytes; nothing on the CPU, where TensorFlow counts none."""
    if _device != "gpu":
        return {}
    if resets_memory():
        return {"peak_allocated_bytes": int(tf.config.experimental.get_memory_info("GPU:0")["peak"])}
    try:
        with tf.Graph().as_default(), tf.device("/device:GPU:0"):
            peak = tf.contrib.memory_stats.MaxBytesInUse()
            with v1.Session(config=_session_options()) as session:
                return {"peak_allocated_bytes": int(session.run(peak))}
    except (AttributeError, ImportError, tf.errors.OpError):  # a build without tf.contrib
        return {}


def versions() -> Dict[str, str]:
    """Versions of the libraries that compute."""
    keras_version = getattr(keras, "__version__", None) or importlib.import_module("keras").__version__
    found = {"tensorflow": tf.__version__, "keras": keras_version, "numpy": np.__version__}
    build = tf.sysconfig.get_build_info() if hasattr(tf.sysconfig, "get_build_info") else {}
    for key, name in (("cuda_version", "cuda"), ("cudnn_version", "cudnn")):
        if build.get(key):
            found[name] = str(build[key])
    return found


def operations_run() -> Optional[Set[str]]:
    """Types of the operations in the graphs that were built; "XlaMustCompile" if one goes through XLA.

    ``None`` where the version does not tell.
    """
    if GRAPH:
        graph = v1.get_default_graph()
        types = {operation.type for operation in graph.get_operations()}
        return types | {node.op for function in graph.as_graph_def().library.function for node in function.node_def}
    from tensorflow.python.eager import context

    eager = context.context()
    if not hasattr(eager, "list_function_names"):
        return None
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
    """Whether TensorFlow chooses deterministic kernels; ``None`` where the version does not tell."""
    try:
        from tensorflow.python.framework import config

        return bool(config.is_op_determinism_enabled())
    except (ImportError, AttributeError):
        return None


def tf32_is_on() -> bool:
    """Whether matrix products on the GPU may round their inputs to TensorFloat-32, which GPUs from 8.0 on can."""
    experimental = getattr(getattr(tf, "config", None), "experimental", None)
    if not hasattr(experimental, "tensor_float_32_execution_enabled"):
        return False
    if not experimental.tensor_float_32_execution_enabled():
        return False
    details = [experimental.get_device_details(gpu) for gpu in visible_gpus()]
    return any(detail.get("compute_capability", (0, 0)) >= (8, 0) for detail in details)


@contextmanager
def disable_tf32() -> Iterator[None]:
    """Matrix products on the GPU without TensorFloat-32."""
    before = tf32_is_on()
    if before:
        tf.config.experimental.enable_tensor_float_32_execution(False)
    try:
        yield
    finally:
        if before:
            tf.config.experimental.enable_tensor_float_32_execution(True)


# What tuned variants need


def missing(option: str) -> OptionUnavailable:
    """The error for an option that this TensorFlow lacks."""
    return OptionUnavailable("option-missing", framework="TensorFlow", version=tf.__version__, option=option)


def cudnn_layer(units: int, sequences: bool) -> Any:
    """TensorFlow 1's LSTM layer for cuDNN. Today's layer takes cuDNN by itself: there is nothing to choose."""
    layers = getattr(v1, "keras", keras).layers
    if not hasattr(layers, "CuDNNLSTM") or not GRAPH:
        raise OptionUnavailable(
            "option-automatic", framework="TensorFlow", version=tf.__version__, option="cuDNN's LSTM"
        )
    return layers.CuDNNLSTM(units, return_sequences=sequences)


def generic_layer(units: int, sequences: bool, unroll: bool, cudnn: bool) -> Any:
    """An LSTM layer whose loop over the window may be unrolled, and which may not take cuDNN: XLA cannot compile it."""
    options = {"return_sequences": sequences, "recurrent_activation": "sigmoid", "unroll": unroll}
    if not cudnn and "use_cudnn" in inspect.signature(keras.layers.LSTM).parameters:
        options["use_cudnn"] = False
    return keras.layers.LSTM(units, **options)


def copy_weights(net: Any, weights: List[List[Any]]) -> None:
    """Give a net the weights of another's layers, some of which may be cuDNN's in this one.

    TensorFlow 1 derives an initial weight's seed from how many operations there are, so that two nets that differ in
    their operations start apart. Its own reader of saved weights knows how cuDNN orders them.
    """
    for layer, values in zip(net.layers, weights):
        if GRAPH:
            try:
                from tensorflow.python.keras.saving import hdf5_format as saving
            except ImportError:  # 1.12
                from tensorflow.python.keras.engine import saving
            values = saving.preprocess_weights_for_loading(layer, values, original_keras_version="2")
        layer.set_weights(values)


def tf_function(function: Any, xla: bool) -> Any:
    """The function as a graph, compiled by XLA if ``xla``."""
    if GRAPH:
        raise missing("tf.function")
    if not xla:
        return tf.function(function)
    for name in ("jit_compile", "experimental_compile"):
        if name in inspect.signature(tf.function).parameters:
            return tf.function(function, **{name: True})
    raise missing("XLA in tf.function")
