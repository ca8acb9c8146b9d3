"""The scan under review: its images, its regions, and its six ratios with what a person tries out."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from starlette.exceptions import HTTPException
from starlette.responses import Response

from sudeck.app.asked import Asked, answers
from sudeck.app.places import places_of
from sudeck.app.workbench import Workbench, stamp
from sudeck.core.errors import InputError, SudeckError
from sudeck.core.vocabulary import REGIONS, ScanPhase
from sudeck.scan import (
    BoneScan,
    MeasureSettings,
    PhaseSeries,
    PosedScan,
    ScanResult,
    measure_region,
    pose_scan,
    read_scan,
)
from sudeck.scan.limbs.geometry import Grid, Points, Similarity
from sudeck.scan.limbs.poses import Poses
from sudeck.scan.ratios.regions import outline as outlines_of
from sudeck.scan.ratios.set_mirror import describe_mirror
from sudeck.study.measuring.choices import ScanChoices, scan_choices
from sudeck.study.measuring.inputs import PatientInputs
from sudeck.study.measuring.patient_measures import measuring_of, reading_of

_ELLIPSE_CORNERS: Final = 32
_CORNER_TOLERANCE_PX: Final = 0.8  # how far a region to start from may lie off the outline that was found
_LARGEST_FRAMES: Final = 64 << 20  # bytes of a flow that a page takes


@dataclass(frozen=True)
class ScanAtWork:
    """A scan laid over itself, ready for one region after another.

    Attributes
    ----------
    posed : PosedScan
    how : MeasureSettings
        As the study and the decisions say, with the region that holds.
    reading : str
        Changes whenever the images or the side of the scan do.
    """

    posed: PosedScan
    how: MeasureSettings
    reading: str

    def measured(self, region: str | None = None) -> ScanResult:
        """Measure the region that holds, or a named one in its place.

        Raises
        ------
        InputError
            If it can not be measured.
        """
        chosen = region or (self.how.region if self.how.drawn is None else self.how.drawn)
        return measure_region(self.posed, chosen, settings=self.how, uptake=False)


def scan_at_work(bench: Workbench, inputs: PatientInputs, session: str) -> ScanAtWork:
    """Return the scan of a session as a run would read it; files and poses are kept.

    Parameters
    ----------
    bench : Workbench
    inputs : PatientInputs
        With what is tried out.
    session : str

    Raises
    ------
    InputError
        If it can not be measured, whatever the region.
    """
    if inputs.trouble:
        raise InputError(inputs.participant_id, inputs.trouble.rstrip("."), "see sudeck check")
    choices = scan_choices(inputs.decisions, session)
    if choices.excluded:
        raise InputError(inputs.participant_id, "a person left the scan out", "take that back to measure it")
    affected = choices.affected or inputs.affected
    if affected is None:
        raise InputError(
            inputs.participant_id, "nothing says which side is affected", "choose it under Sides and view"
        )
    scan, key = _scan(bench, inputs, session, choices)
    posed = bench.poses.get((key, affected), lambda: pose_scan(scan, affected=affected))
    how = measuring_of(choices, bench.settings)
    return ScanAtWork(posed, how, f"{abs(hash((key, affected))):x}")


def _scan(
    bench: Workbench,
    inputs: PatientInputs,
    session: str,
    choices: ScanChoices,
    **instead: Any,
) -> tuple[BoneScan, tuple[object, ...]]:
    paths = inputs.scans[session]
    given = {**reading_of(inputs, choices, bench.settings), **instead}
    key = (inputs.participant_id, session, stamp(paths), repr(sorted(given.items())))
    return bench.scans.get(key, lambda: read_scan(paths, **given)), key


def _images(asked: Asked) -> Mapping[str, Any]:
    """Return the images of a scan and the regions it can be measured in, as soon as its files are read."""
    try:
        choices = scan_choices(asked.inputs.decisions, asked.session)
        scan, _ = _scan(asked.bench, asked.inputs, asked.session, choices)
    except SudeckError as error:
        alone = _images_alone(asked.bench, asked.inputs, asked.session)
        return {**asked.standing(), "problem": str(error), "phases": alone, "regions": []}
    return {
        **asked.standing(),
        "phases": {name: _phase_image(series) for name, series in scan.phases.items()},
        "regions": list(REGIONS[scan.limb]) if scan.limb else ["whole"],
    }


def _ratios(asked: Asked) -> Mapping[str, Any]:
    """Return the ratios, and where the limbs lie, with the drafts the page sends."""
    answer = asked.standing()
    try:
        work = scan_at_work(asked.bench, asked.inputs, asked.session)
    except SudeckError as error:
        return {**answer, "problem": str(error)}
    poses, lines = work.posed.poses, list[Points]()
    answer["reading"] = work.reading
    try:
        result = work.measured()
        # The counterpart a person set is that of the result.
        poses = replace(
            poses, phases={**poses.phases, **{name: one.pose for name, one in result.phases.items()}}
        )
        answer["result"] = shown = result_of(result)
        for entry, flag in zip(shown["flags"], result.flags, strict=True):
            entry["places"] = places_of(flag, work.posed)
        lines = shown_lines(shown, poses.phases[poses.reference].grid)
    except SudeckError as error:
        answer["problem"] = str(error)
    return answer | {
        "reference": poses.reference,
        "poses": {
            name: _matrices(poses, name) | {"beyond": _beyond(poses, name, lines)} for name in poses.phases
        },
    }


def shown_lines(shown: Mapping[str, Any], grid: Grid) -> list[Points]:
    """Return the outlines of the measured region as a page shows them, in pixels of the reference image."""
    drawn = shown["drawn"]
    if drawn is None:
        return [np.array(line) for line in shown["outline"]]
    if drawn["type"] == "polygon":
        corners = np.array(drawn["points"], dtype=np.float64)
    else:
        # As geometry.js makes corners of an ellipse.
        around = np.arange(_ELLIPSE_CORNERS) * (2 * np.pi / _ELLIPSE_CORNERS)
        angle = np.radians(drawn.get("rotation_deg", 0.0))
        long, short = drawn["radii"][0] * np.cos(around), drawn["radii"][1] * np.sin(around)
        turned = long * np.cos(angle) - short * np.sin(angle), long * np.sin(angle) + short * np.cos(angle)
        corners = np.array(drawn["centre"]) + np.stack(turned, axis=1)
    return [corners / np.array(grid.spacing_mm)[::-1] if drawn["unit"] == "mm" else corners]


def _images_alone(bench: Workbench, inputs: PatientInputs, session: str) -> dict[str, Any]:
    """Return the images of a scan that can not be measured yet: they may show what it needs."""
    try:
        choices = scan_choices(inputs.decisions, session)
    except SudeckError:
        return {}
    for guessed in ({}, {"image_left": "left"}):
        try:
            scan, _ = _scan(bench, inputs, session, choices, **guessed)
        except SudeckError:
            continue
        images: dict[str, Any] = {name: _phase_image(series) for name, series in scan.phases.items()}
        if guessed:  # the guess opens the files and is not shown
            images = {name: {**image, "image_left": None} for name, image in images.items()}
        return images
    return {}


def result_of(result: ScanResult) -> dict[str, Any]:
    """Return what a page shows of a measured scan."""
    reference = result.phases.get(result.reference)
    drawn = result.provenance.settings.get("drawn")
    outline: list[list[list[float]]] = []
    if reference is not None and drawn is None:
        grid = reference.pose.grid
        outline = [
            _in_pixels(line, grid).round(2).tolist() for line in outlines_of(reference.affected_points, grid)
        ]
    return {
        "estimates": {name: one.to_dict() for name, one in result.estimates.items()},
        "refused": dict(result.refused),
        "flags": [flag.to_dict() for flag in result.flags],
        "region": result.region,
        "affected": result.affected,
        "limb": result.limb,
        "drawn": drawn,
        "outline": outline,
        "curves": [
            {"side": one.side, "time_s": one.time_s.tolist(), "counts_per_pixel_s": one.rate.tolist()}
            for phase in result.phases.values()
            for one in phase.curves
        ],
    }


def _matrices(poses: Poses, name: ScanPhase) -> dict[str, Any]:
    """Return pixels of the reference image to pixels of another, of the affected limb and of its counterpart.

    Posture left out, which is `_beyond`.

    Also how the healthy limb came from the reference image, and the counterpart as a person would set it.
    """
    pose, start = poses.phases[name], poses.phases[poses.reference].grid
    return {
        "to_affected": _matrix(pose.from_reference, start, pose.grid),
        "to_healthy": _matrix(pose.from_reference.then(pose.mirror.transform), start, pose.grid),
        "healthy_moved": _matrix(pose.healthy_from_reference, start, pose.grid),
        "as_set": describe_mirror(pose.mirror.transform, pose.mirror.centre_mm, pose.grid),
        "spacing_mm": list(pose.grid.spacing_mm),
    }


def _beyond(poses: Poses, name: ScanPhase, lines: Sequence[Points]) -> list[list[list[float]]]:
    """Return by how many pixels the posture of the healthy limb moves each corner beyond its matrix."""
    pose, start = poses.phases[name], poses.phases[poses.reference].grid
    per_pixel = np.array(pose.grid.spacing_mm)[::-1]
    found = []
    for line in lines:
        places = start.points_of(line[:, 1], line[:, 0])
        found.append(((pose.counterpart(places) - pose.to_healthy(places)) / per_pixel).round(2).tolist())
    return found


def _matrix(transform: Similarity, start: Grid, grid: Grid) -> list[float]:
    """Return a transform between pixels as SVG writes it: a, b, c, d, e, f."""
    corners = transform(start.points_of(np.array([0.0, 0.0, 1.0]), np.array([0.0, 1.0, 0.0])))
    origin, right, down = _in_pixels(corners, grid)
    return [*(right - origin).tolist(), *(down - origin).tolist(), *origin.tolist()]


def _in_pixels(points: Points, grid: Grid) -> NDArray[np.float64]:
    row, column = grid.pixel_of(points)
    return np.stack([column, row], axis=-1)


def _phase_image(series: PhaseSeries) -> dict[str, Any]:
    image = series.counts.sum(axis=0)
    known = bool(np.isfinite(series.duration_s).all())
    return {
        "rows": image.shape[0],
        "columns": image.shape[1],
        "counts": base64.b64encode(image.astype("<f4").tobytes()).decode(),
        "top": float(np.quantile(image[image > 0], 0.998)) if (image > 0).any() else 1.0,
        "image_left": series.image_left,
        "view": series.view,
        "frames": series.counts.shape[0],
        "start_s": float(series.start_s[0]),
        "duration_s": float(series.duration_s.sum()) if known else None,
        "clock": series.clock,
    }


def _frames(asked: Asked) -> Response:
    """Return the frames of the flow as numbers of 16 bits, brightest pixel at the top of their range."""
    choices = scan_choices(asked.inputs.decisions, asked.session)
    scan, _ = _scan(asked.bench, asked.inputs, asked.session, choices)
    series = scan.phases.get("vascular")
    if series is None or series.counts.size * 2 > _LARGEST_FRAMES:
        raise HTTPException(404, "There is no flow to play.")
    top = max(float(series.counts.max()), 1.0)
    data = np.round(series.counts / top * 65535).clip(0, 65535).astype("<u2").tobytes()
    return Response(data, media_type="application/octet-stream")


def _outline(asked: Asked) -> Mapping[str, Any]:
    """Return a named region as a polygon to start drawing from."""
    name = asked.content.get("name")
    if name not in {one for names in REGIONS.values() for one in names}:
        raise HTTPException(404, "There is no region of that name.")
    kept = tuple(one for one in asked.inputs.decisions if one.kind not in ("region", "mirror"))
    work = scan_at_work(asked.bench, replace(asked.inputs, decisions=kept), asked.session)
    return {"region": start_region(work.measured(region=name), name)}


def start_region(result: ScanResult, name: str) -> Mapping[str, Any]:
    """Return the largest outline of the region that was found as a polygon with few corners."""
    from skimage.measure import approximate_polygon

    phase = result.phases.get(result.reference)
    if phase is None:
        raise InputError(f"region '{name}'", "the reference phase was not measured", "draw it anew")
    grid = phase.pose.grid
    lines = [_in_pixels(line, grid) for line in outlines_of(phase.affected_points, grid)]
    if not lines:
        raise InputError(f"region '{name}'", "it has no outline", "draw it anew")
    longest = max(lines, key=len)
    corners = approximate_polygon(longest, _CORNER_TOLERANCE_PX)[:-1]
    return {
        "name": f"drawn from {name}",
        "type": "polygon",
        "unit": "px",
        "points": corners.round(2).tolist(),
    }


show = answers("scans", _images)
measure = answers("scans", _ratios)
frames = answers("scans", _frames)
outline = answers("scans", _outline)
