"""BrainVision: a text header (.vhdr, .ahdr), text markers (.vmrk, .amrk) and samples (.eeg), binary or text.

Written from the maker's public description of the BrainVision Core Data Format 1.0.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from sudeck.core.errors import InputError
from sudeck.core.flags import Flag
from sudeck.tms.readers.base import Hints, corrupt, is_there, source_of, truncated
from sudeck.tms.readers.parts.scaling import RawChannel, signals_of
from sudeck.tms.signals.recording import Marker, Recording, Section

FORMAT: Final = "BrainVision"
_SIGNATURES = (b"Brain Vision Data Exchange", b"BrainVision Data Exchange")
_DTYPES = {"INT_16": "i2", "INT_32": "i4", "IEEE_FLOAT_32": "f4", "UINT_16": "u2"}

Ini = dict[str, dict[str, str]]


def sniff(head: bytes, path: Path) -> bool:
    """Recognise any of the three files of a recording."""
    if head.lstrip(b"\xef\xbb\xbf").startswith(_SIGNATURES):
        return True
    return path.suffix.lower() == ".eeg" and _header_of(path).is_file()


def read(path: Path, hints: Hints) -> Recording:
    """Read a recording from any of its three files.

    Raises
    ------
    InputError
        If a part is missing, truncated or damaged, or the layout is not one of the documented ones.
    """
    header_path = _header_of(path)
    if not header_path.is_file():
        raise InputError(
            path.name, "its header file (.vhdr) is missing", "keep .vhdr, .vmrk and .eeg together"
        )
    header = _ini(header_path)
    common, binary = header.get("common infos", {}), header.get("binary infos", {})
    data_path = _companion(header_path, common.get("DataFile", ""), ".eeg")
    if data_path is None:
        raise InputError(path.name, "its data file (.eeg) is missing", "keep .vhdr, .vmrk and .eeg together")
    n_channels = _positive(common.get("NumberOfChannels"), header_path, "number of channels")
    interval_us = _positive(common.get("SamplingInterval"), header_path, "sampling interval")
    orientation = common.get("DataOrientation", "MULTIPLEXED").upper()
    if orientation not in {"MULTIPLEXED", "VECTORIZED"}:
        raise corrupt(header_path, f"the data orientation {orientation!r} is unknown")
    as_text = common.get("DataFormat", "BINARY").upper() == "ASCII"
    raw: NDArray[Any]
    if as_text:
        raw = _text_samples(data_path, header.get("ascii infos", {}), int(n_channels), orientation)
    else:
        code = binary.get("BinaryFormat", "").upper()
        if code not in _DTYPES:
            raise corrupt(header_path, f"the binary format {code!r} is none of {', '.join(_DTYPES)}")
        order = "<" if binary.get("UseBigEndianOrder", "NO").upper() != "YES" else ">"
        raw = _samples(data_path, np.dtype(order + _DTYPES[code]), int(n_channels), orientation)
    rate_hz = 1e6 / interval_us
    channels = []
    for index in range(int(n_channels)):
        name, resolution, unit = _channel(header, index, header_path)
        resolution = 1.0 if as_text else resolution  # text is in the unit already
        channels.append(RawChannel(name, raw[index] * resolution, unit, rate_hz))
    signals, flags = signals_of(channels, path.name, hints)
    ending = ".amrk" if header_path.suffix.lower() == ".ahdr" else ".vmrk"
    marker_path = _companion(header_path, common.get("MarkerFile", ""), ending)
    if marker_path is None:
        flags.append(Flag("markers-missing", f"The marker file of {path.name} is missing.", "caution"))
    markers = () if marker_path is None else _markers(marker_path, rate_hz)
    parts = [part for part in (header_path, marker_path, data_path) if part is not None]
    sections = (Section(0.0, raw.shape[1] / rate_hz),)
    return Recording(source_of(*parts), FORMAT, signals, markers, sections, tuple(flags))


def _header_of(path: Path) -> Path:
    """Return the header that goes with any file of a recording."""
    if path.suffix.lower() in {".vhdr", ".ahdr"}:
        return path
    found = (path.with_suffix(suffix) for suffix in (".vhdr", ".ahdr"))
    return next((header for header in found if header.is_file()), path.with_suffix(".vhdr"))


def _ini(path: Path) -> Ini:
    """Parse the header's sections; not configparser, which trips over the free text of [Comment]."""
    data = path.read_bytes()
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("latin-1")
    sections: Ini = {}
    current: dict[str, str] | None = None
    for line in text.splitlines():
        line = line.strip()
        title = re.fullmatch(r"\[(.+)\]", line)
        if title:
            name = title[1].strip().lower()  # programs differ in its case
            current = None if name == "comment" else sections.setdefault(name, {})
        elif current is not None and "=" in line and not line.startswith(";"):
            key, _, value = line.partition("=")
            current[key.strip()] = value.strip()
    return sections


