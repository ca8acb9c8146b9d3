"""A three-phase bone scan as the measurement needs it: one series of counts for each phase of the study."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sudeck.core.flags import Flag
from sudeck.core.privacy import Redactor
from sudeck.core.provenance import SourceFile
from sudeck.core.vocabulary import SCAN_PHASES, Limb, ScanPhase, Side
from sudeck.scan.phases.assignment import PhaseCandidate
from sudeck.scan.phases.phase_plan import file_flags, plan_scan
from sudeck.scan.phases.timeline import Origin
from sudeck.scan.reading.collection import Skipped, collect
from sudeck.scan.reading.sides import View


@dataclass(frozen=True)
class PhaseSeries:
    """The frames of one phase of the study, one view.

    Attributes
    ----------
    name : {"vascular", "tissue", "bone"}
        Phase of the study.
    counts : NDArray [frame, row, column]
        Raw counts, orientation as stored.
    start_s : NDArray [frame]
        Start of each frame, s, from what `clock` says.
    duration_s : NDArray [frame]
        Duration of each frame, s; NaN where unknown (a single static image only).
    spacing_mm : (float, float) or None
        Distance between rows and between columns, mm.
    view : str
        View of the detector.
    image_left : {"left", "right"}
        Side of the patient at image-left.
    opposed : NDArray [frame, row, column] or None
        Counts of the opposed detector, mirrored so that each limb lies on the same image side as in `counts`.
    clock : {"injection", "acquisition"}
        What `start_s` counts from: the injection, or the start of the flow (of this acquisition where no
        flow has a time).
    sources : tuple of SourceFile
        Files it comes from.
    half_life_s : float or None
        Half-life of the radionuclide, s.
    side_seconds : Mapping[Side, float]
        Where the limbs were acquired one after the other: seconds of each, decay counted in; else empty.
    sides_apart_s : float
        Seconds between the two.
    """

    name: ScanPhase
    counts: NDArray[np.float64]
    start_s: NDArray[np.float64]
    duration_s: NDArray[np.float64]
    spacing_mm: tuple[float, float] | None
    view: View
    image_left: Side
    opposed: NDArray[np.float64] | None
    clock: Origin
    sources: tuple[SourceFile, ...]
    half_life_s: float | None = None
    side_seconds: Mapping[Side, float] = field(default_factory=dict)
    sides_apart_s: float = 0.0


@dataclass(frozen=True)
class OtherDelayedSeries:
    """A delayed image of another time than that of the bone phase.

    Attributes
    ----------
    series : PhaseSeries
        Its counts, as bone phase.
    flags : tuple of Flag
        Findings about its file and time.
    """

    series: PhaseSeries
    flags: tuple[Flag, ...]


@dataclass(frozen=True)
class BoneScan:
    """A study read: its usable phases, and for everything else the reason.

    Attributes
    ----------
    phases : Mapping[ScanPhase, PhaseSeries]
        Usable phases, in the order of the study.
    limb : {"hand", "foot"} or None
        Limb imaged.
    refused : Mapping[ScanPhase, str]
        For each phase that is absent or unusable, why, in one sentence.
    skipped : tuple of Skipped
        Every file, or part of one, that is not used, and why.
    flags : tuple of Flag
        Findings about the files in use.
    sources : tuple of SourceFile
        Files in use.
    redactor : Redactor
        Masks what names the patient in any text that a person adds.
    other_delayed : tuple of OtherDelayedSeries
        Delayed images of other times than that of the bone phase.
    """

    phases: Mapping[ScanPhase, PhaseSeries]
    limb: Limb | None
    refused: Mapping[ScanPhase, str]
    skipped: tuple[Skipped, ...]
    flags: tuple[Flag, ...]
    sources: tuple[SourceFile, ...]
    redactor: Redactor = field(default=Redactor(), repr=False)
    other_delayed: tuple[OtherDelayedSeries, ...] = ()


def read_scan(
    paths: Sequence[str | Path] | str | Path,
    *,
    limb: Limb | None = None,
    view: View | None = None,
    image_left: Side | None = None,
    injected_at: datetime | None = None,
    phase_of: Mapping[str, ScanPhase] | None = None,
    frame_s: float | None = None,
    usual_view: View | None = None,
    flow_s: float | None = None,
) -> BoneScan:
    """Read a three-phase bone scan from files and folders.

    Parameters
    ----------
    paths : path or sequence of paths
        Files and folders, anything in them.
    limb, view, image_left, injected_at, frame_s
        What a person states, where the files do not say or say wrong: limb imaged; view, or side of the
        patient at image-left, in the measured detector; injection time; duration of a frame of a dynamic, s.
    phase_of : Mapping[str, ScanPhase], optional
        Phase of the study by file name, or by ``name#2`` for the second DICOM phase of a file.
    usual_view : str, optional
        View in which a centre takes all its scans: used, with a flag, where nothing in a file tells the side.
    flow_s : float, optional
        Seconds of the flow to measure from its start. Unless given, all of a flow of up to 3 min; of quick
        frames that run on for longer the first 2 min.

    Raises
    ------
    InputError
        If nothing can be used.
    """
    several = [paths] if isinstance(paths, str | Path) else paths
    found = collect([Path(path) for path in several], frame_s=frame_s)
    plan = plan_scan(
        found,
        limb=limb,
        view=view,
        image_left=image_left,
        injected_at=injected_at,
        phase_of=phase_of,
        usual_view=usual_view,
        flow_s=flow_s,
    )
    if not plan.chosen:
        raise plan.refusal()
    return BoneScan(
        phases={phase: _series(item) for phase, item in plan.chosen.items()},
        limb=plan.limb,
        refused={phase: plan.why_absent(phase) for phase in SCAN_PHASES if phase not in plan.chosen},
        skipped=plan.skipped,
        flags=plan.flags,
        sources=plan.sources,
        redactor=found.redactor,
        other_delayed=tuple(
            OtherDelayedSeries(_series(item), (*file_flags(item), *item.flags)) for item in plan.other_delayed
        ),
    )


def _series(item: PhaseCandidate) -> PhaseSeries:
    frames, partners = item.frames, item.partners
    counts = item.acquisition.counts
    own_start = np.array([frame.start_s or 0.0 for frame in frames])
    durations = [np.nan if frame.duration_s is None else frame.duration_s for frame in frames]
    opposed = None
    if partners is not None:
        opposed = counts[[frame.index for frame in partners], :, ::-1].astype(np.float64)
    return PhaseSeries(
        name=item.phase,
        counts=counts[[frame.index for frame in frames]].astype(np.float64),
        start_s=item.offset_s + own_start,
        duration_s=np.array(durations),
        spacing_mm=item.acquisition.spacing_mm,
        view=item.orientation.view,
        image_left=item.orientation.image_left,
        opposed=opposed,
        clock=item.origin,
        sources=item.acquisition.sources,
        half_life_s=item.acquisition.half_life_s,
        side_seconds={one.side: one.seconds for one in item.acquisition.sides},
        sides_apart_s=item.acquisition.sides_apart_s,
    )
