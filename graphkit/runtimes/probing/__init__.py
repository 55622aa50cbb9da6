"""Measuring what an installed runtime does with each operator. The doors are below, in the order of use.

corpus → measure → observe → measured_table, report
"""

from graphkit.runtimes.probing.corpus import Case, corpus, held_out, node_tests, variants
from graphkit.runtimes.probing.measure import Measurement, Settings, measure
from graphkit.runtimes.probing.merging import measured_table, table_to_begin_with
from graphkit.runtimes.probing.observation import Observation, observe
from graphkit.runtimes.probing.outcome import KINDS, Leniency, Outcome, difference, probe
from graphkit.runtimes.probing.report import OperatorCount, ProbeReport, report

__all__ = [
    "KINDS",
    "Case",
    "Leniency",
    "Measurement",
    "Observation",
    "OperatorCount",
    "Outcome",
    "ProbeReport",
    "Settings",
    "corpus",
    "difference",
    "held_out",
    "measure",
    "measured_table",
    "node_tests",
    "observe",
    "probe",
    "report",
    "table_to_begin_with",
    "variants",
]
