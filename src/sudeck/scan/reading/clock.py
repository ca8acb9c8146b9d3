"""When things happened: acquisition and injection times, across midnight, and the decay between them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from sudeck.core.flags import Flag
from sudeck.scan.reading.dicom import Header

# Half-life of technetium-99m: 6.0067 h.
TC99M_HALF_LIFE_S = 6.0067 * 3600
_TC99M = re.compile(r"(99M?[- ]?\^?M?\^?[- ]?TC|TC[- ]?99|TECHN[EÉ]TIUM|TECNECIO)")
_TC99M_CODES = {"C-163A8", "9867006", "424889000"}
# A flow is often started by hand before the injection is noted: an acquisition up to ten minutes before the
# injection is that, anything earlier means that the injection was the day before.
_EARLY_START = timedelta(minutes=10)
_DAY = timedelta(days=1)
# Past midnight an injection of the evening lies hours back; much more, and one of the clocks may be wrong.
_LONG_NIGHT = timedelta(hours=16)
# An acquisition after six in the morning does not belong to an injection at the stroke of midnight.
_LATE_FOR_MIDNIGHT = time(6)


@dataclass(frozen=True, slots=True)
class Clock:
    """The times of one acquisition, in the local time of the camera.

    Attributes
    ----------
    acquired_at : datetime or None
        Start of the acquisition.
    injected_at : datetime or None
        Injection of the tracer.
    half_life_s : float or None
        Half-life of the radionuclide, s.
    flags : tuple of Flag
        What had to be assumed.
    """

    acquired_at: datetime | None
    injected_at: datetime | None
    half_life_s: float | None
    flags: tuple[Flag, ...] = ()


def read_clock(header: Header, subject: str) -> Clock:
    """Read the times of an acquisition from its header.

    An injection time without a date is placed on the last day that puts it before the acquisition.
    """
    flags: list[Flag] = []
    acquired_at = _acquired_at(header, subject, flags)
    pharmaceutical = next(iter(header.items("RadiopharmaceuticalInformationSequence")), None)
    injected_at = None
    half_life_s = None
    if pharmaceutical is not None:
        half_life_s = _half_life(pharmaceutical)
        injected_at = parse_datetime(pharmaceutical.text("RadiopharmaceuticalStartDateTime"))
        clock_time = parse_time(pharmaceutical.text("RadiopharmaceuticalStartTime"))
        if clock_time == time() and acquired_at is not None and acquired_at.time() > _LATE_FOR_MIDNIGHT:
            clock_time = None
            flags.append(
                Flag(
                    "injection-at-midnight",
                    "The recorded injection time, 00:00:00, is taken for a field nobody filled in.",
                    "caution",
                    subject,
                )
            )
        if injected_at is None and clock_time is not None and acquired_at is not None:
            injected_at = datetime.combine(acquired_at.date(), clock_time)
            if injected_at > acquired_at + _EARLY_START:
                injected_at -= _DAY
                if acquired_at - injected_at > _LONG_NIGHT:
                    flags.append(_day_before(injected_at, acquired_at, subject))
    if half_life_s is None and _TC99M.search(str(header.private("GEMS_GENIE_1", 0x0011, 0x0D) or "").upper()):
        half_life_s = TC99M_HALF_LIFE_S
    if injected_at is not None and acquired_at is not None and injected_at > acquired_at + _EARLY_START:
        flags.append(
            Flag(
                "injection-after-acquisition",
                f"The recorded injection is {_span(injected_at - acquired_at)} after the acquisition; "
                "it is ignored.",
                "serious",
                subject,
                (injected_at - acquired_at).total_seconds(),
                unit="s",
            )
        )
        injected_at = None
    return Clock(acquired_at, injected_at, half_life_s, tuple(flags))


def _day_before(injected_at: datetime, acquired_at: datetime, subject: str) -> Flag:
    elapsed = acquired_at - injected_at
    return Flag(
        "injection-day-before",
        "The recorded time of injection is later in the day than the acquisition; it is placed on the day "
        f"before, {_span(elapsed)} earlier.",
        "caution",
        subject,
        elapsed.total_seconds(),
        _LONG_NIGHT.total_seconds(),
        "s",
    )


def seconds_between(start: datetime | None, end: datetime | None) -> float | None:
    """Return the seconds from `start` to `end`, or None when either is unknown."""
    return None if start is None or end is None else (end - start).total_seconds()


def parse_date(text: str) -> date | None:
    """Read a DICOM date, ``20260101`` or the older ``2026.01.01``."""
    match = re.fullmatch(r"(\d{4})[.-]?(\d{2})[.-]?(\d{2})", text.strip())
    if match is None:
        return None
    try:
        return date(*map(int, match.groups()))
    except ValueError:
        return None


def parse_time(text: str) -> time | None:
    """Read a DICOM time, ``HHMMSS.ffffff`` with any tail missing, or the older ``HH:MM:SS``."""
    match = re.fullmatch(r"(\d{2})(?::?(\d{2})(?::?(\d{2})(?:\.(\d{1,6}))?)?)?", text.strip())
    if match is None:
        return None
    hours, minutes, seconds, fraction = match.groups(default="0")
    try:
        return time(int(hours), int(minutes), min(int(seconds), 59), int(fraction.ljust(6, "0")))
    except ValueError:
        return None


def parse_datetime(text: str) -> datetime | None:
    """Read a DICOM date and time in one; an offset from UTC is dropped, as all times are the camera's own."""
    match = re.fullmatch(r"(\d{8})(\d{2}(?:\d{2}(?:\d{2}(?:\.\d{1,6})?)?)?)?(?:[+-]\d{4})?", text.strip())
    if match is None or match.group(2) is None:
        return None
    day, clock_time = parse_date(match.group(1)), parse_time(match.group(2))
    return None if day is None or clock_time is None else datetime.combine(day, clock_time)


def _acquired_at(header: Header, subject: str, flags: list[Flag]) -> datetime | None:
    stated = parse_datetime(header.text("AcquisitionDateTime"))
    if stated is not None:
        return stated
    for word in ("Acquisition", "Content", "Series"):
        day, clock_time = parse_date(header.text(f"{word}Date")), parse_time(header.text(f"{word}Time"))
        if clock_time is not None and day is None:
            day = parse_date(header.text("StudyDate"))
        if day is not None and clock_time is not None:
            if word != "Acquisition":
                flags.append(
                    Flag(
                        "acquisition-time-assumed",
                        f"No acquisition time is stated; the {word.lower()} time stands in for it.",
                        "caution",
                        subject,
                    )
                )
            return datetime.combine(day, clock_time)
    return None


def _half_life(pharmaceutical: Header) -> float | None:
    stated = pharmaceutical.number("RadionuclideHalfLife")
    if stated is not None and stated > 0:
        return stated
    for code in pharmaceutical.items("RadionuclideCodeSequence"):
        if code.text("CodeValue") in _TC99M_CODES or _TC99M.search(code.text("CodeMeaning")):
            return TC99M_HALF_LIFE_S
    named = pharmaceutical.text("Radiopharmaceutical")
    return TC99M_HALF_LIFE_S if _TC99M.search(named) else None


def _span(elapsed: timedelta) -> str:
    minutes = elapsed.total_seconds() / 60
    return f"{minutes / 60:.1f} h" if minutes >= 120 else f"{minutes:.0f} min"
