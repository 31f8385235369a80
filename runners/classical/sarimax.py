"""SARIMAX: the airline model of Box and Jenkins, an extra row that is not on the published page."""

from runners.classical.ar import MODEL as AR
from runners.contract import Reason, Rule

MODEL = AR._replace(
    key="sarimax",
    title="SARIMAX",
    params="(0,1,1)(0,1,1)12 of logarithms",
    order=9,
    rules={
        "smoke": Rule(min_warmup=1, warmup_s=0.0, min_samples=3, min_time_s=0.0, budget_s=1.0),
        "quick": Rule(min_warmup=1, warmup_s=0.0, min_samples=3, budget_s=2.0),
        "full": Rule(min_warmup=2, budget_s=10.0),
    },
    time_limit_s={"smoke": 300, "quick": 600, "full": 900},
    notes=(Reason("sarimax-extra"),),
)
