"""The demo camera ``sim://``: a signalised approach rendered by code alone, with its truth."""

from actors.simulation.address import Incident, SimulationSettings, parse_address
from actors.simulation.recording import record
from actors.simulation.source import SimulatedCamera, SimulatedFrame
from actors.simulation.truth import FrameTruth, TrueIncident, TrueObject, TruePassage, TrueQueue

__all__ = [
    "FrameTruth",
    "Incident",
    "SimulatedCamera",
    "SimulatedFrame",
    "SimulationSettings",
    "TrueIncident",
    "TrueObject",
    "TruePassage",
    "TrueQueue",
    "parse_address",
    "record",
]
