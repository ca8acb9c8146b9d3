"""The time line of a study: when the tracer was injected, and what the order of the images tells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Literal

from sudeck.core.errors import InputError
from sudeck.core.flags import Flag
from sudeck.core.vocabulary import ScanPhase
from sudeck.scan.phases.guideline import LONGEST_FLOW_FRAME_S
from sudeck.scan.reading.frames import Acquisition
from sudeck.scan.reading.remedies import SAY_INJECTION

Origin = Literal["injection", "acquisition"]
_LONG_GAP = timedelta(hours=1.5)
_NEAR = timedelta(minutes=30)
# Two clocks of a department are minutes apart, or an hour where one of them missed the change to summer time.
_CLOCKS_APART_S = 5400.0
_TWO_INJECTIONS_S = 6 * 3600.0
_SAME_CLOCK_S = 60.0
_SAME_CLOCK = timedelta(seconds=_SAME_CLOCK_S)
_DAY = timedelta(days=1)
_ASSUMED = "acquisition-time-assumed"


def zero_time(
    acquisitions: Sequence[Acquisition], injected_at: datetime | None
) -> tuple[datetime | None, Origin, tuple[Flag, ...]]:
    """Settle the time of injection of a study: as stated, as recorded, or the start of its flow.

    Parameters
    ----------
    acquisitions : sequence of Acquisition
        The acquisitions of one study.
    injected_at : datetime or None
        The injection time a person states.
    """
    if injected_at is not None:
        return injected_at, "injection", ()
    recorded = sorted({item.injected_at for item in acquisitions if item.injected_at is not None})
    if recorded:
        recorded, dated = _dated_by_first(acquisitions, recorded)
        flags = _injection_flags(acquisitions, recorded)
        flow, off = _flow_off(acquisitions, recorded[0])
        return flow or recorded[0], "injection", (*flags, *dated, *off)
    flows = sorted(item.acquired_at for item in acquisitions if begins_with_flow(item) and item.acquired_at)
    if not flows:
        return None, "acquisition", ()
    return (
        flows[0],
        "acquisition",
        (
            Flag(
                "injection-time-assumed",
                "No injection time is recorded; times count from the start of the flow.",
                "caution",
            ),
        ),
    )


def _dated_by_first(
    acquisitions: Sequence[Acquisition], recorded: list[datetime]
) -> tuple[list[datetime], tuple[Flag, ...]]:
    """Date an injection of which only the time of day is recorded: by the image that followed it at once.

    An image of the next day reads the time as one of its own day.
    """
    first = recorded[0]
    times = [item.acquired_at for item in acquisitions if item.acquired_at is not None]
    soon = any(abs(time - first) <= _NEAR for time in times)
    of_day = [(time - first).total_seconds() % 86_400 for time in recorded]
    same = all(min(seconds, 86_400 - seconds) <= _SAME_CLOCK_S for seconds in of_day)
    if not same or abs(recorded[-1] - first - _DAY) > _SAME_CLOCK:
        return recorded, ()
    flows = [item.acquired_at for item in acquisitions if begins_with_flow(item) and item.acquired_at]
    if flows and not soon:  # noted after the flow had started: the flow seems to be of the next day
        return [min(recorded, key=lambda time: abs(time - min(flows)))], ()
    if not soon:
        return recorded, ()
    return [first], (
        Flag(
            "injection-dated-by-first-image",
            "An image of the next day records the same time of injection: it is that of the day before.",
            "info",
        ),
    )


def without_export_times(
    acquisitions: Sequence[Acquisition],
) -> tuple[list[Acquisition], tuple[Flag, ...]]:
    """Drop times that are those of an export: a flow can not start hours after its injection.

    Only times that stand in for one of the acquisition are doubted.
    """
    stand_in = [item for item in acquisitions if any(flag.code == _ASSUMED for flag in item.flags)]
    late = [
        item
        for item in stand_in
        if begins_with_flow(item)
        and item.injected_at is not None
        and item.acquired_at is not None
        and (item.acquired_at - item.injected_at).total_seconds() > _CLOCKS_APART_S
    ]
    if not late:
        return list(acquisitions), ()
    doubted = {id(item) for item in stand_in}
    kept = [replace(item, acquired_at=None) if id(item) in doubted else item for item in acquisitions]
    return kept, (
        Flag(
            "times-of-export",
            f"{', '.join(item.label for item in stand_in)}: no time of acquisition is stated, and what "
            "stands in for it is hours after the injection of a flow: times of export, not used.",
            "caution",
        ),
    )


def _flow_off(
    acquisitions: Sequence[Acquisition], recorded: datetime
) -> tuple[datetime | None, tuple[Flag, ...]]:
    """Return the start of a flow that disagrees by minutes with the recorded injection: the flow is right."""
    flows = [item.acquired_at for item in acquisitions if begins_with_flow(item) and item.acquired_at]
    off_s = (min(flows) - recorded).total_seconds() if flows else 0.0
    if not _SAME_CLOCK_S < abs(off_s) <= _CLOCKS_APART_S:
        return None, ()
    return min(flows), (
        Flag(
            "injection-time-off-flow",
            f"The flow starts {abs(off_s) / 60:.0f} min {'after' if off_s > 0 else 'before'} the recorded "
            "injection; a flow starts with the injection, so that times count from the flow.",
            "caution",
            value=off_s,
            limit=_SAME_CLOCK_S,
            unit="s",
        ),
    )


def _injection_flags(acquisitions: Sequence[Acquisition], recorded: Sequence[datetime]) -> tuple[Flag, ...]:
    flags = []
    spread_s = (recorded[-1] - recorded[0]).total_seconds()
    if spread_s > _TWO_INJECTIONS_S:
        raise InputError(
            f"{len(acquisitions)} files",
            f"they record injections {spread_s / 3600:.0f} h apart, so they are not one study",
            f"give the files of one injection, or {SAY_INJECTION}",
        )
    if spread_s > _SAME_CLOCK_S:
        flags.append(
            Flag(
                "injection-times-differ",
                f"The files record injection times {spread_s / 60:.0f} min apart; the earliest is used.",
                "serious",
                value=spread_s,
                limit=_SAME_CLOCK_S,
                unit="s",
            )
        )
    without = [item.label for item in acquisitions if item.injected_at is None]
    if without:
        flags.append(
            Flag(
                "injection-time-shared",
                f"{', '.join(without)}: no injection time of its own; that of the other files is used.",
                "info",
            )
        )
    return tuple(flags)


def phases_by_order(acquisitions: Sequence[Acquisition]) -> dict[str, ScanPhase]:
    """Tell pool from delayed by order alone: images of two sittings at least an hour and a half apart.

    The result is by the hash of the file, because names may be alike.
    """
    timed = [item for item in acquisitions if item.kind != "dynamic" and item.acquired_at is not None]
    if not timed:
        return {}
    first = min(item.acquired_at for item in timed if item.acquired_at is not None)
    gaps = {item.source.sha256: item.acquired_at - first for item in timed if item.acquired_at is not None}
    if max(gaps.values()) < _LONG_GAP:
        return {}
    return {
        sha256: "tissue" if gap <= _NEAR else "bone"
        for sha256, gap in gaps.items()
        if gap <= _NEAR or gap >= _LONG_GAP
    }


def begins_with_flow(acquisition: Acquisition) -> bool:
    """Say whether an acquisition begins with the quick frames only a flow has."""
    first = min(acquisition.frames, key=lambda frame: frame.start_s or 0.0)
    quick = first.duration_s is not None and first.duration_s <= LONGEST_FLOW_FRAME_S
    return acquisition.kind == "dynamic" and quick
