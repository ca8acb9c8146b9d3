"""From one opened file to one audited acquisition: pixels, counts, frames, clock, sides, limb."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sudeck.core.errors import InputError
from sudeck.core.flags import Flag
from sudeck.core.provenance import SourceFile
from sudeck.core.vocabulary import Side
from sudeck.scan.reading.clock import read_clock
from sudeck.scan.reading.content import (
    limb_in_texts,
    other_part_in_texts,
    photopeak_frames,
    refuse_other_nuclide,
)
from sudeck.scan.reading.counts import audit_counts, find_rate_step, rate_step_flags
from sudeck.scan.reading.dicom import DicomFile, Header, classify
from sudeck.scan.reading.frame_table import build_frame_table
from sudeck.scan.reading.frames import Acquisition, Frame, ImageKind, View
from sudeck.scan.reading.identity import patient_of
from sudeck.scan.reading.pixels import refuse_lossy, stored_values
from sudeck.scan.reading.sides import SideEvidence, gather_clues, postures_of, weigh

_PLANAR: dict[str, ImageKind] = {"STATIC": "static", "DYNAMIC": "dynamic", "WHOLE BODY": "whole body"}
_NOT_PLANAR_VECTORS = ("SliceVector", "AngularViewVector", "RotationVector", "RRIntervalVector")
# What one image is called, and what the examination is called: only the first can tell phases apart.
_IMAGE_NAMES = ("SeriesDescription", "ImageID", "ImageComments", "AcquisitionDeviceProcessingDescription")
_STUDY_NAMES = ("ProtocolName", "StudyDescription", "PerformedProcedureStepDescription")
_LATERALITY: dict[str, Side] = {"L": "left", "R": "right"}
_SMALLEST_MM, _LARGEST_MM = 0.05, 50.0


def read_acquisition(file: DicomFile, label: str, *, frame_s: float | None = None) -> Acquisition:
    """Read one file into an audited acquisition.

    Parameters
    ----------
    file : DicomFile
        The opened file.
    label : str
        Its masked name.
    frame_s : float, optional
        Frame time of dynamics, s, as a person states it.

    Raises
    ------
    InputError
        If the file is no planar image of exact counts, or its frames can not be told apart.
    """
    header = file.header
    kind_of_file, problem = classify(header)
    if kind_of_file != "image":
        raise InputError(label, problem, "give the nuclear medicine images of the study")
    kind = _kind(header, label)
    refuse_other_nuclide(header, label)
    refuse_lossy(header, label)
    values, declared = stored_values(header, label)
    audit = audit_counts(values, header, label)
    flags = [*audit.flags]
    if declared != len(values):
        flags.append(
            Flag(
                "frame-count-disagrees",
                f"The header states {declared} frames; its vectors and its pixels agree on {len(values)}, "
                "which are used.",
                "serious",
                label,
                len(values),
                declared,
            )
        )
    evidence = _evidence(header, len(values))
    views: Mapping[int, View] = {detector: found.view for detector, found in evidence.items()}
    frames, frame_flags = build_frame_table(header, kind, len(values), views, subject=label, frame_s=frame_s)
    clock = read_clock(header, label)
    spacing_mm, spacing_flags = _spacing(header, label)
    frames = photopeak_frames(header, frames, label)
    if kind == "dynamic":
        flags += _rate_flags(audit.counts, frames, label, trusted=not _untabled(frame_flags, frames))
    text = _joined(header, _IMAGE_NAMES)
    body = (header.text("BodyPartExamined"), text, _joined(header, _STUDY_NAMES))
    return Acquisition(
        source=SourceFile(label, file.sha256, file.size_bytes),
        kind=kind,
        counts=audit.counts,
        frames=frames,
        spacing_mm=spacing_mm,
        acquired_at=clock.acquired_at,
        injected_at=clock.injected_at,
        half_life_s=clock.half_life_s,
        limb=limb_in_texts(*body),
        # What the whole examination is called counts only where the image itself names no limb.
        other_part=other_part_in_texts(*(body if limb_in_texts(*body[:2]) is None else body[:2])),
        flags=(*flags, *frame_flags, *clock.flags, *spacing_flags),
        evidence=evidence,
        text=text,
        patient=patient_of(header),
        study=header.text("StudyInstanceUID"),
        instance=header.text("SOPInstanceUID"),
        laterality=_laterality(header),
        postures=postures_of(header),
    )


def _laterality(header: Header) -> Side | None:
    stated = {header.text(keyword) for keyword in ("ImageLaterality", "FrameLaterality", "Laterality")} - {""}
    return _LATERALITY.get(stated.pop()) if len(stated) == 1 else None


def _kind(header: Header, label: str) -> ImageKind:
    image_type = header.texts("ImageType")
    stated = image_type[2] if len(image_type) > 2 else ""
    planar = "give the planar flow, pool and delayed images"
    if stated and stated not in _PLANAR:
        raise InputError(label, f"it is not a planar image (its type is {stated})", planar)
    if any(header.numbers(vector) for vector in _NOT_PLANAR_VECTORS):
        raise InputError(
            label, "it is not a planar image (its frames are slices, angles or heart beats)", planar
        )
    if "TRANSMISSION" in image_type[3:4]:
        raise InputError(label, "it is a transmission image, not uptake", planar)
    if stated:
        return _PLANAR[stated]
    if header.items("PhaseInformationSequence") or len(header.numbers("TimeSliceVector")) > 1:
        return "dynamic"
    body = f"{header.text('BodyPartExamined')} {header.text('WholeBodyTechnique')}"
    return "whole body" if "WHOLE BODY" in body or header.has("WholeBodyTechnique") else "static"


def _evidence(header: Header, n_frames: int) -> dict[int, SideEvidence]:
    vector = header.integers("DetectorVector")
    detectors = sorted(set(vector)) if len(vector) == n_frames else []
    if not detectors:
        detectors = list(range(1, min(header.integer("NumberOfDetectors") or 1, n_frames) + 1))
    clues = {detector: gather_clues(header, detector) for detector in detectors}
    return {detector: weigh(found) for detector, found in clues.items()}


def _spacing(header: Header, label: str) -> tuple[tuple[float, float] | None, tuple[Flag, ...]]:
    spacing = header.numbers("PixelSpacing") or _grouped_spacing(header)
    if len(spacing) == 2 and all(_SMALLEST_MM <= value <= _LARGEST_MM for value in spacing):
        return (spacing[0], spacing[1]), ()
    if len(spacing) == 2 and all(_SMALLEST_MM <= abs(value) <= _LARGEST_MM for value in spacing):
        return (abs(spacing[0]), abs(spacing[1])), (
            Flag(
                "pixel-spacing-negative",
                f"The pixel spacing is stated as {spacing[0]:g}, {spacing[1]:g} mm; its sign is ignored.",
                "caution",
                label,
            ),
        )
    stated = (
        "is not stated" if not spacing else f"is stated as {', '.join(f'{value:g}' for value in spacing)} mm"
    )
    return None, (
        Flag(
            "pixel-spacing-unusable", f"The pixel spacing {stated}; lengths stay in pixels.", "caution", label
        ),
    )


def _grouped_spacing(header: Header) -> tuple[float, ...]:
    """Return the spacing where the functional groups of an enhanced multi-frame file state one for all."""
    stated = {
        measures.numbers("PixelSpacing")
        for word in ("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence")
        for group in header.items(word)
        for measures in group.items("PixelMeasuresSequence")
    }
    return stated.pop() if len(stated) == 1 else ()


def _untabled(flags: Sequence[Flag], frames: Sequence[Frame]) -> bool:
    """Say whether one time, or none, stands for frames whose times the file does not list."""
    codes = {flag.code for flag in flags}
    return bool(codes & {"frame-time-stated", "frame-time-assumed"}) or any(
        frame.duration_s is None for frame in frames
    )


def _rate_flags(
    counts: NDArray[Any], frames: Sequence[Frame], label: str, *, trusted: bool
) -> tuple[Flag, ...]:
    """Flag a step of the count rate; refuse the file where its frame times are not listed by the camera."""
    first = min(frame.detector for frame in frames)
    ordered = sorted(
        (frame for frame in frames if frame.detector == first),
        key=lambda frame: (frame.phase, frame.time_slice, frame.index),
    )
    timed = all(frame.duration_s for frame in ordered)
    listed = [(frame.duration_s or 1.0) if timed else 1.0 for frame in ordered]
    rates = np.array([counts[frame.index].sum() for frame in ordered], dtype=np.float64) / listed
    found = find_rate_step(rates)
    if found is not None and not trusted:
        last, step = found
        raise InputError(
            label,
            f"its frames have different times, which it does not list (counts change {step:.1f}-fold "
            f"from frame {last} to {last + 1}), so no one frame time holds for all",
            "export it with its phase table, or give flow and pool as separate files",
        )
    return rate_step_flags(rates, label) if timed else ()


def _joined(header: Header, keywords: tuple[str, ...]) -> str:
    return " | ".join(filter(None, (header.text(keyword) for keyword in keywords)))


def same_counts(first: NDArray[np.number], second: NDArray[np.number]) -> bool:
    """Say whether two images hold the same counts."""
    return first.shape == second.shape and bool((first == second).all())
