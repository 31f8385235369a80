"""Exit statuses of an attempt: all that is known of it where its state file cannot be read."""

DONE = 0
ROWS_FAILED = 1
BENCH_REFUSED = 2
MISMATCH = 71
SETUP_FAILED = 72
CANNOT_WRITE = 73
NO_PYTHON = 74
NO_PROJECT = 75
ABANDONED = 76
TIMEOUT = 124
NO_COMMAND = 127
STOPPED = 130

MEANINGS = {  # exit status -> outcome, reason
    DONE: ("done", ""),
    ROWS_FAILED: ("failed", "some rows failed"),
    BENCH_REFUSED: ("failed", "the bench refused to start"),
    MISMATCH: ("failed", "the node is not what the fleet file expects"),
    SETUP_FAILED: ("failed", "the setup command failed"),
    CANNOT_WRITE: ("failed", "the node cannot write its results: disk full or read-only"),
    NO_PYTHON: ("failed", "python3 on the node is missing or older than 3.11; load one in setup"),
    NO_PROJECT: ("failed", "the node does not see the project's folder; is the disk shared?"),
    ABANDONED: ("lost", "the submission was abandoned before its job started"),
    TIMEOUT: ("timeout", "the time limit was reached"),
    NO_COMMAND: ("failed", "a command is missing on the node"),
    STOPPED: ("stopped", ""),
}
BY_NAME: dict[str, int] = {name.lower(): value for name, value in globals().copy().items() if isinstance(value, int)}
