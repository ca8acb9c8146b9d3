"""The scan under review: its images, its regions, and its six ratios with what a person tries out."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from sudeck.app.asked import bench_of, content_of, patient_of, session_of, tried
from sudeck.app.workbench import Workbench, stamp
from sudeck.core.errors import InputError, SudeckError
from sudeck.core.storage import to_json
from sudeck.core.vocabulary import REGIONS, ScanPhase
from sudeck.scan import BoneScan, ScanResult, measure_scan, read_scan
from sudeck.scan.limbs.geometry import Grid, Points, Similarity
from sudeck.scan.ratios.regions import outline as outlines_of
from sudeck.scan.result import PhaseMeasurement
from sudeck.study.folder.decision_kinds import OF_TRIALS
from sudeck.study.folder.decisions import Decision
from sudeck.study.measuring.choices import ScanChoices, scan_choices
from sudeck.study.measuring.inputs import PatientInputs
from sudeck.study.measuring.neutral_names import neutral_names, neutralise

_CORNER_TOLERANCE_PX: Final = 0.8  # how far a region to start from may lie off the outline that was found
_LARGEST_FRAMES: Final = 64 << 20  # bytes of a flow that a page takes


@dataclass(frozen=True)
class ScanAtWork:
    """A scan with what was measured of it.

    Attributes
    ----------
    scan : BoneScan
    result : ScanResult
    reading : str
        Changes whenever the images or the side of the scan do.
    """

    scan: BoneScan
    result: ScanResult
    reading: str


def measured_scan(
    bench: Workbench, inputs: PatientInputs, session: str, *, region: str | None = None
) -> ScanAtWork:
    """Measure the scan of a session as a run would, of files that are kept read.

    Parameters
    ----------
    bench : Workbench
    inputs : PatientInputs
        With what is tried out.
    session : str
    region : str, optional
        A named region to measure in place of the one that holds.

    Raises
    ------
    InputError
        If it can not be measured.
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
    how = bench.settings.scan_settings()
    how = replace(how, region=region, drawn=None) if region else replace(how, drawn=choices.region)
    result = measure_scan(scan, affected=affected, settings=how)
    return ScanAtWork(scan, result, f"{abs(hash((key, affected))):x}")


def _scan(
    bench: Workbench, inputs: PatientInputs, session: str, choices: ScanChoices
) -> tuple[BoneScan, tuple[object, ...]]:
    paths = inputs.scans[session]
    told = {"limb": inputs.limb, **choices.reading}
    key = (inputs.participant_id, session, stamp(paths), repr(sorted(told.items())))
    return bench.scans.get(key, lambda: read_scan(paths, **told)), key


async def show(request: Request) -> Response:
    """Return images, regions and ratios of a scan, with the drafts the page sends."""
    return await run_in_threadpool(_answer, request, await content_of(request), True)


async def measure(request: Request) -> Response:
    """Return the ratios with the drafts the page sends."""
    return await run_in_threadpool(_answer, request, await content_of(request), False)


def _answer(request: Request, content: dict[str, Any], images: bool) -> Response:
    bench, patient = bench_of(request), patient_of(request)
    session = session_of(request, tuple(patient.inputs.scans))
    inputs = tried(patient, session, content)
    instead = neutral_names(patient.inputs.scans[session], patient.inputs.participant_id)
    answer: dict[str, Any] = {
        "head": patient.head,
        "signed": _signature(patient.signed),
        "decisions": [
            decision.to_dict() for decision in patient.inputs.decisions if decision.kind not in OF_TRIALS
        ],
    }
    try:
        work = measured_scan(bench, inputs, session)
    except SudeckError as error:
        return JSONResponse(neutralise({**answer, "problem": str(error)}, instead))
    answer |= {"reading": work.reading, "result": result_of(work.result)}
    if images:
        answer |= {
            "phases": {name: _phase_image(work, name) for name in work.result.phases},
            "regions": list(REGIONS[work.result.limb]) if work.result.limb else ["whole"],
        }
    return Response(to_json(neutralise(answer, instead)), media_type="application/json")


def _signature(signed: Decision | None) -> dict[str, str] | None:
    return {"who": signed.who, "when": signed.when, "why": signed.why} if signed else None


