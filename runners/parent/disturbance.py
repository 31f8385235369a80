"""Whether other programs disturbed a process, and which of two processes of a round counts."""

from typing import Any, Dict, List

from runners.contract import PHASES, Reason
from runners.worker.events import plain

DISTURBED = 0.10  # of the processors; a quiet machine's own services take less


def share(process: Dict[str, Any]) -> float:
    """How much of the processors other programs and a virtual machine's host took in a process's worse phase."""
    found = [0.0]
    for conditions in (process[name]["conditions"] for name in PHASES if process[name]):
        taken = (conditions["other_load_cpus"] or 0.0) + (conditions["steal_cpus"] or 0.0)
        found.append(taken / conditions["cpus"])
    return max(found)


def is_disturbed(process: Dict[str, Any]) -> bool:
    """Whether a process that ended well should be measured again."""
    return process["status"] == "ok" and share(process) >= DISTURBED


def only_one_counts(first: Dict[str, Any], again: Dict[str, Any]) -> List[Dict[str, Any]]:
    """Both processes: of two that ended well, the more disturbed one as such. Their times have no say in it."""
    if again["status"] != "ok":
        return [first, again]
    worse = max(first, again, key=share)
    reason = plain(Reason("disturbed", {"percent": round(100 * share(worse), 1)}))
    return [dict(one, status="disturbed", reason=reason) if one is worse else one for one in (first, again)]
