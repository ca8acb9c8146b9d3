"""A three-phase bone scan as the measurement needs it: one series of counts for each phase of the study."""

from __future__ import annotations

from collections.abc import Collection as Sized
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from sudeck.core.errors import InputError
from sudeck.core.flags import Flag
from sudeck.core.provenance import SourceFile
from sudeck.core.vocabulary import SCAN_PHASES, Limb, ScanPhase, Side
from sudeck.scan.assignment import Candidate, candidates_of, choose, phases_by_order, zero_time
from sudeck.scan.collection import Collection, Skipped, collect
from sudeck.scan.frames import Acquisition
from sudeck.scan.orientation import orient
from sudeck.scan.sides import View
from sudeck.scan.wholebody import crop_limb


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
    """

    name: ScanPhase
    counts: NDArray[np.float64]
    start_s: NDArray[np.float64]
    duration_s: NDArray[np.float64]
    spacing_mm: tuple[float, float] | None
    view: View
    image_left: Side
    opposed: NDArray[np.float64] | None
    clock: Literal["injection", "acquisition"]
    sources: tuple[SourceFile, ...]
    half_life_s: float | None = None


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
    """

    phases: Mapping[ScanPhase, PhaseSeries]
    limb: Limb | None
    refused: Mapping[ScanPhase, str]
    skipped: tuple[Skipped, ...]
    flags: tuple[Flag, ...]
    sources: tuple[SourceFile, ...]


def read_scan(
    paths: Sequence[Path],
    *,
    limb: Limb | None = None,
    view: View | None = None,
    image_left: Side | None = None,
    injected_at: datetime | None = None,
    phase_of: Mapping[str, ScanPhase] | None = None,
    frame_s: float | None = None,
) -> BoneScan:
    """Read a three-phase bone scan from files and folders.

    Parameters
    ----------
    paths : sequence of Path
        Files and folders, anything in them.
    limb, view, image_left, injected_at, frame_s
        What a person states, where the files do not say or say wrong: limb imaged; view, or side of the
        patient at image-left, in the measured detector; injection time; duration of the frames of a dynamic, s.
    phase_of : Mapping[str, ScanPhase], optional
        Phase of the study by file name, or by ``name#2`` for the second DICOM phase of a file.

    Raises
    ------
    InputError
        If nothing can be used.
    """
    collection = collect(paths, frame_s=frame_s)
    late_errors: list[InputError] = []
    skipped = list(collection.skipped)
    limb, acquisitions = _limb_of(collection.acquisitions, limb, skipped)
    stated = _stated_phases(phase_of or {}, collection)
    zero, origin, zero_flags = zero_time(acquisitions, injected_at)
    by_order = phases_by_order(acquisitions)
    candidates: list[Candidate] = []
    for acquisition in acquisitions:
        try:
            cropped = crop_limb(acquisition, limb)
            candidates += candidates_of(
                cropped,
                orient(cropped, view=view, image_left=image_left),
                zero=zero,
                origin=origin,
                stated=stated,
                by_order=by_order.get(acquisition.label),
            )
        except InputError as error:
            late_errors.append(error)
            skipped.append(Skipped(error.subject, f"{error.problem}; {error.remedy}"))
    # Images that could nearly be used explain more than files that are no images at all.
    errors = [*late_errors, *collection.errors]
    chosen, others = choose(candidates)
    if not chosen:
        raise _nothing_usable(errors, skipped)
    skipped += [Skipped(item.acquisition.label, reason) for item, reason in others]
    flags = [*collection.flags, *zero_flags, *_view_flags(chosen.values())]
    by_file = {item.acquisition.source.sha256: item for item in chosen.values()}
    for item in by_file.values():
        flags += [*item.acquisition.flags, *item.orientation.flags]
    for item in chosen.values():
        flags += item.flags
    return BoneScan(
        phases={phase: _series(item) for phase, item in chosen.items()},
        limb=limb,
        refused={phase: _why_absent(phase, errors) for phase in SCAN_PHASES if phase not in chosen},
        skipped=tuple(skipped),
        flags=tuple(flags),
        sources=tuple(item.acquisition.source for item in by_file.values()),
    )


def _stated_phases(phase_of: Mapping[str, ScanPhase], collection: Collection) -> dict[str, ScanPhase]:
    """Return the phases a person states by masked label; refuse a name that no file bears."""
    labels = {acquisition.label for acquisition in collection.acquisitions}
    stated = {collection.redactor.clean(name): phase for name, phase in phase_of.items()}
    for name in stated:
        if name not in labels and name.rpartition("#")[0] not in labels:
            raise InputError(
                name, "a phase is stated for it, but no usable file has this name", "check the name"
            )
    return stated


def _view_flags(chosen: Sized[Candidate]) -> tuple[Flag, ...]:
    sides = {item.phase: f"{item.phase} {item.orientation.view}" for item in chosen}
    if len({item.orientation.image_left for item in chosen}) < 2:
        return ()
    return (
        Flag(
            "views-differ",
            f"The phases show the limbs from different sides ({', '.join(sides.values())}).",
            "caution",
        ),
    )


def _series(item: Candidate) -> PhaseSeries:
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
        sources=(item.acquisition.source,),
        half_life_s=item.acquisition.half_life_s,
    )


def _limb_of(
    acquisitions: Sequence[Acquisition], limb: Limb | None, skipped: list[Skipped]
) -> tuple[Limb | None, list[Acquisition]]:
    """Settle the limb, and leave out images of the other one."""
    named = {acquisition.limb for acquisition in acquisitions} - {None}
    if limb is None:
        if len(named) > 1:
            raise InputError(
                f"{len(acquisitions)} files",
                "some show hands and some feet",
                "choose with --limb hand or --limb foot",
            )
        return next(iter(named), None), list(acquisitions)
    kept = [item for item in acquisitions if item.limb in (None, limb)]
    skipped += [
        Skipped(item.label, f"it shows the {item.limb}, not the {limb}")
        for item in acquisitions
        if item not in kept
    ]
    return limb, kept


def _why_absent(phase: ScanPhase, errors: Sequence[InputError]) -> str:
    if errors:
        named = "; ".join(f"{error.subject}: {error.problem}" for error in errors[:2])
        return f"No usable image of the {phase} phase was found (not used: {named})."
    return f"No image of the {phase} phase was found."


def _nothing_usable(errors: Sequence[InputError], skipped: Sequence[Skipped]) -> InputError:
    """Return the one sentence that refuses the whole input."""
    if len(errors) == 1 and len(skipped) == 1:
        return errors[0]
    reasons = [str(item) for item in skipped]
    shown = " | ".join(reasons[:3]) + (f" | and {len(reasons) - 3} more" if len(reasons) > 3 else "")
    return InputError(
        f"{len(reasons)} files", f"none can be measured ({shown})", "see each with: sudeck inspect"
    )
