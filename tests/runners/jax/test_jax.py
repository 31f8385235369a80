"""The nets in JAX: the same nets as the Keras rows'."""

import pytest

jax = pytest.importorskip("jax", reason="JAX is not in this environment")

import untouched
from flax import nnx
from twins import AllNets, check_option, make_context, options_of

from runners.jax import densenet, tuning
from runners.jax.backend import open_backend
from runners.nets import adam
from runners.worker import synchronization


@pytest.fixture
def backend():
    """The CPU, with single precision as JAX has it from the start."""
    yield open_backend("cpu", None)
    jax.config.update("jax_enable_x64", False)
    jax.config.update("jax_default_matmul_precision", None)


class TestNets(AllNets):
    """With what may go wrong in JAX and Flax."""

    framework = "jax"

    @pytest.mark.parametrize("settings", options_of("jax"))
    def test_a_speed_setting_changes_no_answer(self, backend, settings):
        """And the net still trains."""
        check_option(tuning.prepare, make_context("jax", "lstm-jax", backend), settings)

    def test_a_step_is_finished_when_the_clock_stops(self, backend):
        """Twice the steps take twice as long: JAX returns before its work is done, on the CPU too."""
        row, context = self.row(backend, "lstm", units=64)
        steps = row.prepare(context)
        for _ in range(3):
            steps.train(steps.train_batch())
        backend.synchronize()
        synchronization.prove(steps, backend.synchronize)

    @pytest.mark.usefixtures("in_float64")
    def test_the_default_epsilon_is_refused(self, backend, monkeypatch):
        """1e-8 where Keras' form of Adam has 3e-6 in the first step."""
        monkeypatch.setattr(adam, "EPSILON_OF_CORRECTED", 1e-8)
        assert self.refused_by(backend, "lstm") == "parameters"

    @pytest.mark.usefixtures("in_float64")
    def test_another_momentum_of_batch_norm_is_refused(self, backend, monkeypatch):
        """Running values that keep 0.99, as Keras' do by default: only what is predicted after training shows it."""
        monkeypatch.setattr(densenet, "MOMENTUM", 0.01)
        assert self.refused_by(backend, "densenet-24x3") == "later-outputs"

    @pytest.mark.usefixtures("in_float64")
    def test_a_pool_that_does_not_count_its_border_is_refused(self, backend, monkeypatch):
        """As "same" padding in Keras and TensorFlow."""
        pool = nnx.avg_pool
        monkeypatch.setattr(nnx, "avg_pool", lambda *given, **named: pool(*given, count_include_pad=False, **named))
        assert self.refused_by(backend, "densenet-24x3") == "outputs"


THREADS = """
from runners.jax.backend import open_backend
backend = open_backend("cpu", {})
import jax
jax.numpy.ones((64, 64)).dot(jax.numpy.ones((64, 64))).block_until_ready()
print(json.dumps(backend.execution()["threads"]))
"""


@pytest.mark.parametrize("threads", [1, 3])
def test_the_number_of_threads_is_the_one_asked_for(threads):
    """XLA's pool on the CPU, counted in a fresh process."""
    assert untouched.run(THREADS.format(threads)) == threads
