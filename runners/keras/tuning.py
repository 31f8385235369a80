"""What may make a Keras row faster without changing what it computes: see runners/tune.py."""

from typing import List, Optional

from runners.contract import Option


def options(device: str, threads: Optional[int], cores: int) -> List[Option]:
    """The options in the order in which they are tried."""
    found = [
        Option("unroll", {"unroll": True}),
        Option("direct-step", {"direct_step": True}),
        Option("xla", {"direct_step": True, "xla": True}),
    ]
    if device == "gpu":
        return [Option("cudnn", {"cudnn": True})] + found
    found.append(Option("no-onednn", {"onednn": False}, {"TF_ENABLE_ONEDNN_OPTS": "0"}))
    others = sorted({1, cores // 2, cores} - {threads or cores, 0})
    return found + [Option("threads-{}".format(number), threads=number) for number in others]
