"""What the Keras tests share: a context of a row, and TensorFlow's threads."""

from runners.contract import Context
from runners.keras import compat
from runners.keras.backend import open_backend


def make_context(model, settings, data, profile="smoke", checkpoints=None, progress=lambda phase, done, total: None):
    """A context on the CPU with one thread and the seed 0."""
    return Context(open_backend("cpu", 1), model, "cpu", profile, settings, 0, data, progress, checkpoints)


def thread_pools():
    """TensorFlow's threads within an operation and for several of them; 0 where nobody asked for a number."""
    if compat.GRAPH:
        options = compat.tf.compat.v1.keras.backend.get_session()._config
        return options.intra_op_parallelism_threads, options.inter_op_parallelism_threads
    threading = compat.tf.config.threading
    return threading.get_intra_op_parallelism_threads(), threading.get_inter_op_parallelism_threads()
