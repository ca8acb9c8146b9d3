"""Sweeps in NumPy archives (.npz, .npy) and wide CSV tables, described by a small JSON sidecar."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from sudeck.core.errors import InputError
from sudeck.core.limits import check_archive
from sudeck.tms.readers.base import Hints, corrupt, source_of
from sudeck.tms.readers.parts.arrays import sweeps_in
from sudeck.tms.readers.parts.epochs import contents_of
from sudeck.tms.readers.parts.sidecar import sidecar_of

if TYPE_CHECKING:
    from sudeck.tms.readers.base import Contents

FORMAT: Final = "epochs"
_NPY = b"\x93NUMPY"
_ZIP = b"PK\x03\x04"
_TEXT = {".csv", ".tsv", ".txt"}
# A table of amplitudes has a handful of columns; a table of sweeps has one a sample, or one a trial.
_WIDE = 64
# Unpacked, as double precision, joined by channel, in millivolts, as sweeps.
_COPIES = 5.0


def sniff(head: bytes, path: Path) -> bool:
    """Recognise NumPy files by their signature, and tables of numbers alone that are wide or described."""
    suffix = path.suffix.lower()
    if head.startswith(_NPY) or (head.startswith(_ZIP) and suffix == ".npz"):
        return True
    if suffix == ".npz" or suffix == ".npy":
        return True
    if suffix not in _TEXT:
        return False
    lines = head.decode("latin-1").splitlines()
    last = lines[1] if len(lines) > 2 else (lines[0] if lines else "")
    cells = last.replace("\t", ",").replace(";", ",").split(",")
    return _numbers_only(cells) and (len(cells) >= _WIDE or path.with_suffix(".json").is_file())


def read(path: Path, hints: Hints) -> Contents:
    """Read the sweeps of a file.

    Raises
    ------
    InputError
        If the file is truncated or damaged, or nothing tells rate, axes or stimulus.
    """
    sidecar = sidecar_of(path)
    values = _arrays(path) if path.suffix.lower() not in _TEXT else {"emg": _table(path)}
    return contents_of(sweeps_in(values | sidecar, path, hints), path, source_of(path), FORMAT, hints)


def _arrays(path: Path) -> dict[str, Any]:
    """Return the arrays of a NumPy file. Pickled objects are refused: they could run code."""
    try:
        if path.suffix.lower() == ".npz":
            check_archive(path, copies=_COPIES)
        with path.open("rb") as file:
            loaded = np.load(file, allow_pickle=False)
            if isinstance(loaded, np.ndarray):
                return {"emg": loaded}
            return {name: _plain(loaded[name]) for name in loaded.files}
    except InputError:
        raise
    except Exception as error:  # zip, zlib and NumPy's own header each fail in their own way
        raise corrupt(path, "the NumPy file can not be read to its end") from error


def _plain(array: Any) -> Any:
    """Turn arrays of text into a text or a list of texts."""
    if array.dtype.kind in "US":
        texts = [str(item) for item in np.ravel(array)]
        return texts[0] if array.ndim == 0 else texts
    return array


def _table(path: Path) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return a table of numbers; a heading line is passed over."""
    lines = path.read_bytes().decode("latin-1").splitlines()
    rows = [line.replace("\t", ",").replace(";", ",").split(",") for line in lines if line.strip()]
    if rows and not _numbers_only(rows[0]):
        rows = rows[1:]
    if len({len(row) for row in rows}) != 1:
        raise corrupt(path, "the lines of the table differ in length")
    try:
        return np.array([[float(cell) if cell.strip() else np.nan for cell in row] for row in rows])
    except ValueError:
        raise corrupt(path, "the table of sweeps holds something that is no number") from None


def _numbers_only(cells: list[str]) -> bool:
    try:
        [float(cell) for cell in cells[:-1] if cell.strip()]
    except ValueError:
        return False
    return True
