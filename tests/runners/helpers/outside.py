"""Memory of a worker as others see it: whoever waits for it, and a memory control group around it."""

import os
import re
import subprocess
import sys
import time
from contextlib import contextmanager

import pytest
from jobs import make_job

from runners.parent.child import run_child

HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
TIME = "/usr/bin/time"
WAITER = (
    "import os, sys\n"
    "process = os.spawnv(os.P_NOWAIT, sys.argv[2], sys.argv[2:])\n"
    "usage = os.wait4(process, 0)[2]\n"
    "open(sys.argv[1], 'w').write('Maximum resident set size (kbytes): {}'.format(usage.ru_maxrss))\n"
)
ENTER = 'echo $$ > "$0/cgroup.procs" && exec "$@"'


def worker(name):
    """The command of one of this folder's workers."""
    return [sys.executable, "-s", os.path.join(HERE, name)]


def memory_of(command, rule):
    """What a worker sends about its memory: (the record's ``memory``, bytes of files that it maps)."""
    result = run_child(make_job(rule=rule._asdict()), 300.0, lambda event: None, command)
    assert (result["status"], result["log"]) == ("ok", None), result["reason"]
    return result["memory"], result["execution"]["mapped_files_bytes"]


def waited_for(waiter, path, command):
    """The command below a process that writes what the kernel reports to the waiting one (getrusage(2)) to ``path``."""
    if waiter == "wait4":
        return [sys.executable, "-c", WAITER, path] + command
    if not os.path.exists(TIME):
        pytest.skip("there is no {}".format(TIME))
    return [TIME, "-v", "-o", path] + command


def maximum_resident(path):
    """Bytes, from what the waiter wrote."""
    with open(path) as file:
        return int(re.search(r"Maximum resident set size \(kbytes\): (\d+)", file.read()).group(1)) * 1024


class Group:
    """A memory control group (cgroups(7)): the kernel's own account of what the processes in it use."""

    def __init__(self, folder, peak):
        self.folder = folder
        self.peak_file = os.path.join(folder, peak)

    def around(self, command):
        """The command in this group, from before it starts."""
        return ["sh", "-c", ENTER, self.folder] + command

    def agrees(self, size, within):
        """Whether ``size`` may be the most bytes in use at once, apart from files.

        Who reads a file first is charged with it, here or elsewhere: usually all were read before and the group's peak
        is without them. Otherwise some of those that are charged at the end were there at the peak, nobody knows which.
        """
        with open(self.peak_file) as file:
            peak = int(file.read())
        with open(os.path.join(self.folder, "memory.stat")) as file:
            files = int(re.search(r"^(?:cache|file) (\d+)$", file.read(), re.MULTILINE).group(1))
        print("control group: peak {}, files {}; the process: {}".format(peak, files, size))
        return (1 - within) * (peak - files) <= size <= (1 + within) * peak


@contextmanager
def memory_group():
    """A fresh group near this process's own; skips, with the reasons, where none can be made."""
    reasons = []
    for parent, peak in _places():
        group = Group(os.path.join(parent, "erabench-test-{}".format(os.getpid())), peak)
        try:
            os.mkdir(group.folder)
        except OSError as error:
            reasons.append("{}: {}".format(parent, error.strerror))
            continue
        try:
            if not os.path.exists(group.peak_file):
                reasons.append("{}: groups in it have no {}".format(parent, peak))
            elif subprocess.call(group.around(["true"]), stderr=subprocess.DEVNULL) != 0:
                reasons.append("{}: no process can be put into a group in it".format(parent))
            else:
                yield group
                return
        finally:
            _remove(group.folder)
    pytest.skip("no memory control group can be made here ({})".format("; ".join(reasons) or "there are none"))


def _places():
    """(folder in which a group may be made, name of its file with the peak): version 1's, then version 2's."""
    mounts = {}
    with open("/proc/self/mounts") as file:
        for line in file:
            _, at, kind, options = line.split()[:4]
            if kind == "cgroup2" or (kind == "cgroup" and "memory" in options.split(",")):
                mounts.setdefault(kind, at)
    own = {}
    with open("/proc/self/cgroup") as file:
        for line in file:
            number, controllers, path = line.strip().split(":", 2)
            if number == "0" or "memory" in controllers.split(","):
                own["cgroup2" if number == "0" else "cgroup"] = path
    for kind, peak in (("cgroup", "memory.max_usage_in_bytes"), ("cgroup2", "memory.peak")):
        if kind in mounts and kind in own:
            at = mounts[kind] + own[kind].rstrip("/")
            if not os.path.isdir(at):
                at = mounts[kind]  # a container shows its own group as the root
            yield at, peak
            if kind == "cgroup2" and at != mounts[kind]:  # version 2 counts no groups below one with processes
                yield os.path.dirname(at), peak


def _remove(folder):
    for _ in range(50):
        try:
            os.rmdir(folder)
            return
        except OSError:  # the kernel has not yet released the last process
            time.sleep(0.1)
