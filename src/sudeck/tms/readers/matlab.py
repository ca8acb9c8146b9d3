"""MATLAB files: exports of Signal, Spike2 and LabChart, tables of sweeps, and bare arrays."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from sudeck.tms.readers.base import Hints, source_of
from sudeck.tms.readers.matfiles.matfile import is_matfile, is_version_73, load
from sudeck.tms.readers.matfiles.matlab_exports import exported
from sudeck.tms.readers.parts.arrays import sweeps_in
from sudeck.tms.readers.parts.epochs import contents_of
from sudeck.tms.readers.parts.sidecar import sidecar_of

if TYPE_CHECKING:
    from sudeck.tms.readers.base import Contents

FORMAT: Final = "MATLAB"


def sniff(head: bytes, path: Path) -> bool:
    """Recognise MAT-files by their header."""
    return is_matfile(head) or (
        path.suffix.lower() in {".mat", ".set"} and (is_version_73(head) or not head.strip(b"\0"))
    )


def read(path: Path, hints: Hints) -> Contents:
    """Read a MAT-file, whatever program wrote it.

    Raises
    ------
    InputError
        If it is damaged, or nothing in it can be told to be EMG.
    MissingDependencyError
        If it needs h5py or mat-io and they are not installed.
    """
    values = load(path) | sidecar_of(path)
    source = source_of(path)
    recording = exported(values, path, source, hints)
    if recording is not None:
        return recording
    return contents_of(sweeps_in(values, path, hints), path, source, FORMAT, hints)
