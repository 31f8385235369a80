"""The autoregressive models: exact numbers on every stack, and what led to the published ones."""

import pytest

numpy = pytest.importorskip("numpy")
pytest.importorskip("statsmodels")

import untouched

from runners import registry
from runners.classical import airline_fit, compat, fits
from runners.classical.backend import open_backend
from runners.contract import Context
from runners.data import airline


def context(key):
    """What the worker gives a row."""
    model = registry.load_model("classical", key)
    return Context(open_backend("cpu", 1), model, "cpu", "quick", {}, 0, airline.load(), None)


def quality(key):
    return airline_fit.train_to_quality(context(key))


def score(key, protocol):
    found = [one for one in quality(key).scores if one.protocol == protocol and not one.baseline]
    assert len(found) == 1
    return "{:.8f} {:.8f}".format(found[0].loss, found[0].accuracy)


@pytest.mark.parametrize(
    ("key", "protocol", "expected"),
    [
        ("ar", "recursive", "0.01347857 0.38114552"),
        ("ar", "one-step", "0.00159338 0.92684144"),
        ("ar-ols", "recursive", "0.01347857 0.38114552"),
        ("ar-ols", "one-step", "0.00159338 0.92684144"),
        ("ar-ols", "as-published", "0.05613363 -0.18177911"),
        ("ar-polyfit", "recursive", "0.00875667 0.59794672"),
        ("ar-polyfit", "one-step", "0.00210928 0.90315444"),
    ],
)
def test_the_autoregressive_rows_have_their_reference_values(key, protocol, expected):
    """MSE and R2 on the published scale, to every digit."""
    assert score(key, protocol) == expected


@pytest.mark.parametrize(
    ("protocol", "loss", "accuracy"), [("recursive", 0.00549, 0.748), ("one-step", 0.000755, 0.9653)]
)
def test_the_extra_row_beats_every_published_one(protocol, loss, accuracy):
    """The airline model on logarithms; likelihoods are maximized numerically, so three digits on every stack."""
    (found,) = [one for one in quality("sarimax").scores if one.protocol == protocol and not one.baseline]
    assert found.loss == pytest.approx(loss, rel=2e-3)
    assert found.accuracy == pytest.approx(accuracy, abs=5e-4)


def test_every_row_is_held_against_the_seasonal_naive_forecast():
    """Under both protocols, and a year ahead from every origin."""
    found = quality("ar")
    assert [(one.protocol, one.name) for one in found.scores if one.baseline] == [
        ("recursive", "seasonal naive"),
        ("one-step", "seasonal naive"),
    ]
    assert [(one["name"], round(one["mase"], 4)) for one in found.rolling_origin] == [
        ("", 0.7586),
        ("seasonal naive", 1.1979),
    ]


def test_the_page_shows_the_recursive_scores_as_it_did():
    """The published AR figures were recursive ones."""
    assert {quality(key).protocol for key in ("ar", "ar-ols", "ar-polyfit")} == {"recursive"}


def test_the_fitted_line_is_the_published_one():
    """x[t] = a x[t-12] + b."""
    assert ["{:.8f}".format(value) for value in fits.fit_line(airline.load().train)] == ["1.12606145", "0.03206947"]


def test_the_published_figure_of_ar_ols_comes_with_r2_in_the_right_order():
    """The report's sentence about the three slips ends with it."""
    (note,) = [one.note for one in quality("ar-ols").scores if one.protocol == "as-published"]
    assert (note.key, "{:.8f}".format(note.values["r2"])) == ("ar-ols-slips", "-1.35184659")


def test_our_recursion_is_statsmodels_own_forecast():
    """44 months ahead, by the library's own predict."""
    series = airline.load()
    ours = fits.linear_forecaster(fits.fit_autoregression(series.train))(series.train[numpy.newaxis], 44)[0]
    if hasattr(compat.ar_model, "AutoReg"):
        theirs = compat.ar_model.AutoReg(series.train, lags=12, trend="c").fit().predict(100, 143)
    else:
        theirs = compat.ar_model.AR(series.train).fit(maxlag=12, trend="c").predict(100, 143)
    assert ours == pytest.approx(theirs, rel=1e-9)


def test_least_squares_by_numpy_is_least_squares_by_statsmodels():
    """Done right, AR(OLS) is AR."""
    train = airline.load().train
    assert fits.fit_least_squares(train) == pytest.approx(fits.fit_autoregression(train), rel=1e-8)


@pytest.mark.parametrize("key", sorted(fits.FITS))
def test_a_fit_made_ready_for_timing_fits(key):
    """A training step returns coefficients with the train part's loss; a timed prediction is their forecast."""
    steps = airline_fit.prepare(context(key))
    answer = steps.train(steps.train_batch())
    assert len(answer) == steps.parameters == {"ar-polyfit": 2, "sarimax": 3}.get(key, 13)
    assert 0 < steps.read_loss(answer) < 0.002
    histories = steps.predict_batch()
    expected = fits.FITS[key].forecaster(answer)(histories, 1)[:, 0]
    assert len(histories) == 32
    assert numpy.ravel(steps.predict(histories)) == pytest.approx(expected, rel=1e-6)


def test_the_rows_of_numpy_start_without_statsmodels_models():
    """Their processes need not wait two seconds for its import."""
    script = "from runners.classical import airline_fit, fits\nprint(json.dumps('statsmodels.tsa' in sys.modules))"
    assert untouched.run(script) is False


def test_a_row_leaves_its_process_as_it_was():
    """Variables, processors, priority and allocator are those of the user, before the row and after it."""
    untouched.check_row("classical", "ar-ols")


def test_the_backend_names_what_computes():
    """Versions, threads and the linear algebra library."""
    backend = open_backend("cpu", 3)
    assert sorted(backend.versions()) == ["numpy", "pandas", "scipy", "statsmodels"]
    assert backend.execution()["threads"] == 3
    assert backend.execution()["linear_algebra"]
    assert backend.read_memory() == {}
