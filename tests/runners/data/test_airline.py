"""The airline series and its two ways to forecast."""

import pytest

numpy = pytest.importorskip("numpy")

from runners.data import airline, forecast


def test_the_series_is_the_published_one():
    """144 months, 104 to 622, 100 of them for training; the variance of the test part is the reference value."""
    series = airline.load()
    assert (len(series.scaled), len(series.train), len(series.test)) == (144, 100, 44)
    assert (min(airline.PASSENGERS), max(airline.PASSENGERS)) == (airline.MINIMUM, airline.MAXIMUM) == (104, 622)
    assert "{:.8f}".format(series.test.var()) == "0.02177988"
    assert series.source.sha256 == "af20eb1439a516a755413fd0a6aedea0c90aa97889223cd406d2333521c4fc64"


def test_scaling_can_be_undone():
    """Thousands of passengers come back."""
    assert airline.from_scale(airline.load().scaled) == pytest.approx(airline.PASSENGERS)


def test_windows_are_views_with_their_successors():
    """Nothing is copied, and a window cannot be written to."""
    series = numpy.arange(6.0)
    inputs, targets = forecast.windows(series, 4)
    assert inputs.tolist() == [[0, 1, 2, 3], [1, 2, 3, 4]]
    assert targets.tolist() == [4, 5]
    assert numpy.shares_memory(inputs, series)
    assert not inputs.flags.writeable


def test_a_series_too_short_for_a_window_is_refused():
    """The message holds both lengths."""
    with pytest.raises(ValueError, match="a series of 3 values has no window of 4 with a successor"):
        forecast.windows(numpy.arange(3.0), 4)


def test_a_perfect_forecast_scores_one_and_the_mean_scores_nothing():
    """R2 at its two marks."""
    truth = numpy.array([1.0, 2.0, 4.0])
    assert forecast.r2(truth, truth) == 1
    assert forecast.r2(truth, [truth.mean()] * 3) == pytest.approx(0)
    assert forecast.mean_squared_error(truth, truth + 2) == 4


class Spy(list):
    """A forecaster that forecasts nothing and remembers each (histories, horizon) that it was handed."""

    def __call__(self, histories, horizon):
        self.append((numpy.array(histories), horizon))
        return numpy.zeros((len(histories), horizon))


def test_recursive_gives_the_train_part_and_one_step_the_true_months_before_each():
    """Recursive hands out no test month; the last history of one-step ends one month before the end."""
    series, spy = airline.load(), Spy()
    airline.forecast_test_part(series, spy)
    (recursive, months_ahead), (one_step, one) = spy
    assert (recursive.shape, months_ahead) == ((1, 100), 44)
    assert recursive[0].tolist() == series.train.tolist()
    assert (one_step.shape, one) == ((44, 100), 1)
    assert one_step[0].tolist() == series.train.tolist()
    assert one_step[-1].tolist() == series.scaled[43:143].tolist()


def test_rolling_origin_looks_a_year_ahead_from_every_month_that_has_one():
    """33 origins; a forecast of nothing is off by the truth itself."""
    series, spy = airline.load(), Spy()
    found = airline.rolling_origin(series, spy, name="nothing", baseline=True)
    ((histories, horizon),) = spy
    assert (histories.shape, horizon) == ((33, 100), 12)
    truth = numpy.array([series.test[start : start + 12] for start in range(33)])
    assert (found["origins"], found["horizon"], found["name"], found["baseline"]) == (33, 12, "nothing", True)
    assert found["mae"] == pytest.approx(truth.mean())
    assert found["rmse"] == pytest.approx(numpy.sqrt((truth**2).mean()))
    naive = numpy.abs(series.train[12:] - series.train[:-12]).mean()
    assert found["mase"] == pytest.approx(truth.mean() / naive)
    assert found["mae_quartiles"] == pytest.approx(numpy.percentile(truth.mean(axis=1), [25, 75]).tolist())
    by_origin = numpy.sqrt((truth**2).mean(axis=1))
    assert found["rmse_quartiles"] == pytest.approx(numpy.percentile(by_origin, [25, 75]).tolist())
    assert found["mase_quartiles"] == pytest.approx(numpy.percentile(truth.mean(axis=1) / naive, [25, 75]).tolist())


def test_seasonal_naive_repeats_the_last_year():
    """Beyond a year it goes on repeating."""
    history = numpy.arange(24.0)[numpy.newaxis]
    assert airline.seasonal_naive(history, 14)[0].tolist() == [*range(12, 24), 12, 13]
