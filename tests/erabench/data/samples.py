"""A small household series and a small CIFAR-10, in every form that they come in."""

from __future__ import annotations

import pickle
import zipfile
from pathlib import Path
from typing import NamedTuple

import numpy as np

from erabench.data import cifar10_files, fetch, household

DAY = household.MINUTES_PER_DAY
SERIES = np.random.RandomState(1).randint(76, 11123, 3 * DAY).astype(np.int32)
SERIES[2 * DAY + 5] = SERIES[DAY + 5] = SERIES[5]  # minutes that UCI's text leaves out
BATCHES = [f"data_batch_{number}" for number in range(1, 6)] + ["test_batch"]
NOWHERE = "http://127.0.0.1:1/"


class Fetched(NamedTuple):
    problem: str | None
    lines: list[str]


def fetched(name: str, directory: Path, force: bool = False) -> Fetched:
    """Fetch one data set; return its problem and what was said."""
    lines: list[str] = []
    return Fetched(fetch([name], directory, lines.append, force)[name], lines)


def uci_text(first: int = int(SERIES[0])) -> str:
    """The small series as UCI writes it, with "?" for what is missing."""
    watts = [first, *SERIES[1:]]
    fields = ["?" if minute in (DAY + 5, 2 * DAY + 5) else f"{value / 1000:.3f}" for minute, value in enumerate(watts)]
    return "\n".join(["Date;Time;Global_active_power;Voltage", *(f"a;b;{field};234.8" for field in fields)]) + "\n"


def packed(path: Path) -> Path:
    """The small series as UCI's zip, or as the wheel has it: filled already."""
    filled = "\n".join(["date_time,Global_active_power", *(f"a,{watts / 1000}" for watts in SERIES), ""])
    is_wheel = path.suffix == ".whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(*(household.WHEEL_MEMBER, filled) if is_wheel else (household.UCI_TEXT, uci_text()))
    return path


def batch(number: int) -> bytes:
    """A pickled batch of ten images: image i of batch b is filled with 10 * b + i, its red channel with 255."""
    data = np.repeat(np.arange(10 * number, 10 * number + 10, dtype=np.uint8)[:, None], 3072, axis=1)
    data[:, :1024] = 255
    return pickle.dumps({b"data": data, b"labels": list(range(10))}, protocol=2)


class Original(NamedTuple):
    batches: dict[str, bytes]
    archive: bytes

    def put(self, folder: Path, **changed: bytes) -> None:
        """Unpack the original into a folder."""
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in {**self.batches, **changed}.items():
            (folder / name).write_bytes(content)


def put_tree(directory: Path, per_class: int = 1, size: int = 32) -> None:
    """An ImageFolder tree: every image is grey, 20 times its class's number, plus one in the test part."""
    from PIL import Image

    for part in ("train", "test"):
        for label, name in enumerate(cifar10_files.CLASSES):
            folder = directory / "cifar10" / part / name
            folder.mkdir(parents=True)
            for number in range(per_class):
                grey = 20 * label + (part == "test")
                Image.new("RGB", (size, size), (grey, grey, grey)).save(folder / f"{number:04d}.png")
