"""Nothing is added to what is measured."""

import pytest
import untouched

pytest.importorskip("tensorflow")


def test_a_row_leaves_its_process_as_it_was():
    """Variables, processors, priority and allocator are those of the user, before the row and after it."""
    untouched.check_row("keras", "lstm")


PLAIN_JIT = """
from runners.keras import compat, network
from runners.keras.backend import open_backend
backend = open_backend("cpu", None)
ours, plain = network.compile_with_adam(network.build(4, 2), 1e-3), network.build(4, 2)
plain.compile(optimizer="adam", loss="mse")
session = compat.tf.compat.v1.keras.backend.get_session()._config if compat.GRAPH else None
threading = None if compat.GRAPH else compat.tf.config.threading
print(json.dumps({
    "pools": [session.intra_op_parallelism_threads, session.inter_op_parallelism_threads] if compat.GRAPH else
        [threading.get_intra_op_parallelism_threads(), threading.get_inter_op_parallelism_threads()],
    "deterministic": bool(compat.determinism_is_on()),
    "jit": [getattr(net, "jit_compile", None) for net in (ours, plain)],
}))
"""


def test_a_row_asks_tensorflow_for_nothing_that_a_plain_script_does_not():
    """Both thread pools, determinism and compilation are as TensorFlow has them."""
    found = untouched.run(PLAIN_JIT)
    assert (found["pools"], found["deterministic"]) == ([0, 0], False)
    assert found["jit"][0] == found["jit"][1]
