"""What may make a PyTorch row faster without changing what it computes: see runners/tune.py."""

from typing import List

from runners.contract import Option


def options(device: str, threads: int, cores: int) -> List[Option]:
    """The options in the order in which they are tried."""
    found = [
        Option("channels-last", {"channels_last": True}),
        Option("fused-adam", {"fused": True}),
        Option("compile", {"compile": True, "cpu_normalize_first": False}),  # as published: a third of the compile time
    ]
    if device == "gpu":
        return [Option("cudnn-benchmark", {"cudnn_benchmark": True})] + found
    others = sorted({1, cores // 2, cores} - {threads, 0})
    before = [Option("concatenate-first", {"cpu_normalize_first": False})]
    return before + found + [Option("threads-{}".format(number), threads=number) for number in others]
