"""The slips that could explain the published Bi-LSTM figure, on a small made-up series."""

import pytest

np = pytest.importorskip("numpy")

from experiments import bilstm_slips as slips
from runners.data import forecast


@pytest.fixture
def series():
    """An AR(1) about 0.3."""
    random, values = np.random.RandomState(0), [0.3]
    for _ in range(3000):
        values.append(0.03 + 0.9 * values[-1] + 0.02 * random.randn())
    return np.asarray(values, np.float32)


def r2(task):
    return forecast.r2(*slips.linear_forecast(task))


def test_the_hour_before_is_the_row_s_task(series):
    """Without a slip the inputs are minutes -60 to -1, and the parts meet where the row splits them."""
    name, task = next(slips.tasks(series))
    assert name == "none: the hour before"
    assert task.inputs.tolist() == list(range(-60, 0))
    assert task.test[0] == task.train[-1] + 1 == int(len(series) * 0.7)


def test_least_squares_in_blocks_is_numpys_own(series, monkeypatch):
    """Summed up over blocks of 100 targets."""
    monkeypatch.setattr(slips, "BLOCK", 100)
    task = slips.Task(series, slips.before(5), [-1], *slips.split(series))
    design = np.column_stack([series[task.train + offset] for offset in task.inputs] + [np.ones(len(task.train))])
    expected = np.linalg.lstsq(design.astype(float), series[task.train].astype(float), rcond=-1)[0]
    assert slips.fit_linear(task) == pytest.approx(expected, rel=1e-4, abs=1e-5)


def test_a_slip_scores_higher_than_an_honest_forecast(series):
    """The minute after the target helps, and the target itself gives everything away."""
    parts = slips.split(series)
    honest = r2(slips.Task(series, slips.before(60), [-1], *parts))
    both = r2(slips.Task(series, slips.around(1), [-1, 1], *parts))
    holding = r2(slips.Task(series, np.arange(-59, 1), [-1], *parts))
    assert honest < both < holding
    assert holding == pytest.approx(1)


def test_smoothing_and_means_are_scaled_again(series):
    """0..1, with the values that NumPy gives."""
    for values, count in ((slips.smoothed(series, 3), 2999), (slips.block_means(series, 10), 300)):
        assert (values.min(), values.max(), len(values)) == (0, 1, count)
    expected = np.convolve(series, np.ones(3) / 3, mode="valid")
    assert np.corrcoef(slips.smoothed(series, 3), expected)[0, 1] == pytest.approx(1)


def test_a_shuffled_split_has_the_same_shares(series):
    """Every target once, some of the test part before some of the train part."""
    train, test = slips.shuffled_split(series)
    assert [len(train), len(test)] == [len(part) for part in slips.split(series)]
    assert len(np.intersect1d(train, test)) == 0
    assert test[0] < train[-1]


@pytest.mark.parametrize(
    ("slip", "first", "last", "anchors"),
    [
        ("one-sided", -60, -1, [-1]),
        ("shuffled", -60, -1, [-1]),
        ("both-sides", -30, 30, [-1, 1]),
        ("holds-target", -59, 0, [-1]),
    ],
)
def test_a_net_sees_an_hour_with_every_slip(series, slip, first, last, anchors):
    """60 minutes, so that the row's own net takes them."""
    task = slips.net_task(slip, series, 200)
    assert (len(task.inputs), task.inputs.min(), task.inputs.max()) == (60, first, last)
    assert (0 in task.inputs, task.anchors) == (slip == "holds-target", anchors)
    assert len(task.train) == 200


def test_without_data_the_experiment_names_what_is_missing(capsys):
    """One line and exit status 2."""
    assert slips.main(["--data", "nowhere"]) == 2
    assert capsys.readouterr().err == "erabench: data-missing (file: household/manifest.json)\n"


@pytest.mark.parametrize("option", ["--epochs=0", "--threads=0", "--train-minutes=-5"])
def test_a_number_that_makes_no_sense_is_refused(option, capsys):
    """With the options' limits and exit status 2, before any data are read."""
    with pytest.raises(SystemExit, match="2"):
        slips.main(["--data", "nowhere", option])
    assert "at least 1, --train-minutes one of at least 0" in capsys.readouterr().err
