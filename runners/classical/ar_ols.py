"""AR(OLS): the same autoregression of order 12, by least squares in NumPy; and how its published figure arose."""

from runners.classical.ar import MODEL as AR

SLIPS = (
    "the regression skips a month: the window that ends in month i is given month i+2 as its target (off by one)",
    "the last 50 months were the test part and the whole series' mean was taken off, where the other rows test on 44",
    "R2 was computed with truth and forecast exchanged",
)


def fit(train):
    """[constant, lag 1, ..., lag 12] by least squares on the complete rows of the train part."""
    import numpy as np

    from runners.classical.autoregression import LAGS
    from runners.data import forecast

    histories, targets = forecast.windows(train, LAGS)
    rows = np.column_stack([np.ones(len(targets)), histories[:, ::-1]])
    return np.linalg.lstsq(rows, targets, rcond=-1)[0]


def forecast_as_published(scaled):
    """(truth, forecast) of the 50 months that the published figure was computed on, slips and all.

    Takes the whole scaled series, shape (144,). The slips are named in ``SLIPS``.
    """
    import numpy as np

    from runners.classical.autoregression import LAGS, linear_forecaster

    test_months = 50
    centred = scaled - scaled.mean()
    train, test = centred[:-test_months], centred[-test_months:]
    histories = np.array([centred[i : i + LAGS] for i in range(len(centred) - LAGS)])[:-test_months]
    targets = train[LAGS + 1 :]  # one month too late
    rows = np.column_stack([np.ones(len(targets)), histories[: len(targets)]])
    coefficients = np.linalg.lstsq(rows, targets, rcond=-1)[0]
    forecaster = linear_forecaster(coefficients[0], coefficients[:0:-1])
    return test, forecaster(histories[-1:], test_months)[0]


def prepare(context):
    from runners.classical import autoregression

    return autoregression.steps(
        context.data,
        fit,
        lambda coefficients: autoregression.linear_forecaster(coefficients[0], coefficients[1:]),
        autoregression.lagged_fit,
    )


def train_to_quality(context):
    from runners.classical import autoregression
    from runners.data import forecast

    coefficients = fit(context.data.train)
    truth, published = forecast_as_published(context.data.scaled)
    exchanged = autoregression.as_published(
        forecast.mean_squared_error(truth, published),
        forecast.r2(published, truth),
        "made with the published figure's slips: {}; in the right order R2 is {:.8f}".format(
            "; ".join(SLIPS), forecast.r2(truth, published)
        ),
    )
    return autoregression.quality(
        context.data,
        autoregression.linear_forecaster(coefficients[0], coefficients[1:]),
        [exchanged],
        ["Done right, AR(OLS) is AR: the same least squares by another library."],
    )


MODEL = AR._replace(
    key="ar-ols",
    title="AR(OLS)",
    params="12 lags; 1 w, 1 b",
    library="NumPy",
    order=4,
    implementation="runners.classical.ar_ols",
)
