"""Where a data set came from, as every result records it."""

from typing import Any, Dict, NamedTuple


class Source(NamedTuple):
    """Identity of the data that were used, after verification."""

    name: str  # key in runners.data.DATASETS
    source: str  # one line for a reader
    sha256: str  # of the values as the models see them
    synthetic: bool = False
    note: str = ""  # what a reader must know before comparing figures made from these data

    def record(self) -> Dict[str, Any]:
        return dict(self._asdict())
