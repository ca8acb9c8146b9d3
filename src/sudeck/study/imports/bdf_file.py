"""Write BDF+, the 24-bit form of EDF that BIDS takes: only what is given, so that nothing else can be in it.

By hand because the libraries that write EDF know no recordings with gaps (BDF+D), and laboratories often
record a sweep a pulse. Layout after the public specifications of EDF+ (edfplus.info) and BDF (BioSemi).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sudeck.core.errors import InputError

_LOWEST, _HIGHEST = -(2**23), 2**23 - 1
# EDF+ has no way to say that a date is not known; BIDS takes years before 1925 for shifted ones.
_NO_DATE: Final = datetime(1985, 1, 1)
_MONTHS: Final = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"]
LONGEST_LABEL: Final = 16


@dataclass(frozen=True)
class BdfSignal:
    """One channel: label (16 characters), unit (8), samples a record, and samples of all records."""

    label: str
    unit: str
    in_record: int
    samples: NDArray[np.float64]


def bdf_bytes(
    signals: Sequence[BdfSignal],
    *,
    starts_s: Sequence[float],
    record_s: float,
    notes: Sequence[tuple[float, str]],
    patient: str,
    started: datetime | None,
) -> bytes:
    """Return a BDF+ file.

    Parameters
    ----------
    signals : sequence of BdfSignal
    starts_s : sequence of float
        Start of every record after that of the file.
    record_s : float
        Length of a record.
    notes : sequence of (float, str)
        Annotations: time after the start of the file, and text.
    patient : str
        Pseudonym.
    started : datetime or None
        Shifted date and time; None where it is not known.

    Raises
    ------
    InputError
        If samples are missing (NaN), which the format has no way to say.
    """
    if not all(np.isfinite(signal.samples).all() for signal in signals):
        raise InputError("the recording", "some of its samples are missing", "export it without gaps")
    n_records = len(starts_s)
    lists = _annotations(starts_s, record_s, notes)
    width = 3 * math.ceil(max(map(len, lists)) / 3)
    limits = [_limit(signal.samples) for signal in signals]
    fields = [
        *(
            (signal.label, "", signal.unit, f"-{limit}", limit, str(signal.in_record))
            for signal, limit in zip(signals, limits, strict=True)
        ),
        ("BDF Annotations", "", "", "-1", "1", str(width // 3)),
    ]
    blocks = [
        _digital(signal.samples, float(limit)).reshape(n_records, 3 * signal.in_record)
        for signal, limit in zip(signals, limits, strict=True)
    ]
    texts = np.frombuffer(b"".join(text.ljust(width, b"\0") for text in lists), np.uint8)
    data = np.concatenate([*blocks, texts.reshape(n_records, width)], axis=1)
    gaps = any(abs(start - index * record_s - starts_s[0]) > 1e-4 for index, start in enumerate(starts_s))
    return _header(fields, n_records, record_s, patient, started, gaps) + data.tobytes()


def _header(
    fields: Sequence[tuple[str, ...]],
    n_records: int,
    record_s: float,
    patient: str,
    started: datetime | None,
    gaps: bool,
) -> bytes:
    day = started or _NO_DATE
    date = "X" if started is None else f"{day:%d}-{_MONTHS[day.month - 1]}-{day:%Y}"
    parts = [
        (f"{patient} X X X", 80),
        (f"Startdate {date} X X X", 80),
        (f"{day:%d.%m.%y}", 8),
        (f"{day:%H.%M.%S}", 8),
        (str(256 * (len(fields) + 1)), 8),
        ("BDF+D" if gaps else "BDF+C", 44),
        (str(n_records), 8),
        (duration_text(record_s), 8),
        (str(len(fields)), 4),
    ]
    label, transducer, unit, low, high, in_record = zip(*fields, strict=True)
    n = len(fields)
    for texts, width in (
        (label, LONGEST_LABEL), (transducer, 80), (unit, 8), (low, 8), (high, 8), ([str(_LOWEST)] * n, 8),
        ([str(_HIGHEST)] * n, 8), ([""] * n, 80), (in_record, 8), ([""] * n, 32),
    ):  # fmt: skip
        parts += [(text, width) for text in texts]
    return b"\xffBIOSEMI" + b"".join(_field(text, width) for text, width in parts)


def duration_text(seconds: float) -> str:
    """Return the length of a record in the eight characters there are for it."""
    return next(text for digits in range(8, 0, -1) if len(text := f"{seconds:.{digits}g}") <= 8)


def _field(text: str, width: int) -> bytes:
    return text.encode("ascii", "replace")[:width].ljust(width)


def _annotations(
    starts_s: Sequence[float], record_s: float, notes: Sequence[tuple[float, str]]
) -> list[bytes]:
    """Return the annotation list of every record: its start, then the notes that fall into it."""
    lists = [f"+{start:.6f}\x14\x14\0".encode() for start in starts_s]
    for time_s, text in sorted(notes):
        index = max(int(np.searchsorted(starts_s, time_s + 1e-9, side="right")) - 1, 0)
        lists[index] += f"{time_s:+.6f}\x14{text}\x14\0".encode()
    return lists


def _limit(samples: NDArray[np.float64]) -> str:
    """Return the end of the range as it fits into seven characters beside a sign, rounded up."""
    largest = float(np.abs(samples).max(initial=0.0)) or 1.0
    for digits in (6, 5, 4, 3, 2, 1):
        step = 10.0 ** (math.floor(math.log10(largest)) - digits + 1)
        text = f"{math.ceil(largest / step) * step:.{digits}g}"
        if len(text) <= 7 and float(text) >= largest:
            return text
    return f"{2 * largest:.1g}"


def _digital(samples: NDArray[np.float64], limit: float) -> NDArray[np.uint8]:
    gain = 2 * limit / (_HIGHEST - _LOWEST)
    digital = np.clip(np.rint((samples + limit) / gain) + _LOWEST, _LOWEST, _HIGHEST).astype("<i4")
    return np.ascontiguousarray(digital.view(np.uint8).reshape(-1, 4)[:, :3])
