"""The frame table: which detector, phase and time each frame belongs to, from the vectors of the standard."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from sudeck.core.flags import Flag
from sudeck.core.provenance import SourceFile
from sudeck.core.record import Record
from sudeck.core.vocabulary import Limb, Side
from sudeck.scan.reading.sides import SideEvidence
from sudeck.scan.reading.sides import View as View

ImageKind = Literal["dynamic", "static", "whole body"]


@dataclass(frozen=True, slots=True)
class Frame(Record):
    """One plane of counts and what the header says of it.

    Attributes
    ----------
    index : int
        Position in the file, from 0.
    detector, phase, time_slice, energy_window : int
        DICOM vectors, each from 1. The phase is the camera's, not the phase of the study.
    start_s : float or None
        Start, s from the start of the acquisition; None when frame times are unknown.
    duration_s : float or None
        Duration, s.
    view : str
        View of its detector, or ``"unknown"``.
    """

    index: int
    detector: int
    phase: int
    time_slice: int
    energy_window: int
    start_s: float | None
    duration_s: float | None
    view: View


@dataclass(frozen=True, slots=True)
class OneSide:
    """One limb of an image that was joined from two files.

    Attributes
    ----------
    side : {"left", "right"}
        Side of the body.
    source : SourceFile
    seconds : float
        Duration of its acquisition, times what decay had left of the activity at the start of the first.
    """

    side: Side
    source: SourceFile
    seconds: float


@dataclass(frozen=True)
class Acquisition:
    """One file of counts, audited, with its frame table.

    Attributes
    ----------
    source : SourceFile
        Masked name, hash and size of the file.
    kind : {"dynamic", "static", "whole body"}
        Kind of planar image.
    counts : NDArray [frame, row, column]
        Counts in native byte order.
    frames : tuple of Frame
        One entry a plane, in the order of `counts`.
    spacing_mm : (float, float) or None
        Distance between rows and between columns, mm; None when missing or impossible.
    acquired_at, injected_at : datetime or None
        Start of the acquisition and injection, camera time.
    half_life_s : float or None
        Half-life of the radionuclide, s.
    limb : {"hand", "foot"} or None
        What the header says was imaged.
    flags : tuple of Flag
        Findings about this file.
    evidence : Mapping[int, SideEvidence]
        Evidence on the side at image-left, by detector.
    text : str
        Descriptions of the image in upper case, unmasked: for recognising words, never for printing.
    patient : (str, str)
        Tokens of record number and name; empty where not stated.
    study, instance : str
        Identifiers of study and image; empty when not stated.
    other_part : str
        Part of the body other than hand or foot that the header names; empty when it names none.
    laterality : {"left", "right"} or None
        Side of the body that the header states for the image.
    sides : tuple of OneSide
        Where the image was joined from two files of one limb each: which they are.
    sides_apart_s : float
        Seconds between the two.
    opposed_source : SourceFile or None
        Where a second file holds the frames of detector 2: which.
    postures : frozenset of str
        How the patient lay: supine, prone; empty where it is not stated.
    """

    source: SourceFile
    kind: ImageKind
    counts: NDArray[np.number]
    frames: tuple[Frame, ...]
    spacing_mm: tuple[float, float] | None
    acquired_at: datetime | None
    injected_at: datetime | None
    half_life_s: float | None
    limb: Limb | None
    flags: tuple[Flag, ...]
    evidence: Mapping[int, SideEvidence]
    text: str
    patient: tuple[str, str]
    study: str
    instance: str
    other_part: str = ""
    laterality: Side | None = None
    sides: tuple[OneSide, ...] = ()
    sides_apart_s: float = 0.0
    opposed_source: SourceFile | None = None
    postures: frozenset[str] = frozenset()

    @property
    def label(self) -> str:
        """Masked name of the file."""
        return self.source.label

    @property
    def sources(self) -> tuple[SourceFile, ...]:
        """The files it comes from."""
        if self.sides:
            return tuple(side.source for side in self.sides)
        return (self.source,) if self.opposed_source is None else (self.source, self.opposed_source)

    @property
    def detectors(self) -> tuple[int, ...]:
        """Detectors that have frames, in order."""
        return tuple(sorted({frame.detector for frame in self.frames}))
