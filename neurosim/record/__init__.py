"""Result files: what a run writes, and what is read from it."""

from __future__ import annotations

from neurosim.record.archive import NotRecorded, PopulationInfo, ProjectionInfo
from neurosim.record.provenance import collect_provenance
from neurosim.record.result import Result
from neurosim.record.tables import GraphTables
from neurosim.record.topology import HISTORY, EdgeTable
from neurosim.record.writer import ResultFile, free_path

__all__ = [
    "HISTORY",
    "EdgeTable",
    "GraphTables",
    "NotRecorded",
    "PopulationInfo",
    "ProjectionInfo",
    "Result",
    "ResultFile",
    "collect_provenance",
    "free_path",
]
