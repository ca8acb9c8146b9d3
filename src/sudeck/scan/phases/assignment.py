"""Decide which frames are the vascular, the tissue and the bone phase of a study."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby

from sudeck.core.errors import InputError
from sudeck.core.flags import Flag
from sudeck.core.vocabulary import ScanPhase
from sudeck.scan.phases.guideline import (
    FLOW_S,
    LONGEST_FLOW_FRAME_S,
    LONGEST_FLOW_S,
    phase_by_form,
    phase_by_text,
    phase_by_time,
    phases_in_text,
    span,
    timing_flags,
)
from sudeck.scan.phases.orientation import Orientation
from sudeck.scan.phases.timeline import Origin, begins_with_flow
from sudeck.scan.reading.acquisitions import same_counts
from sudeck.scan.reading.clock import seconds_between
from sudeck.scan.reading.frames import Acquisition, Frame
from sudeck.scan.reading.remedies import SAY_FRAME_TIME, SAY_INJECTION, SAY_PHASE


@dataclass(frozen=True)
class PhaseCandidate:
    """Frames of one acquisition that could be one phase of the study.

    Attributes
    ----------
    acquisition, orientation
        Where the frames come from, and what stands at image-left in them.
    positions : tuple of int
        Which frames of `orientation.frames` these are.
    phase : {"vascular", "tissue", "bone"}
        The phase of the study.
    zero : datetime or None
        What start times count from; None where only the acquisition's own start is known.
    origin : {"injection", "acquisition"}
        Whether that is the injection.
    flags : tuple of Flag
        Findings about this choice.
    """

    acquisition: Acquisition
    orientation: Orientation
    positions: tuple[int, ...]
    phase: ScanPhase
    zero: datetime | None
    origin: Origin
    flags: tuple[Flag, ...] = ()

    @property
    def frames(self) -> tuple[Frame, ...]:
        """The frames to measure."""
        return tuple(self.orientation.frames[position] for position in self.positions)

    @property
    def partners(self) -> tuple[Frame, ...] | None:
        """The opposed frames, where there are any."""
        opposed = self.orientation.opposed
        return None if opposed is None else tuple(opposed[position] for position in self.positions)

    @property
    def offset_s(self) -> float:
        """Seconds from zero time to the start of the acquisition; 0 when unknown."""
        return seconds_between(self.zero, self.acquisition.acquired_at) or 0.0

    @property
    def start_s(self) -> float:
        """Seconds from zero time to the first frame; from its own start where that is unknown."""
        return self.offset_s + _start(self.frames[0])

    @property
    def total_counts(self) -> float:
        """Counts in all its frames, both detectors."""
        frames = (*self.frames, *(self.partners or ()))
        return float(sum(self.acquisition.counts[frame.index].sum() for frame in frames))

    def is_same_image(self, other: PhaseCandidate) -> bool:
        """Say whether both are copies of one image, with whatever differs in their headers."""
        mine, theirs = self.acquisition, other.acquisition
        same_name = bool(mine.instance) and mine.instance == theirs.instance
        return same_name and mine is not theirs and same_counts(mine.counts, theirs.counts)


def candidates_of(
    acquisition: Acquisition,
    orientation: Orientation,
    *,
    zero: datetime | None,
    origin: Origin,
    stated: Mapping[int | None, ScanPhase],
    by_order: ScanPhase | None,
    flow_s: float | None = None,
) -> tuple[PhaseCandidate, ...]:
    """Split an acquisition into the phases of the study it holds.

    Parameters
    ----------
    acquisition, orientation
        What to split.
    zero, origin
        From `zero_time`.
    stated : Mapping[int or None, ScanPhase]
        Phases a person states for this file, by DICOM phase; None for all of them.
    by_order : {"tissue", "bone"} or None
        Phase by the order of the images of the study, used when nothing else tells.
    flow_s : float, optional
        Seconds of the flow that a person wants measured; what follows in a run as short as a flow is unused.

    Raises
    ------
    InputError
        If frame times are missing where they matter, or the phase can not be told.
    """
    elapsed = seconds_between(zero, acquisition.acquired_at)
    groups: dict[ScanPhase, list[int]] = {}
    flags: dict[ScanPhase, list[Flag]] = {}
    for block in _blocks(acquisition, orientation.frames):
        phase = stated.get(orientation.frames[block[0]].phase, stated.get(None))
        if phase is not None:
            groups.setdefault(phase, []).extend(block)
            continue
        early, tail = _cut_flow(acquisition, orientation.frames, block, flow_s)
        parts: list[tuple[list[int], list[Flag]]] = [(early, [])]
        if tail:
            alone = len(block) == len(orientation.frames)
            alone &= _end(orientation.frames[tail[-1]]) > LONGEST_FLOW_S
            is_pool, flag = _judge_tail(acquisition, orientation.frames[tail[0]], alone=alone)
            parts = [(early, []), (tail, [flag])] if is_pool else [(early, [flag])]
        for part, of_cut in parts:
            phase, found = _phase_of(acquisition, [orientation.frames[i] for i in part], elapsed, by_order)
            flags.setdefault(phase, []).extend((*found, *of_cut))
            groups.setdefault(phase, []).extend(part)
    own_zero = zero if elapsed is not None else None
    own_origin: Origin = origin if elapsed is not None else "acquisition"
    candidates = (
        PhaseCandidate(
            acquisition,
            orientation,
            tuple(positions),
            phase,
            own_zero,
            own_origin,
            tuple(flags.get(phase, ())),
        )
        for phase, positions in groups.items()
    )
    return tuple(map(_with_timing_flags, candidates))


def _blocks(acquisition: Acquisition, frames: Sequence[Frame]) -> list[list[int]]:
    """Group frames by DICOM phase."""
    if acquisition.kind == "dynamic" and any(
        frame.start_s is None or frame.duration_s is None for frame in frames
    ):
        raise InputError(
            acquisition.label,
            "the times of its frames are not stated",
            SAY_FRAME_TIME,
        )
    return [list(run) for _, run in groupby(range(len(frames)), key=lambda position: frames[position].phase)]


def _cut_flow(
    acquisition: Acquisition, frames: Sequence[Frame], block: list[int], flow_s: float | None
) -> tuple[list[int], list[int]]:
    """Cut a run of quick frames that begins the acquisition where the flow ends: a long one, or as stated."""
    first, last = frames[block[0]], frames[block[-1]]
    quick = first.duration_s is not None and first.duration_s <= LONGEST_FLOW_FRAME_S
    long = _start(first) == 0 and _end(last) > (flow_s or LONGEST_FLOW_S)
    if acquisition.kind != "dynamic" or not quick or not long:
        return block, []
    early = [position for position in block if _end(frames[position]) <= (flow_s or FLOW_S)]
    return early, block[len(early) :]


def _judge_tail(acquisition: Acquisition, first: Frame, *, alone: bool) -> tuple[bool, Flag]:
    """Say whether what follows the flow in a run of like frames serves as tissue phase, and with which flag.

    It does not where the description speaks of the flow alone, or where the file has further DICOM phases.
    """
    named = phases_in_text(acquisition.text)
    start = span(_start(first))
    if not alone or ("vascular" in named and "tissue" not in named):
        return False, Flag(
            "flow-cut",
            f"The quick frames of {acquisition.label} run on after {start}; only those before are used, "
            "for the vascular phase.",
            "caution",
            "vascular",
            _start(first),
            FLOW_S,
            "s",
        )
    return True, Flag(
        "tissue-from-flow",
        f"The tissue phase is made of the quick frames of {acquisition.label} from {start} on"
        + ("." if "tissue" in named else "; nothing in the file says that they are one."),
        "caution" if "tissue" in named else "serious",
        "tissue",
        _start(first),
        FLOW_S,
        "s",
    )


def _phase_of(
    acquisition: Acquisition, frames: Sequence[Frame], elapsed: float | None, by_order: ScanPhase | None
) -> tuple[ScanPhase, list[Flag]]:
    label = acquisition.label
    start = None if elapsed is None else elapsed + _start(frames[0])
    by_text = phase_by_text(acquisition.text)
    if acquisition.kind == "dynamic":
        by_clock = phase_by_form(
            first=_start(frames[0]) < FLOW_S / 2,
            frame_s=frames[0].duration_s or 0.0,
            total_s=_end(frames[-1]) - _start(frames[0]),
            start_s=_start(frames[0]) if start is None and begins_with_flow(acquisition) else start,
        )
    else:
        by_clock = phase_by_time(start) if start is not None else None
    leads = _start(frames[0]) == 0
    if by_clock is not None and leads and by_text not in (None, by_clock):
        when = (
            f"starts {span(start)} after injection"
            if start is not None
            else f"has frames of a {by_clock} phase"
        )
        raise InputError(
            label, f"it {when} ({by_clock} phase), but is described as {by_text} phase", SAY_PHASE
        )
    if leads and begins_with_flow(acquisition) and by_clock != "vascular" and start is not None:
        raise InputError(
            label,
            f"its quick frames are those of a flow, but it starts {span(start)} after the injection",
            f"check the time of injection: {SAY_INJECTION}",
        )
    if by_clock is not None:
        return by_clock, []
    if start is not None:
        if start < 0:
            why = f"it starts {span(-start)} before the injection"
            raise InputError(label, f"its phase cannot be told: {why}", "check --injected-at and the clock")
        why = f"it starts {span(start)} after injection"
        raise InputError(label, f"its phase cannot be told: {why}", SAY_PHASE)
    why = "no injection time is known"
    if by_text is not None and by_text != "vascular":
        return by_text, [
            Flag(
                "phase-by-description",
                f"{label} is taken for the {by_text} phase by its description alone: {why}.",
                "caution",
                by_text,
            )
        ]
    if acquisition.kind == "whole body":
        return "bone", [
            Flag(
                "phase-by-kind",
                f"{label} is taken for the bone phase because it is a whole-body sweep: {why}.",
                "caution",
                "bone",
            )
        ]
    if by_order is not None:
        return by_order, [
            Flag(
                "phase-by-order",
                f"{label} is taken for the {by_order} phase by the order of the images: {why}.",
                "caution",
                by_order,
            )
        ]
    raise InputError(label, f"its phase cannot be told: {why}", SAY_PHASE)


def _with_timing_flags(item: PhaseCandidate) -> PhaseCandidate:
    first = item.frames[0]
    if item.origin != "injection":
        return item
    frame_s = first.duration_s if item.acquisition.kind == "dynamic" else None
    return replace(item, flags=(*item.flags, *timing_flags(item.phase, item.start_s, frame_s)))


def _start(frame: Frame) -> float:
    return frame.start_s or 0.0


def _end(frame: Frame) -> float:
    return _start(frame) + (frame.duration_s or 0.0)
