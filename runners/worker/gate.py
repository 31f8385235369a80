"""A time is reported only if the model actually trained."""

import math
from typing import List, Optional

from runners.contract import Reason


def reason_not_training(
    losses: List[float], iterative: bool, state_before: bytes, state_after: bytes
) -> Optional[Reason]:
    """Return why the timed training steps are not valid; ``None`` if they are.

    ``losses`` are those of the timed steps in order. A model fitted in closed form (``iterative`` false) has the same
    loss every time and the same parameters after every fit, so its loss only has to be finite.
    """
    if not losses or not all(math.isfinite(loss) for loss in losses):
        return Reason("loss-not-finite")
    if not iterative:
        return None
    if state_before == state_after:
        return Reason("parameters-unchanged")
    third = max(1, len(losses) // 3)
    first, last = _mean(losses[:third]), _mean(losses[-third:])
    if len(losses) > 1 and not last < first:
        return Reason("loss-not-falling", {"first": first, "last": last})
    return None


def _mean(values: List[float]) -> float:
    return sum(values) / len(values)
