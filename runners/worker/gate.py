"""Was the model really training while it was timed? If not, its time may not be shown."""

import math
from typing import Any, Dict, List, Optional


def reason_not_training(losses: List[float], iterative: bool, state_before: bytes, state_after: bytes) -> Optional[str]:
    """Why the timed training steps do not count; ``None`` if they do.

    ``losses`` are those of the timed steps in order. A model fitted in closed form (``iterative`` false) has
    the same loss every time and the same parameters after every fit, so only finiteness is asked of it.
    """
    if not losses or not all(math.isfinite(loss) for loss in losses):
        return "the training loss was not finite"
    if not iterative:
        return None
    if state_before == state_after:
        return "training did not change the model's parameters"
    third = max(1, len(losses) // 3)
    first, last = _mean(losses[:third]), _mean(losses[-third:])
    if len(losses) > 1 and not last < first:
        return "the training loss did not fall over the timed steps ({:.4g} at first, {:.4g} at last)".format(
            first, last
        )
    return None


def reason_not_timed(record: Dict[str, Any]) -> Optional[str]:
    """Why a result's two times may not be used; ``None`` if they may."""
    if record["status"] != "ok":
        return record["reason"]
    reasons = [phase["reason"] for phase in (record["timing"]["train"], record["timing"]["predict"])]
    return next((reason for reason in reasons if reason is not None), None)


def _mean(values):
    return sum(values) / len(values)
