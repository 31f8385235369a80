"""statsmodels and NumPy: on the CPU only, and every call returns finished."""

import importlib

from runners.contract import Backend, DeviceUnavailable


def open_backend(device, threads):
    """The backend for ``device``; raises ``DeviceUnavailable`` for anything but the CPU.

    ``threads`` reaches the linear algebra libraries through the environment that the parent sets, since they
    read it when they are loaded.
    """
    if device != "cpu":
        raise DeviceUnavailable("statsmodels and NumPy compute on the CPU only")
    import numpy

    def nothing():
        """Nothing is queued and nothing is counted on the CPU."""

    return Backend(
        name="statsmodels, NumPy",
        synchronize=nothing,
        reset_memory=nothing,
        read_memory=dict,
        versions=_versions,
        execution=lambda: {"threads": threads, "linear_algebra": _linear_algebra(numpy)},
        seed=numpy.random.seed,
    )


def _versions():
    return {name: importlib.import_module(name).__version__ for name in ("numpy", "scipy", "pandas", "statsmodels")}


def _linear_algebra(numpy):
    """The library behind numpy.linalg, by NumPy's own word."""
    config = numpy.__config__
    if hasattr(config, "CONFIG"):  # NumPy >= 1.26
        blas = config.CONFIG.get("Build Dependencies", {}).get("blas", {})
        return "{} {}".format(blas.get("name", "unknown"), blas.get("version", "")).strip()
    libraries = getattr(config, "blas_opt_info", {}).get("libraries", [])
    return ", ".join(libraries) or "unknown"
