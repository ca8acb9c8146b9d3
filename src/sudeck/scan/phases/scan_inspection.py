"""What is in the files: the frame table, what would be measured, what not and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from pathlib import Path

from sudeck.core.errors import InputError
from sudeck.core.flags import Flag
from sudeck.core.record import Record
from sudeck.core.vocabulary import SCAN_PHASES, Limb, ScanPhase, Side
from sudeck.scan.phases.phase_plan import ScanPlan, plan_scan
from sudeck.scan.reading.collection import Skipped, collect
from sudeck.scan.reading.frames import Acquisition, Frame, ImageKind
from sudeck.scan.reading.sides import View


@dataclass(frozen=True, slots=True)
class FrameGroup(Record):
    """A run of frames of one detector, DICOM phase and energy window.

    Attributes
    ----------
    first, last : int
        Positions in the file, from 1 as people count.
    detector, phase, energy_window : int
        DICOM vectors.
    start_s, frame_s : float or None
        Start in the acquisition, and duration of each frame, s.
    view : str
        View of the detector.
    counts : float
        Counts in these frames.
    """

    first: int
    last: int
    detector: int
    phase: int
    energy_window: int
    start_s: float | None
    frame_s: float | None
    view: View
    counts: float

    def __str__(self) -> str:
        frames = f"frame {self.first}" if self.first == self.last else f"frames {self.first}-{self.last}"
        each = "duration unknown" if self.frame_s is None else f"{self.frame_s:g} s each"
        start = "" if self.start_s is None else f" from {self.start_s:g} s"
        return (
            f"{frames}: detector {self.detector}, phase {self.phase}, window {self.energy_window}, "
            f"{self.view}, {each}{start}, {self.counts:.0f} counts"
        )


@dataclass(frozen=True, slots=True)
class InspectedFile(Record):
    """One readable file of counts.

    Attributes
    ----------
    label : str
        Masked file name.
    kind : {"dynamic", "static", "whole body"}
        Kind of image.
    matrix : (int, int)
        Rows and columns.
    spacing_mm : (float, float) or None
        Pixel spacing, mm.
    acquired_at, injected_at : str or None
        Times in ISO 8601, camera time.
    limb : {"hand", "foot"} or None
        Limb the header names.
    groups : tuple of FrameGroup
        The frame table, runs of like frames together.
    clues : tuple of str
        What the header says about the side.
    used_for : tuple of ScanPhase
        Phases of the study it would serve.
    further_delayed : bool
        Whether it is a delayed image of another time, measured beside the bone phase.
    flags : tuple of Flag
        Findings.
    """

    label: str
    kind: ImageKind
    matrix: tuple[int, int]
    spacing_mm: tuple[float, float] | None
    acquired_at: str | None
    injected_at: str | None
    limb: Limb | None
    groups: tuple[FrameGroup, ...]
    clues: tuple[str, ...]
    used_for: tuple[ScanPhase, ...]
    flags: tuple[Flag, ...]
    further_delayed: bool = False

    def __str__(self) -> str:
        used = f"used for {', '.join(self.used_for)} phase" if self.used_for else "not used"
        if self.further_delayed:
            used = "measured as a further delayed image"
        rows, columns = self.matrix
        unknown = "at an unknown time"
        spacing = "pixel size unknown"
        if self.spacing_mm is not None:
            spacing = f"{self.spacing_mm[0]:g} x {self.spacing_mm[1]:g} mm"
        lines = [
            f"{self.label}: {used}",
            f"  {self.kind}, {rows} x {columns} pixels, {spacing}, {self.limb or 'limb not named'}",
            f"  acquired {self.acquired_at or unknown}, injected {self.injected_at or unknown}",
            *(f"  {group}" for group in self.groups),
            f"  side: {'; '.join(self.clues) or 'no clue'}",
            *(f"  {flag}" for flag in self.flags),
        ]
        return "\n".join(lines)


@dataclass(frozen=True, slots=True)
class ScanInspection(Record):
    """Everything found under some paths.

    Attributes
    ----------
    files : tuple of InspectedFile
        Readable files of counts.
    used : Mapping[ScanPhase, str]
        Which file would serve each phase.
    refused : Mapping[ScanPhase, str]
        Why a phase can not be had.
    skipped : tuple of Skipped
        What is not used, and why.
    flags : tuple of Flag
        Findings about the study as a whole and its phases.
    refusal : str
        Why nothing at all would be measured; empty otherwise.
    """

    files: tuple[InspectedFile, ...]
    used: Mapping[ScanPhase, str]
    refused: Mapping[ScanPhase, str]
    skipped: tuple[Skipped, ...]
    flags: tuple[Flag, ...]
    refusal: str

    def __str__(self) -> str:
        parts = [str(file) for file in self.files]
        parts += ["Phases\n" + "\n".join(f"  {phase}: {self.used.get(phase, '-')}" for phase in SCAN_PHASES)]
        if self.skipped:
            parts.append("Not used\n" + "\n".join(f"  {item}" for item in self.skipped))
        if self.flags:
            parts.append("Findings\n" + "\n".join(f"  {flag}" for flag in self.flags))
        if self.refusal:
            parts.append(f"Nothing can be measured\n  {self.refusal}")
        return "\n\n".join(parts)


def inspect_scan(
    paths: Sequence[Path],
    *,
    limb: Limb | None = None,
    view: View | None = None,
    image_left: Side | None = None,
    injected_at: datetime | None = None,
    phase_of: Mapping[str, ScanPhase] | None = None,
    frame_s: float | None = None,
) -> ScanInspection:
    """Look into files and folders without measuring; the options are those of `read_scan`.

    Raises
    ------
    InputError
        If a path does not exist. Whatever else is wrong is told in the result.
    """
    collection = collect(paths, frame_s=frame_s)
    refusal = ""
    try:
        plan = plan_scan(
            collection,
            limb=limb,
            view=view,
            image_left=image_left,
            injected_at=injected_at,
            phase_of=phase_of,
        )
        if not plan.chosen:
            refusal = str(plan.refusal())
    except InputError as error:
        refusal = str(error)
        plan = ScanPlan({}, limb, collection.skipped, collection.errors, collection.flags)
    used = {phase: item.acquisition.label for phase, item in plan.chosen.items()}
    of_files = {flag for acquisition in collection.acquisitions for flag in acquisition.flags}
    return ScanInspection(
        files=tuple(_inspected(acquisition, plan) for acquisition in collection.acquisitions),
        used=used,
        refused={phase: plan.why_absent(phase) for phase in SCAN_PHASES if phase not in used},
        skipped=plan.skipped,
        flags=tuple(flag for flag in plan.flags if flag not in of_files),
        refusal=refusal,
    )


def _inspected(acquisition: Acquisition, plan: ScanPlan) -> InspectedFile:
    sha256 = acquisition.source.sha256
    clues = [
        f"detector {detector}: {clue}"
        for detector, evidence in acquisition.evidence.items()
        for clue in evidence.clues
    ]
    return InspectedFile(
        label=acquisition.label,
        kind=acquisition.kind,
        matrix=(acquisition.counts.shape[1], acquisition.counts.shape[2]),
        spacing_mm=acquisition.spacing_mm,
        acquired_at=_iso(acquisition.acquired_at),
        injected_at=_iso(acquisition.injected_at),
        limb=acquisition.limb,
        groups=_groups(acquisition),
        clues=tuple(clues),
        used_for=tuple(
            phase
            for phase, item in plan.chosen.items()
            if sha256 in {source.sha256 for source in item.acquisition.sources}
        ),
        flags=acquisition.flags,
        further_delayed=sha256 in {s.sha256 for item in plan.other_delayed for s in item.acquisition.sources},
    )


def _groups(acquisition: Acquisition) -> tuple[FrameGroup, ...]:
    def alike(frame: Frame) -> tuple[int, int, int]:
        return frame.detector, frame.phase, frame.energy_window

    groups = []
    for _, run in groupby(acquisition.frames, key=alike):
        frames = list(run)
        first, last = frames[0], frames[-1]
        groups.append(
            FrameGroup(
                first=first.index + 1,
                last=last.index + 1,
                detector=first.detector,
                phase=first.phase,
                energy_window=first.energy_window,
                start_s=first.start_s,
                frame_s=first.duration_s,
                view=first.view,
                counts=float(acquisition.counts[[frame.index for frame in frames]].sum()),
            )
        )
    return tuple(groups)


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat(timespec="seconds")