def _companion(header: Path, named: str, suffix: str) -> Path | None:
    """Find the file the header names; where files were renamed together, the one beside the header."""
    beside = header.with_suffix(suffix)
    wanted = named.replace("$b", header.stem)
    # The name comes from the file: only its last part counts, so that it can not point elsewhere.
    last = re.split(r"[\\/]", wanted)[-1]
    candidates = [header.with_name(last)] if last.strip(".") else []
    return next((item for item in [*candidates, beside] if is_there(item) and item.is_file()), None)


def _positive(text: str | None, path: Path, what: str) -> float:
    try:
        value = float(text or "")
    except ValueError:
        value = 0.0
    if not (0 < value < 1e7 and np.isfinite(value)):
        raise corrupt(path, f"the header gives no usable {what}")
    return value


def _samples(
    path: Path, dtype: np.dtype[np.generic], n_channels: int, orientation: str
) -> NDArray[np.number]:
    """Return the samples as [channel, sample], in the numbers of the file."""
    size = path.stat().st_size
    if size == 0:
        raise truncated(path, "the data file is empty")
    if size % (n_channels * dtype.itemsize):
        raise truncated(path, f"the data file does not hold whole samples of {n_channels} channels")
    flat = np.fromfile(path, dtype)
    return flat.reshape(-1, n_channels).T if orientation == "MULTIPLEXED" else flat.reshape(n_channels, -1)


def _text_samples(
    path: Path, given: dict[str, str], n_channels: int, orientation: str
) -> NDArray[np.float64]:
    """Return the samples of a text export as [channel, sample]."""
    skipped = [int(given.get(key, "0") or 0) for key in ("SkipLines", "SkipColumns")]
    lines = path.read_bytes().decode("latin-1").splitlines()[skipped[0] :]
    comma = given.get("DecimalSymbol", ".") == ","
    rows = [(line.replace(",", ".") if comma else line.replace(",", " ")).split() for line in lines]
    rows = [row[skipped[1] :] for row in rows if row]
    # Names of channels are counted among what to skip by some programs, and not by others.
    if orientation == "MULTIPLEXED" and rows and not _is_number(rows[0][0]):
        rows = rows[1:]
    if orientation == "VECTORIZED":
        rows = [row if _is_number(row[0]) else row[1:] for row in rows]
    try:
        table = np.array(rows, dtype=np.float64)
    except ValueError:
        raise corrupt(path, "its lines differ in length or hold something that is no number") from None
    table = table if orientation == "VECTORIZED" else table.T
    if table.ndim != 2 or table.shape[0] != n_channels or table.size == 0:
        raise truncated(path, f"the data file does not hold whole samples of {n_channels} channels")
    return table


def _is_number(text: str) -> bool:
    return re.fullmatch(r"[-+]?\d*\.?\d+(e[-+]?\d+)?", text, re.IGNORECASE) is not None


def _channel(header: Ini, index: int, path: Path) -> tuple[str, float, str]:
    """Return name, resolution and unit of a channel; unit defaults to microvolts, as the format says."""
    entry = header.get("channel infos", {}).get(f"Ch{index + 1}")
    if entry is None:
        raise corrupt(path, f"the header does not describe channel {index + 1}")
    fields = [part.replace("\\1", ",").strip() for part in entry.split(",")] + ["", "", ""]
    try:
        resolution = float(fields[2] or 1.0)
    except ValueError:
        resolution = 0.0
    if not np.isfinite(resolution) or resolution == 0:
        raise corrupt(path, f"the resolution of channel {index + 1} is no number")
    return fields[0] or f"Ch{index + 1}", resolution, fields[3] or "µV"


def _markers(path: Path, rate_hz: float) -> tuple[Marker, ...]:
    """Return the markers of stimuli and responses. Comments are left out: people write names there."""
    markers = []
    for key, entry in _ini(path).get("marker infos", {}).items():
        fields = [part.replace("\\1", ",").strip() for part in entry.split(",")]
        if not re.fullmatch(r"Mk\d+", key) or len(fields) < 3:
            continue
        kind, label, position = fields[:3]
        if kind.lower() in {"comment", "new segment", ""} or not re.fullmatch(r"[0-9]{1,12}", position):
            continue
        markers.append(Marker((int(position) - 1) / rate_hz, label, kind))
    return tuple(sorted(markers, key=lambda marker: marker.time_s))
