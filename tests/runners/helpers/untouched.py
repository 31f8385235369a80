"""What a process is like that a harness might have changed: its variables, its processors, its allocator."""

import ctypes
import json
import os
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
HERE = os.path.dirname(os.path.abspath(__file__))
FOLDERS = [ROOT, HERE] + [os.path.join(os.path.dirname(HERE), name) for name in ("keras", "pytorch")]
HEAD = "import json, sys\nsys.path[:0] = {!r}\nfrom untouched import facts\n".format(FOLDERS)


def facts():
    """Variables, processors, priority, and whether glibc's allocator still adapts, of the process that calls it."""
    return {
        "variables": dict(os.environ),
        "processors": sorted(os.sched_getaffinity(0)),
        "nice": os.nice(0),
        "adapts": allocator_adapts(),
    }


def allocator_adapts():
    """Whether a block that was mapped and freed comes from the heap the next time.

    glibc's M_MMAP_THRESHOLD then grows by itself (mallopt(3)), and no longer once it has been set.
    """
    library = ctypes.CDLL(None)
    library.malloc.restype, library.malloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
    library.free.restype, library.free.argtypes = None, [ctypes.c_void_p]
    mapped = []
    for _ in range(2):
        before = _mapped_blocks(library)
        block = library.malloc(24 << 20)
        mapped.append(_mapped_blocks(library) - before)
        library.free(block)
    return mapped[1] == 0


def _mapped_blocks(library):
    """How many blocks are mapped by themselves (``hblks`` of mallinfo(3))."""

    class Info(ctypes.Structure):
        _fields_ = [(name, ctypes.c_int) for name in ("arena", "ordblks", "smblks", "hblks")]
        _fields_ += [
            (name, ctypes.c_int) for name in ("hblkhd", "usmblks", "fsmblks", "uordblks", "fordblks", "keepcost")
        ]

    library.mallinfo.restype = Info
    return library.mallinfo().hblks


def run(script, *arguments):
    """What a fresh process prints as JSON on its last line, running ``script`` below ``HEAD``."""
    command = [sys.executable, "-c", HEAD + script] + list(arguments)
    said = subprocess.check_output(command, cwd=ROOT)  # its standard error is shown if a test fails
    return json.loads(said.decode().splitlines()[-1])


def changed(one, other):
    """Variables that differ, without what an import of the framework itself sets."""
    names = [
        name
        for name in set(one) | set(other)
        if not name.startswith(("PYTEST_", "TORCHINDUCTOR_", "TF2_", "KERAS_BACKEND", "LINES", "COLUMNS"))
    ]
    return {name: (one.get(name), other.get(name)) for name in names if one.get(name) != other.get(name)}


ROW = """
import os
from runners import registry
from runners.parent import cli, jobs
from runners.worker import __main__ as worker
framework, row = sys.argv[1:]
options = cli.parse([framework, "--rows", row, "--profile", "smoke", "--results", os.devnull])
model = registry.load_model(framework, row)
job = dict(jobs.make_row(model, "cpu", None, options).job(timing_only=True), checkpoints=None, threads=None)
before = facts()
result = dict(status=None)
worker.run(job, result, worker.events.Sender(os.open(os.devnull, os.O_WRONLY)))
print(json.dumps([result["status"], result["environment"]["threads"], result.get("execution"), before, facts()]))
"""


def check_row(framework, row):
    """A real row in the worker leaves the process as it found it: variables, processors, priority, allocator."""
    status, threads, execution, before, after = run(ROW, framework, row)
    assert (status, threads) == ("ok", None)
    assert execution is None  # which only a row's first process asks for
    assert changed(before.pop("variables"), after["variables"]) == {}
    assert before == {name: after[name] for name in before}
    assert after["adapts"]
    here = facts()
    assert (after["processors"], after["nice"]) == (here["processors"], here["nice"])
    differing = changed(after["variables"], here["variables"])
    assert not differing, differing
