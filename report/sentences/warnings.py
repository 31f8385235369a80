"""What a reader of a time should know: key of a warning -> name, sentence (see ``WARNINGS`` in runners/contract.py)."""

from __future__ import annotations

from report.text import N_

WARNINGS = {
    "unstable": (N_("unstable"), N_("the middle half of the samples spans {percent} % of the median")),
    "drifting": (N_("drifting"), N_("the samples drifted by {percent} % from the first third to the last")),
    "bimodal": (N_("two modes"), N_("the samples gather around {low_s} s and {high_s} s")),
    "imprecise": (
        N_("imprecise"),
        N_("the {by} was reached after {samples} samples, before the interval was within {percent} %"),
    ),
    "other-load": (N_("other load"), N_("other processes kept {processors} CPUs busy")),
    "stolen-time": (N_("CPU time taken by the host"), N_("the host took {processors} CPUs away")),
    "cgroup-throttled": (N_("CPU quota"), N_("the container's CPU limit stopped the process {times} times")),
    "paging": (N_("paging"), N_("memory was read from disk {rate} times per second")),
    "preempted": (N_("preempted threads"), N_("threads were preempted {rate} times per second")),
    "governor": (N_("variable CPU clock"), N_("the CPU clock follows the load (governor {governor})")),
    "falling-clock": (N_("falling CPU clock"), N_("the CPU clock fell by {percent} %")),
    "falling-gpu-clock": (N_("falling GPU clock"), N_("the GPU clock fell by {percent} %")),
    "hot": (N_("hot CPU"), N_("the CPU reached {degrees} °C")),
    "throttled-processor": (N_("throttled CPU"), N_("the CPU throttled itself {times} times because of heat")),
    "throttled": (N_("throttled GPU"), N_("the GPU was throttled: {reasons}")),
    "foreign-process": (N_("other process on the GPU"), N_("other processes used the GPU: {processes}")),
}
