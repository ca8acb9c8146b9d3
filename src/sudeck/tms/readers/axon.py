"""Axon binary files (.abf) of pCLAMP and AxoScope, read through neo; each sweep is a section."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from sudeck.core.errors import MissingDependencyError
from sudeck.tms.readers.base import Hints
from sudeck.tms.readers.parts.neo_files import recording_of
from sudeck.tms.signals.recording import Recording

FORMAT: Final = "Axon"
_SIGNATURES = (b"ABF ", b"ABF2")


def sniff(head: bytes, path: Path) -> bool:
    """Recognise the signature; the name settles it for a file whose first bytes are lost."""
    return head.startswith(_SIGNATURES) or path.suffix.lower() == ".abf"


def read(path: Path, hints: Hints) -> Recording:
    """Read every channel and sweep of a file.

    Raises
    ------
    InputError
        If the file holds no waveform.
    MissingDependencyError
        If neo is not installed.
    """
    try:
        from neo.rawio import AxonRawIO
    except ImportError as error:
        raise MissingDependencyError("Reading Axon files", "tms") from error
    raw = AxonRawIO(str(path))
    raw.parse_header()
    return recording_of(raw, path, FORMAT, hints)
