"""Readers, one module a format, chosen by what a file begins with and by its name."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np

from sudeck.core.errors import InputError, SudeckError
from sudeck.tms.readers.base import HEAD_BYTES, Hints, Reader, corrupt, is_there
from sudeck.tms.signals.recording import Recording
from sudeck.tms.signals.trials import TrialSet

if TYPE_CHECKING:
    from sudeck.tms.readers.base import Contents

# In the order they are asked: formats with an unmistakable signature first, plain tables last.
FORMATS = (
    "cfs",
    "spike2",
    "brainvision",
    "edf",
    "axon",
    "fif",
    "xdf",
    "nwb",
    "matlab",
    "acqknowledge",
    "brainsight",
    "continuous_text",
    "epoched",
    "amplitudes",
)

# Formats nothing reads outside their maker's software, and how to get the data out of it.
_LABCHART = (
    "LabChart files have no open reader",
    "in LabChart choose File, Export, and save as MATLAB (.mat), text or EDF",
)
_BRAINSIGHT = "in Brainsight, review the session and export its samples as .txt"
_TO_EDF = "in the program that wrote it, export the recording as EDF, BrainVision, MATLAB or text"
_UNREADABLE = {
    ".smrx": (
        "64-bit Spike2 files have no open reader",
        "in Spike2 choose File, Export As, and save as Spike2 32-bit (.smr) or MATLAB (.mat)",
    ),
    ".cfsx": (
        "64-bit CED Signal files have no open reader",
        "in Signal choose File, Export As, and save as MATLAB (.mat) or CFS 32-bit (.cfs)",
    ),
    ".adicht": _LABCHART,
    ".adidat": _LABCHART,
    ".cfg": ("this is a settings file, not a recording", "give the recording that goes with it"),
    ".cnt": ("files of Neuroscan and ANT Neuro (.cnt) are not read", _TO_EDF),
    ".hpf": ("Delsys EMGworks files have no open reader", "in EMGworks File Utility, convert it to CSV"),
    ".shpf": ("Delsys Trigno Discover files have no open reader", "in Trigno Discover, export it as CSV"),
    ".poly5": ("TMSi files (.poly5) are not read", _TO_EDF),
    ".nev": ("Blackrock files are not read", _TO_EDF),
    ".c3d": ("motion capture files (.c3d) are not read", "export the analogue channels as text with times"),
    ".mff": ("EGI files (.mff) are not read", _TO_EDF),
    ".nxe": ("Nexstim files have no open reader", "in eXimia or NBS, export the EMG as EDF"),
    ".bsproj": ("Brainsight projects have no open reader", _BRAINSIGHT),
    ".bsp": ("Brainsight projects have no open reader", _BRAINSIGHT),
    ".wdq": ("WinDaq files are not read", "in WinDaq choose File, Save As, and save as CSV with times"),
    ".tdms": ("LabVIEW files (.tdms) are not read", "export them as CSV with a column of times, in seconds"),
    ".pkl": ("pickled objects can run code and are not read", "save the arrays with numpy.savez"),
    ".gz": ("compressed files are not read", "unpack it first"),
    ".zip": ("archives are not read", "unpack it first"),
    ".xls": ("Excel files before 2007 are not read", "save it as .xlsx or CSV"),
}


# Endings that nothing but a recording has.
_SUFFIXES = {
    ".cfs", ".smr", ".son", ".vhdr", ".ahdr", ".edf", ".bdf", ".acq", ".abf", ".fif", ".xdf", ".nwb", ".set",
}  # fmt: skip


def reader_of(path: Path) -> Reader:
    """Return the reader for a file.

    Raises
    ------
    InputError
        If the file is missing, empty, or of a format that nothing here reads.
    """
    if not is_there(path):
        raise InputError(path.name, "there is no such file", "check the path")
    if path.is_dir():
        raise InputError(path.name, "no recording is in this folder", "name a folder or file that holds one")
    if not path.is_file():  # opening a pipe would wait for ever
        raise InputError(path.name, "it is a pipe or a device, no file", "save the recording as a file")
    if path.suffix.lower() in _UNREADABLE:
        raise InputError(path.name, *_UNREADABLE[path.suffix.lower()])
    try:
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
    except OSError as error:
        raise InputError(path.name, "the file can not be opened", "check that you may read it") from error
    if not head:
        raise InputError(path.name, "the file is empty", "copy or export it again")
    for name in FORMATS:
        reader = cast(Reader, import_module(f"{__name__}.{name}"))
        if reader.sniff(head, path):
            return reader
    raise InputError(
        path.name,
        f"files of this kind ({path.suffix or 'no ending'}) are none of the formats Sudeck reads",
        "export it as EDF, BrainVision, MATLAB, text with a column of times, or a table of trial amplitudes",
    )


def recognises(path: Path) -> bool:
    """Tell whether a file in a folder is a recording, or one of a format for which there is no reader.

    A text table counts only if a heading names amplitudes: folders hold tables of all kinds.
    """
    if path.suffix.lower() in _UNREADABLE:
        return path.suffix.lower() not in {".cfg", ".gz", ".zip", ".pkl", ".xls", ".c3d", ".nev"}
    if path.stat().st_size == 0:
        return path.suffix.lower() in _SUFFIXES  # its refusal is worth telling
    try:
        reader = reader_of(path)
    except InputError:
        return False
    names_trials = getattr(reader, "names_amplitudes", None)
    return names_trials is None or bool(names_trials(path))


def read_file(path: Path, hints: Hints | None = None) -> Contents:
    """Read a recording, epochs or a table of amplitudes, whatever the file holds.

    Raises
    ------
    InputError
        If the file can not be read: whatever its parser, ours or a library's, fails with.
    MissingDependencyError
        If its format needs a library that is not installed.
    """
    reader = reader_of(path)
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"), _overheard() as errors:
            warnings.simplefilter("ignore")  # what a parser mutters of a damaged file is no one's concern
            contents = reader.read(path, hints or Hints())
        _refuse_infinite(contents, path)
    except SudeckError:
        raise
    except MemoryError as error:
        raise InputError(
            path.name, "reading it takes more memory than there is", "export a shorter part of it"
        ) from error
    except Exception as error:  # a parser fails on a damaged file with whatever its arithmetic runs into
        raise corrupt(path, f"the {reader.FORMAT} file can not be read to its end") from error
    if errors:  # the library went on behind a damage, without what it had skipped
        raise corrupt(path, f"a part of the {reader.FORMAT} file is damaged")
    return contents


@contextmanager
def _overheard() -> Iterator[list[str]]:
    """Keep what libraries log off the screen; gather what they log as errors."""
    errors: list[str] = []
    ear = logging.Handler(logging.ERROR)
    ear.emit = lambda record: errors.append(record.getMessage())  # type: ignore[method-assign]
    root = logging.getLogger()
    root.addHandler(ear)
    try:
        yield errors
    finally:
        root.removeHandler(ear)


def _refuse_infinite(contents: Contents, path: Path) -> None:
    """Refuse samples that no amplifier writes: they come of a damaged scale or a division by zero."""
    if isinstance(contents, Recording):
        arrays = [signal.samples_mv for signal in contents.signals]
    else:
        arrays = [item.emg_mv for item in contents if isinstance(item, TrialSet)]
    if any(np.isinf(samples).any() for samples in arrays):
        raise corrupt(path, "some of its samples are infinite")