def result_of(result: ScanResult) -> dict[str, Any]:
    """Return what a page shows of a measured scan."""
    plain = result.to_dict()
    reference = result.phases.get(result.reference)
    drawn = plain["provenance"]["settings"].get("drawn")
    outline: list[list[list[float]]] = []
    if reference is not None and drawn is None:
        grid = reference.pose.grid
        outline = [
            _in_pixels(line, grid).round(2).tolist() for line in outlines_of(reference.affected_points, grid)
        ]
    return {
        "estimates": plain["estimates"],
        "refused": plain["refused"],
        "flags": plain["flags"],
        "region": result.region,
        "reference": result.reference,
        "affected": result.affected,
        "limb": result.limb,
        "drawn": drawn,
        "outline": outline,
        "curves": [one.to_dict() for phase in result.phases.values() for one in phase.curves],
        "phases": {
            name: {
                # Pixels of the reference image to pixels of this one: the affected limb, and the healthy one.
                "to_affected": _matrix(phase.pose.from_reference, result, name),
                "to_healthy": _matrix(_across(phase), result, name),
            }
            for name, phase in result.phases.items()
        },
    }


def _across(phase: PhaseMeasurement) -> Similarity:
    return phase.pose.from_reference.then(phase.pose.mirror.transform)


def _matrix(transform: Similarity, result: ScanResult, name: ScanPhase) -> list[float]:
    """Return a transform between pixels as SVG writes it: a, b, c, d, e, f."""
    reference = result.phases.get(result.reference)
    grid = result.phases[name].pose.grid
    start = reference.pose.grid if reference is not None else grid
    corners = transform(start.points_of(np.array([0.0, 0.0, 1.0]), np.array([0.0, 1.0, 0.0])))
    origin, right, down = _in_pixels(corners, grid)
    return [*(right - origin).tolist(), *(down - origin).tolist(), *origin.tolist()]


def _in_pixels(points: Points, grid: Grid) -> NDArray[np.float64]:
    row, column = grid.pixel_of(points)
    return np.stack([column, row], axis=-1)


def _phase_image(work: ScanAtWork, name: ScanPhase) -> dict[str, Any]:
    phase, series = work.result.phases[name], work.scan.phases[name]
    image = phase.pose.image
    return {
        "rows": image.shape[0],
        "columns": image.shape[1],
        "counts": base64.b64encode(image.astype("<f4").tobytes()).decode(),
        "top": float(np.quantile(image[image > 0], 0.998)) if (image > 0).any() else 1.0,
        "image_left": series.image_left,
        "view": phase.pose.view,
        "frames": series.counts.shape[0],
        "start_s": phase.start_s,
        "duration_s": phase.duration_s,
        "clock": phase.clock,
        "spacing_mm": list(phase.pose.grid.spacing_mm),
    }


async def frames(request: Request) -> Response:
    """Return the frames of the flow as numbers of 16 bits, brightest pixel at the top of their range."""
    return await run_in_threadpool(_frames, request)


def _frames(request: Request) -> Response:
    bench, patient = bench_of(request), patient_of(request)
    session = session_of(request, tuple(patient.inputs.scans))
    choices = scan_choices(patient.inputs.decisions, session)
    scan, _ = _scan(bench, patient.inputs, session, choices)
    series = scan.phases.get("vascular")
    if series is None or series.counts.size * 2 > _LARGEST_FRAMES:
        raise HTTPException(404, "There is no flow to play.")
    top = max(float(series.counts.max()), 1.0)
    data = np.round(series.counts / top * 65535).clip(0, 65535).astype("<u2").tobytes()
    return Response(data, media_type="application/octet-stream")


async def outline(request: Request) -> Response:
    """Return a named region as a polygon to start drawing from."""
    return await run_in_threadpool(_outline, request)


def _outline(request: Request) -> Response:
    bench, patient = bench_of(request), patient_of(request)
    session = session_of(request, tuple(patient.inputs.scans))
    name = request.query_params.get("name", "whole")
    if name not in {one for names in REGIONS.values() for one in names}:
        raise HTTPException(404, "There is no region of that name.")
    kept = tuple(one for one in patient.inputs.decisions if one.kind not in ("region", "mirror"))
    work = measured_scan(bench, replace(patient.inputs, decisions=kept), session, region=name)
    return JSONResponse({"region": start_region(work.result, name)})


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
