"""The time line of a study: when the tracer was injected, and what the order of the images tells."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Literal

from sudeck.core.errors import InputError
from sudeck.core.flags import Flag
from sudeck.core.vocabulary import ScanPhase
from sudeck.scan.phases.guideline import LONGEST_FLOW_FRAME_S
from sudeck.scan.reading.frames import Acquisition

Origin = Literal["injection", "acquisition"]
_LONG_GAP = timedelta(hours=1.5)
_NEAR = timedelta(minutes=30)
_TWO_INJECTIONS_S = 6 * 3600.0
_SAME_CLOCK_S = 60.0


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
        return recorded[0], "injection", _injection_flags(acquisitions, recorded)
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


def _injection_flags(acquisitions: Sequence[Acquisition], recorded: Sequence[datetime]) -> tuple[Flag, ...]:
    flags = []
    spread_s = (recorded[-1] - recorded[0]).total_seconds()
    if spread_s > _TWO_INJECTIONS_S:
        raise InputError(
            f"{len(acquisitions)} files",
            f"they record injections {spread_s / 3600:.0f} h apart, so they are not one study",
            "give the files of one injection, or state it with --injected-at",
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
