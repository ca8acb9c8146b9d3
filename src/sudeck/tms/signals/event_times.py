"""When the stimuli of an events table came: in seconds, milliseconds or samples, or by another clock."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from sudeck.core.errors import InputError

# Headings of times that are no seconds, as `sudeck.tms.signals.events` writes a heading plainly.
_MILLISECONDS: Final = (
    *("onset_ms", "onset_msec", "time_ms", "time_msec", "latency_ms", "zeit_ms", "temps_ms", "tiempo_ms"),
    *("onset_milliseconds", "time_milliseconds", "timestamp_ms", "t_ms", "begin_ms", "start_ms"),
)
_SAMPLES: Final = (
    *("sample", "samples", "onset_sample", "onset_samples", "sample_index", "sample_number", "sample_point"),
    *(
        "begin_sample",
        "start_sample",
        "time_samples",
        "time_sample",
        "latency_samples",
        "sample_nr",
        "sample_no",
    ),
)
_SECONDS: Final = (
    *("latency_s", "latency_sec", "latency_seconds", "zeit_s", "temps_s", "tiempo_s", "t_s", "onset_sec"),
    *("onset_seconds", "time_sec", "time_seconds", "timestamp_s", "begin_s", "start_s", "zeit", "temps"),
)
# Only an events table has these: in a table of amplitudes a latency is that of the response.
CLOCKS: Final[Mapping[str, str]] = {
    **dict.fromkeys(_MILLISECONDS, "time_ms"),
    **dict.fromkeys(_SAMPLES, "sample"),
    **dict.fromkeys(_SECONDS, "time_s"),
}


def seconds_of(text: str) -> float:
    """Return the seconds of a number, with a point or a comma, or of a clock: ``1:02:03.5``, ``02:03.5``.

    Raises
    ------
    ValueError
        If it is neither.

    Examples
    --------
    >>> seconds_of("2,5"), seconds_of("0:01:02.5")
    (2.5, 62.5)
    """
    parts = text.split(":")
    total = 0.0
    for index, part in enumerate(parts):
        number = float(part.replace(",", ".") if part.count(",") == 1 and "." not in part else part)
        if len(parts) > 1 and (number < 0 or (index and number >= 60) or len(parts) > 3):
            raise ValueError(text)
        total = 60 * total + number
    return total


def with_times(
    rows: Sequence[Mapping[str, Any]], rates_hz: Iterable[float], label: str
) -> tuple[dict[str, Any], ...]:
    """Return rows whose times are seconds, where they count in milliseconds or in samples.

    Parameters
    ----------
    rows : sequence of mapping
        Of an events table.
    rates_hz : iterable of float
        Rates at which the channels of its recording were sampled.
    label : str
        Name of the table, for messages.

    Raises
    ------
    InputError
        If it counts in samples, and the channels were sampled at several rates.

    Examples
    --------
    >>> with_times([{"sample": 5000.0}, {"time_ms": 7500.0}], [5000.0], "a.tsv")[1]["time_s"]
    7.5
    """
    rates = sorted(set(rates_hz))
    made = []
    for row in rows:
        given = dict(row)
        if "time_s" not in given and "time_ms" in given:
            given["time_s"] = given["time_ms"] / 1e3
        if "time_s" not in given and "sample" in given:
            if len(rates) != 1:
                several = " and ".join(f"{rate:g}" for rate in rates)
                raise InputError(
                    label,
                    f"it counts in samples, and channels were sampled at {several} Hz",
                    "give onset in seconds",
                )
            given["time_s"] = given["sample"] / rates[0]
        made.append(given)
    return tuple(made)


def refuse_other_clock(
    rows: Sequence[Mapping[str, Any]], label: str, *, end_s: float, rate_hz: float
) -> None:
    """Refuse onsets that can not be seconds of a recording, and say what they may be.

    Parameters
    ----------
    rows : sequence of mapping
        Of an events table.
    label : str
        Its name, for messages.
    end_s : float
        When the recording ends, on the clock of the events.
    rate_hz : float
        At which it was sampled.

    Raises
    ------
    InputError
        If more than a third of the onsets lie beyond the end: what is left would be measured at wrong times.
    """
    times = [float(row["time_s"]) for row in rows if "time_s" in row]
    beyond = sum(time > end_s for time in times)
    if beyond <= len(times) / 3:
        return
    scales = {"milliseconds": 1e-3, f"samples of {rate_hz:g} Hz": 1.0 / rate_hz}
    fitting = [words for words, seconds in scales.items() if max(times) * seconds <= end_s]
    guess = f"; they may be {' or '.join(fitting)}" if fitting else ""
    raise InputError(
        label,
        f"{beyond} of its {len(times)} onsets lie beyond the end of the recording at {end_s:g} s{guess}",
        "give the events table of this recording, with onset in seconds from its start, or call the column "
        "onset_ms or sample",
    )
