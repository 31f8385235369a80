"""AR(Polyfit): each month as a straight line of the same month one year before, by NumPy's polynomial fit."""

from runners.classical.ar import MODEL as AR


def fit(train):
    """[slope, intercept] of x[t] = slope x[t-12] + intercept over the train part."""
    import numpy as np

    from runners.classical.autoregression import LAGS

    return np.polyfit(train[:-LAGS], train[LAGS:], 1)


def yearly_forecaster(coefficients):
    """A forecaster that applies the line to the last twelve months, then to what that gave, and so on."""
    from runners.classical.autoregression import LAGS, linear_forecaster

    slope, intercept = coefficients
    return linear_forecaster(intercept, [0.0] * (LAGS - 1) + [slope])


def fitted_values(train, coefficients):
    """Truth and fitted values of the train part."""
    import numpy as np

    from runners.classical.autoregression import LAGS

    return train[LAGS:], np.polyval(coefficients, train[:-LAGS])


def prepare(context):
    from runners.classical import autoregression

    return autoregression.steps(context.data, fit, yearly_forecaster, fitted_values)


def train_to_quality(context):
    from runners.classical import autoregression

    return autoregression.quality(context.data, yearly_forecaster(fit(context.data.train)))


MODEL = AR._replace(
    key="ar-polyfit",
    title="AR(Polyfit)",
    params="12 lags; degree 1",
    library="NumPy",
    order=5,
    implementation="runners.classical.ar_polyfit",
)
