"""Lab Streaming Layer recordings (.xdf), read through pyxdf: streams of samples, and streams of markers."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import numpy as np

from sudeck.core.errors import InputError, MissingDependencyError
from sudeck.core.limits import check_memory
from sudeck.tms.readers.base import Hints, source_of, stimulus_labels
from sudeck.tms.readers.parts.scaling import RawChannel, signals_of
from sudeck.tms.signals.recording import Marker, Recording, Section

FORMAT: Final = "XDF"
_SIGNATURE = b"XDF:"
# Text of stream headers and samples as objects take about so many times the file.
_COPIES = 3.0


def sniff(head: bytes, path: Path) -> bool:
    """Recognise the signature; the name settles it for a file whose first bytes are lost."""
    return head.startswith(_SIGNATURE) or path.suffix.lower() == ".xdf"


def read(path: Path, hints: Hints) -> Recording:
    """Read every stream of numbers on the clock of the first; streams of texts become markers.

    Raises
    ------
    InputError
        If there is no stream of samples, or its first one has gaps.
    MissingDependencyError
        If pyxdf is not installed.
    """
    try:
        import pyxdf
    except ImportError as error:
        raise MissingDependencyError("Reading XDF files", "eeg") from error
    check_memory(path, path.stat().st_size, copies=_COPIES)
    with path.open("rb") as file:
        streams, _ = pyxdf.load_xdf(file, verbose=False)
    sampled = [s for s in streams if _is_sampled(s)]
    if not sampled:
        raise InputError(
            path.name, "it holds no stream of samples", "record the stream of the amplifier along"
        )
    clock_s = float(sampled[0]["time_stamps"][0])
    channels = []
    for stream in sampled:
        samples = np.asarray(stream["time_series"], dtype=np.float64)
        start_s = float(stream["time_stamps"][0]) - clock_s
        rate_hz = float(stream["info"]["nominal_srate"][0])
        lasting = float(stream["time_stamps"][-1] - stream["time_stamps"][0])
        if abs(lasting * rate_hz - (len(samples) - 1)) > 0.02 * len(samples) + 2:
            raise InputError(
                path.name, "a stream lost samples on its way", "record it again, or export a part"
            )
        labels = _described(stream, samples.shape[1])
        channels += [
            RawChannel(name, samples[:, index], unit, rate_hz, start_s)
            for index, (name, unit) in enumerate(labels)
        ]
    marks = []
    for stream in streams:
        if not _is_sampled(stream) and len(stream["time_stamps"]):
            name = str(stream["info"]["name"][0])
            rows = zip(stream["time_stamps"], stream["time_series"], strict=True)
            marks += [(float(time_s) - clock_s, _text(row), name) for time_s, row in rows]
    kept = stimulus_labels(text for _, text, _ in marks)
    signals, flags = signals_of(channels, path.name, hints)
    markers = tuple(Marker(t, text if text in kept else "", name) for t, text, name in sorted(marks))
    stop_s = signals[0].samples_mv.size / signals[0].rate_hz
    return Recording(source_of(path), FORMAT, signals, markers, (Section(0.0, stop_s),), tuple(flags))


def _is_sampled(stream: Any) -> bool:
    rate_hz = float(stream["info"]["nominal_srate"][0])
    return rate_hz > 0 and len(stream["time_stamps"]) > 1 and isinstance(stream["time_series"], np.ndarray)


def _described(stream: Any, n_channels: int) -> list[tuple[str, str]]:
    """Return name and unit of every channel, as far as the stream says."""
    try:
        listed = stream["info"]["desc"][0]["channels"][0]["channel"]
    except (TypeError, KeyError, IndexError):
        listed = []
    labels = [(_first(item, "label"), _first(item, "unit")) for item in listed][:n_channels]
    labels += [("", "")] * (n_channels - len(labels))
    name = str(stream["info"]["name"][0])
    alone = n_channels == 1
    return [(label or (name if alone else f"{name} {i + 1}"), unit) for i, (label, unit) in enumerate(labels)]


def _first(item: Any, key: str) -> str:
    value = item.get(key) if isinstance(item, dict) else None
    return str(value[0] or "") if isinstance(value, list) and value else ""


def _text(row: Any) -> str:
    value = row[0] if len(row) else ""
    return f"{value:g}" if isinstance(value, int | float | np.number) else str(value).strip()
