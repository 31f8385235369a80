"""Nothing is added to what is measured."""

import pytest
import untouched

pytest.importorskip("tensorflow")


SETTINGS = """
from keras_helpers import thread_pools
from runners.keras import compat, lstm_net
from runners.keras.backend import open_backend
open_backend("cpu", None)
ours, plain = lstm_net.compile_with_adam(lstm_net.build(4, 2), 1e-3), lstm_net.build(4, 2)
plain.compile(optimizer="adam", loss="mse")
print(json.dumps({
    "pools": thread_pools(),
    "deterministic": bool(compat.determinism_is_on()),
    "jit": [getattr(net, "jit_compile", None) for net in (ours, plain)],
}))
"""


def test_a_row_asks_tensorflow_for_nothing_that_a_plain_script_does_not():
    """Both thread pools, determinism and compilation are as TensorFlow has them."""
    found = untouched.run(SETTINGS)
    assert (found["pools"], found["deterministic"]) == ([0, 0], False)
    assert found["jit"][0] == found["jit"][1]
