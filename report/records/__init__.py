"""Result and tuning records: their types, their versions, loading them, and the figures that they give."""

from report.records.common import DEVICES, PHASES, Device, PhaseName, PhaseWarning, Reason
from report.records.documents import Problem
from report.records.figure import Figure, figure, total
from report.records.load import BadInput, Loaded, complete, load_results
from report.records.model import Model
from report.records.result import Data, Phase, Process, Quality, Result, RollingOrigin, Score
from report.records.tuning import Attempt, Tuning

__all__ = [
    "DEVICES",
    "PHASES",
    "Attempt",
    "BadInput",
    "Data",
    "Device",
    "Figure",
    "Loaded",
    "Model",
    "Phase",
    "PhaseName",
    "PhaseWarning",
    "Problem",
    "Process",
    "Quality",
    "Reason",
    "Result",
    "RollingOrigin",
    "Score",
    "Tuning",
    "complete",
    "figure",
    "load_results",
    "total",
]
