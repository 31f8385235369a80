"""statsmodels and NumPy: on the CPU only, and every call returns finished."""

import importlib

import numpy

from runners.contract import Backend


def open_backend(device, threads):
    """The backend. ``threads`` reaches the linear algebra libraries through variables that the parent sets."""
    return Backend(
        versions=_versions,
        execution=lambda: {"threads": threads, "linear_algebra": _linear_algebra()},
        seed=numpy.random.seed,
    )


def _versions():
    return {name: importlib.import_module(name).__version__ for name in ("numpy", "scipy", "pandas", "statsmodels")}


def _linear_algebra():
    """The library behind numpy.linalg, as NumPy names it."""
    config = numpy.__config__
    if hasattr(config, "CONFIG"):  # NumPy >= 1.26
        blas = config.CONFIG.get("Build Dependencies", {}).get("blas", {})
        return "{} {}".format(blas.get("name", "unknown"), blas.get("version", "")).strip()
    libraries = getattr(config, "blas_opt_info", {}).get("libraries", [])
    return ", ".join(libraries) or "unknown"
