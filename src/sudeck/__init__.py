"""Sudeck: bone scans, magnetic stimulation and ketamine in complex regional pain syndrome."""

from sudeck.core.errors import InputError, SudeckError
from sudeck.core.estimate import Estimate
from sudeck.core.flags import Flag

__version__ = "0.1.0"

__all__ = ["Estimate", "Flag", "InputError", "SudeckError", "__version__"]
