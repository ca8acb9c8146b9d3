"""MAT-files of every version as plain values: arrays, dicts for structs, lists for cells, texts, tables.

Versions up to 7 are parsed by `mat5`, 7.3 (an HDF5 file) by h5py; tables, which MATLAB keeps in an
undocumented subsystem, by mat-io.
"""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np

from sudeck.core.errors import InputError, MissingDependencyError
from sudeck.core.limits import check_memory, memory_allowed
from sudeck.tms.readers.base import corrupt
from sudeck.tms.readers.matfiles.mat5 import TooLarge, Unread, parse

_HDF5 = b"\x89HDF\r\n\x1a\n"
_MAX_DEPTH = 8
# Unpacked, as an array, as double precision, joined by channel, in millivolts, as sweeps.
_COPIES = 5.0


def is_matfile(head: bytes) -> bool:
    """Recognise MAT-files of version 5 to 7.3 by their header text."""
    return head.startswith(b"MATLAB 5.0 MAT-file") or head.startswith(b"MATLAB 7.3 MAT-file")


def is_version_73(head: bytes) -> bool:
    """Tell an HDF5-based file, with or without MATLAB's header block before it."""
    return head.startswith(b"MATLAB 7.3 MAT-file") or head.startswith(_HDF5)


def load(path: Path) -> dict[str, Any]:
    """Return the variables of a MAT-file by name.

    Returns
    -------
    dict
        Numeric arrays in MATLAB's order of axes, ``str`` for text, ``dict`` for a struct, ``list`` for cells
        and struct arrays, and for a table a ``dict`` with the key ``"__table__"`` and its columns as lists.

    Raises
    ------
    InputError
        If the file is truncated or damaged.
    MissingDependencyError
        If it needs h5py or mat-io and they are not installed.
    """
    with path.open("rb") as file:
        head = file.read(1024)
    try:
        if is_version_73(head):
            values, opaque = _load_73(path)
        else:
            values, opaque = _load_5(path)
        if opaque:
            values |= _load_opaque(path)
    except (InputError, MissingDependencyError):
        raise
    except Exception as error:  # both libraries fail on damaged files with whatever their parsing runs into
        raise corrupt(path, "the MAT-file can not be read to its end") from error
    return values


def _load_5(path: Path) -> tuple[dict[str, Any], bool]:
    most = int(memory_allowed(path.stat().st_size) / _COPIES)
    try:
        parsed = parse(path.read_bytes(), most_bytes=most)
    except TooLarge:
        check_memory(path, most + 1, copies=_COPIES)
        raise
    opaque = any(isinstance(value, Unread) and value.is_object for value in parsed.values())
    return {name: value for name, value in parsed.items() if not isinstance(value, Unread)}, opaque


def _load_73(path: Path) -> tuple[dict[str, Any], bool]:
    try:
        import h5py
    except ImportError as error:
        raise MissingDependencyError("Reading MATLAB 7.3 files", "tms") from error
    values: dict[str, Any] = {}
    opaque = False
    with h5py.File(path, "r") as file:
        check_memory(path, _bytes_in(file), copies=_COPIES)
        for name, item in file.items():
            if name.startswith("#"):
                continue
            kind = _matlab_class(item)
            if kind == "table":
                opaque = True
            elif "MATLAB_object_decode" not in item.attrs:
                values[name] = _from_hdf5(item, file)
    return values, opaque


def _bytes_in(file: Any) -> int:
    """Return what all data sets of an HDF5 file hold once unpacked; a small file may state a huge one."""
    import h5py

    sizes: list[int] = []

    def add(_: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset):
            sizes.append(int(item.size or 0) * int(item.dtype.itemsize))

    file.visititems(add)
    return sum(sizes)


def _matlab_class(item: Any) -> str:
    value = item.attrs.get("MATLAB_class", b"")
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


def _from_hdf5(item: Any, file: Any, depth: int = 0) -> Any:
    """Turn an HDF5 group or data set into plain values; axes are reversed, as MATLAB stores columns first."""
    import h5py

    if depth > _MAX_DEPTH:
        return None
    if isinstance(item, h5py.Group):
        return {name: _from_hdf5(child, file, depth + 1) for name, child in item.items()}
    if item.attrs.get("MATLAB_empty", 0):
        return "" if _matlab_class(item) == "char" else np.zeros((0, 0))
    array = item[()]
    if _matlab_class(item) == "char":
        rows = np.atleast_2d(array.T)
        texts = ["".join(map(chr, row)).strip() for row in rows.astype(np.uint32)]
        return texts[0] if len(texts) == 1 else texts
    if array.dtype == object:
        return [_from_hdf5(file[reference], file, depth + 1) for reference in array.T.flat]
    return array.T


def _load_opaque(path: Path) -> dict[str, Any]:
    """Read the tables of a file with mat-io, which needs pandas."""
    try:
        import pandas as pd

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # newer pandas calls the option outdated
            # mat-io turns it on for the whole process, in which older pandas then asks for PyArrow.
            with pd.option_context("future.infer_string", pd.get_option("future.infer_string")):
                from matio import load_from_mat
    except ImportError as error:
        raise MissingDependencyError("Reading MATLAB tables", "tms") from error
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        loaded = load_from_mat(str(path))
    tables: dict[str, Any] = {}
    for name, value in loaded.items():
        if isinstance(value, pd.DataFrame):
            columns = {str(column): [_cell(cell) for cell in value[column]] for column in value.columns}
            tables[name] = {"__table__": True} | columns
    return tables


def _cell(value: Any) -> Any:
    """Turn a cell of a table into a plain value: text in an array becomes text."""
    if isinstance(value, np.ndarray) and value.dtype.kind in "US":
        texts = [str(item).strip() for item in value.flat]
        return texts[0] if len(texts) == 1 else texts
    return value
