"""Memory of a worker as others see it: whoever waits for it, and a memory control group around it."""

import os
import re
import subprocess
import sys
import time

import pytest
from jobs import make_job

from runners.parent.child import run_child

HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
WAIT4 = (
    "import os, sys\n"
    "usage = os.wait4(os.spawnv(os.P_NOWAIT, sys.argv[2], sys.argv[2:]), 0)[2]\n"
    "open(sys.argv[1], 'w').write(str(usage.ru_maxrss))\n"
)
WAITERS = {"time": ["/usr/bin/time", "-f", "%M", "-o"], "wait4": [sys.executable, "-c", WAIT4]}
ENTER = 'echo $$ > "$0/cgroup.procs" && exec "$@"'


def memory_of(command, rule):
    """What a worker sends about its memory: (the record's ``memory``, bytes of files that it maps)."""
    result = run_child(make_job(rule=rule._asdict()), 300.0, lambda event: None, command)
    assert (result["status"], result["log"]) == ("ok", None), result["reason"]
    return result["memory"], result["execution"]["mapped_files_bytes"]


def worker(name):
    """The command of one of this folder's workers."""
    return [sys.executable, "-s", os.path.join(HERE, name)]


def waited_for(waiter, path, command):
    """The command below a process that writes what the kernel reports to the waiting one (getrusage(2)) to ``path``."""
    program = WAITERS[waiter]
    if not os.path.exists(program[0]):
        pytest.skip("there is no {}".format(program[0]))
    return program + [str(path)] + command


def maximum_resident(path):
    """Bytes, from the kilobytes that the waiter wrote."""
    return int(path.read_text()) * 1024


class Group:
    """A memory control group (cgroups(7)): the kernel's own account of what the processes in it use."""

    def __init__(self, folder, peak):
        self.folder, self.peak = folder, peak

    def read(self, name):
        with open(os.path.join(self.folder, name)) as file:
            return file.read()

    def around(self, command):
        """The command in this group, from before it starts."""
        return ["sh", "-c", ENTER, self.folder] + command

    def agrees(self, size, within):
        """Whether ``size`` may be the most bytes in use at once, apart from files.

        Who reads a file first is charged with it, here or elsewhere: usually all were read before and the group's peak
        is without them. Otherwise some of those that are charged at the end were there at the peak, nobody knows which.
        """
        peak = int(self.read(self.peak))
        files = int(re.search(r"^(?:cache|file) (\d+)$", self.read("memory.stat"), re.MULTILINE).group(1))
        print("control group: peak {}, files {}; the process: {}".format(peak, files, size))
        return (1 - within) * (peak - files) <= size <= (1 + within) * peak


def memory_group(request):
    """A fresh group near this process's own, until the test ends; skips, with the reasons, where none can be made."""
    reasons = []
    for parent, peak in _places():
        group = Group(os.path.join(parent, "erabench-test-{}".format(os.getpid())), peak)
        try:
            os.mkdir(group.folder)
            request.addfinalizer(lambda folder=group.folder: _remove(folder))
            group.read(peak)
            subprocess.check_output(group.around(["true"]), stderr=subprocess.STDOUT)
            return group
        except (OSError, subprocess.CalledProcessError) as error:
            reasons.append(str(error))
    pytest.skip("no memory control group can be made here ({})".format("; ".join(reasons) or "there are none"))


def _places():
    """(folder in which a group may be made, name of its file with the peak), of version 1 or 2."""
    with open("/proc/self/cgroup") as file:
        for line in file:
            _, controllers, path = line.strip().split(":", 2)
            if "memory" in controllers.split(","):
                root, peak = "/sys/fs/cgroup/memory", "memory.max_usage_in_bytes"
            elif controllers == "":
                root, peak = "/sys/fs/cgroup", "memory.peak"
            else:
                continue
            at = root + path.rstrip("/")
            at = at if os.path.isdir(at) else root  # a container shows its own group as the root
            yield at, peak
            if at != root:  # version 2 counts no groups below one with processes
                yield os.path.dirname(at), peak


def _remove(folder):
    for _ in range(50):
        try:
            os.rmdir(folder)
            return
        except OSError:  # the kernel has not yet released the last process
            time.sleep(0.1)
