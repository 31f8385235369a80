"""What may make a Keras row faster without changing what it computes: see runners/tune.py."""

from typing import List

from runners.contract import Option


def options(device: str, threads: int, cores: int) -> List[Option]:
    """The options in the order in which they are tried."""
    found = [
        Option("unroll", {"unroll": True}),
        Option("direct-step", {"direct_step": True}),
        Option("xla", {"direct_step": True, "xla": True}),
        Option("any-order", {"any_order": True}, {"TF_DETERMINISTIC_OPS": "0", "TF_CUDNN_DETERMINISTIC": "0"}),
    ]
    if device == "gpu":
        return [Option("cudnn", {"cudnn": True})] + found
    found.append(Option("no-onednn", {"onednn": False}, {"TF_ENABLE_ONEDNN_OPTS": "0"}))
    others = sorted({1, cores // 2, cores} - {threads, 0})
    return found + [Option("threads-{}".format(number), threads=number) for number in others]
