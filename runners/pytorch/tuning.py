"""What may make a PyTorch row faster without changing what it computes: see runners/tune.py."""

from typing import List, Optional

from runners.contract import Option


def options(device: str, threads: Optional[int], cores: int) -> List[Option]:
    """The options in the order in which they are tried."""
    found = [
        Option("channels-last", {"channels_last": True}),
        Option("fused-adam", {"fused": True}),
        Option("compile", {"compile": True}),
    ]
    if device == "gpu":
        return [Option("cudnn-benchmark", {"cudnn_benchmark": True})] + found
    others = sorted({1, cores // 2, cores} - {threads or cores, 0})
    return found + [Option("threads-{}".format(number), threads=number) for number in others]
