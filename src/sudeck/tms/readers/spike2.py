"""CED Spike2 up to version 7 (.smr), read through neo."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Final

from sudeck.core.errors import InputError, MissingDependencyError
from sudeck.tms.readers.base import Hints, corrupt
from sudeck.tms.readers.parts.neo_files import recording_of
from sudeck.tms.signals.recording import Recording

FORMAT: Final = "Spike2"
# Every SON file carries the maker's notice at byte 2.
_COPYRIGHT = b"(C) CED"


def sniff(head: bytes, path: Path) -> bool:
    """Recognise the copyright notice of a SON file, or the name of one whose first bytes are lost."""
    return _COPYRIGHT in head[:32] or path.suffix.lower() in {".smr", ".son"}


def read(path: Path, hints: Hints) -> Recording:
    """Read every waveform and event channel of a Spike2 file.

    Raises
    ------
    InputError
        If the file is truncated or damaged, or holds no waveform.
    MissingDependencyError
        If neo is not installed.
    """
    try:
        from neo.rawio import Spike2RawIO
    except ImportError as error:
        raise MissingDependencyError("Reading Spike2 files", "tms") from error
    with path.open("rb") as file:
        begins_right = _COPYRIGHT in file.read(32)
    if not begins_right:
        raise corrupt(path, "the header of a Spike2 file is missing")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # neo warns about itself, never about the file
            raw = Spike2RawIO(str(path))
            raw.parse_header()
            return recording_of(raw, path, FORMAT, hints)
    except (InputError, MissingDependencyError):
        raise
    except Exception as error:  # neo fails on damaged files with whatever its arithmetic runs into
        raise corrupt(path, "the Spike2 file can not be read to its end") from error
