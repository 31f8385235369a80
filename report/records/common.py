"""What every record is made of: bounded names, numbers and free-form values, statements as keys, where it was made."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

Device = Literal["cpu", "gpu"]
Engine = Literal["venv", "docker", "podman", "none"]
Profile = Literal["smoke", "quick", "full"]
Status = Literal["ok", "failed", "timeout", "out_of_memory", "skipped"]
ProcessStatus = Literal["ok", "failed", "timeout", "out_of_memory", "skipped", "disturbed"]
PhaseName = Literal["train", "predict"]
DEVICES: tuple[Device, ...] = ("cpu", "gpu")
PHASES: tuple[PhaseName, ...] = ("train", "predict")

NAME = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$(?!\n)"  # `$` alone would let a line end pass
Name = Annotated[str, Meta(pattern=NAME, description="also the name of a file or folder, or part of one")]
Line = Annotated[str, Meta(min_length=1, max_length=500)]
Text = Annotated[str, Meta(max_length=20_000)]
Sha256 = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$(?!\n)")]
Commit = Annotated[str, Meta(pattern=r"^[0-9a-f]{7,64}$(?!\n)")]
Moment = Annotated[
    str, Meta(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$(?!\n)", description="UTC")
]
Seconds = Annotated[float, Meta(ge=1e-12, le=1e9, description="seconds; no step lies beyond these bounds")]
Duration = Annotated[float, Meta(ge=0, le=1e9, description="seconds")]
Number = Annotated[float, Meta(ge=-1e100, le=1e100, description="what is computed from it stays finite")]
Whole = Annotated[int, Meta(ge=0, le=2**63 - 1)]
Positive = Annotated[int, Meta(ge=1, le=2**63 - 1)]

_Integer = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]
Scalar = bool | _Integer | Number | Text | None
_Inner = Scalar | tuple[Scalar, ...] | Mapping[str, Scalar]
_Outer = Scalar | tuple[_Inner, ...] | Mapping[str, _Inner]
Value = Scalar | tuple[_Outer, ...] | Mapping[str, _Outer]
"""What only the writer knows the meaning of: at most three objects or lists within one another."""
Values = Mapping[str, Value]


class Record(msgspec.Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    """A part of a document: immutable, checked when it is read. It has no cycles, so it needs no garbage collection."""


class Measured(Record, frozen=True):
    """What every record begins with: which row of which bench it is of."""

    schema_version: Literal[2]
    machine: Name
    stack: Name
    engine: Engine
    profile: Profile
    framework: Name
    device: Device


class Reason(Record, frozen=True):
    """A statement as data: the report has a sentence for each ``key``, into which the ``values`` go."""

    key: Name
    values: Values = {}


class PhaseWarning(Record, frozen=True):
    """What a reader of a phase's figure should know; never a verdict."""

    key: Name
    phase: Literal["train", "predict", "quality", "all"]
    values: Values = {}


class Gpu(Record, frozen=True):
    """The graphics card."""

    name: Line | None
    memory_bytes: Whole | None
    driver: Line | None
    compute_capability: Line | None


class Environment(Record, frozen=True):
    """The machine and its software."""

    cpu: Line | None
    logical_cpus: Positive | None
    threads: Annotated[Positive, Meta(description="threads the framework uses")] | None
    governor: Line | None
    memory_bytes: Whole | None
    gpu: Gpu | None
    os: Line | None
    kernel: Line | None
    python: Line | None
    versions: Mapping[str, Line]
    cpu_affinity: Annotated[tuple[Whole, ...], Meta(description="CPUs that the process may use")] | None = None


class Provenance(Record, frozen=True):
    """Which code, locks and image made the record."""

    git_commit: Commit | None
    git_clean: bool | None
    code_sha256: Sha256
    lock_sha256: Sha256 | None
    image: Annotated[Line, Meta(description="image digest, or the virtual environment's identity")] | None
    fingerprint: Annotated[
        Sha256, Meta(description="of code, lock, image, settings and data: where it differs, measure again")
    ]
