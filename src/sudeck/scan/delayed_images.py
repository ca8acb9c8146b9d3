"""Delayed images of other times than that of the bone phase: each a measure of its own."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace

from sudeck.core.errors import InputError
from sudeck.core.estimate import Estimate
from sudeck.core.flags import Flag
from sudeck.core.vocabulary import PHASE_RATIOS, ScanPhase
from sudeck.scan.phases.guideline import span
from sudeck.scan.phases.phase_series import OtherDelayedSeries
from sudeck.scan.posing import PosedScan, pose_scan
from sudeck.scan.result import OtherDelayed, PhaseMeasurement, ScanResult
from sudeck.scan.side_quality import opposed_delayed

_BPR = PHASE_RATIOS["bone"]


def measure_other_delayed(
    posed: PosedScan, result: ScanResult, measure: Callable[[PosedScan], ScanResult]
) -> tuple[OtherDelayed, ...]:
    """Measure every further delayed image of a scan in place of its bone phase.

    Parameters
    ----------
    posed : PosedScan
    result : ScanResult
        What was measured without these images; it stays as it is.
    measure : callable
        Measures the same region of another posed scan.
    """
    return tuple(_measured(other, posed, result, measure) for other in posed.scan.other_delayed)


def _measured(
    other: OtherDelayedSeries,
    posed: PosedScan,
    result: ScanResult,
    measure: Callable[[PosedScan], ScanResult],
) -> OtherDelayed:
    try:
        again = _posed(other, posed)
        _refuse_places_of_another_image(again, posed, result)
        measured = measure(again)
        _refuse_opposed(measured, result)
    except InputError as error:
        return _other(other, {}, {}, {_BPR: str(error)}, {}, other.flags, None)
    flags = tuple(
        flag
        for flag in measured.flags
        if flag not in result.flags
        and (flag.severity == "serious" or flag.subject not in ("vascular", "tissue"))
    )
    return _other(
        other,
        _named(measured.estimates, other),
        _named(measured.uptake_estimates, other),
        {name: reason for name, reason in measured.refused.items() if name == _BPR},
        {name: reason for name, reason in measured.uptake_refused.items() if name == _BPR},
        flags,
        measured.phases.get("bone"),
    )


def _posed(other: OtherDelayedSeries, posed: PosedScan) -> PosedScan:
    """Return the scan posed with a further delayed image as its bone phase; once for all regions."""
    known = posed.other_delayed
    start_s = float(other.series.start_s[0])
    if start_s not in known:
        scan = posed.scan
        refused: dict[ScanPhase, str] = {
            name: reason for name, reason in scan.refused.items() if name != "bone"
        }
        phases = {**scan.phases, "bone": other.series}
        alone = replace(scan, phases=phases, refused=refused, flags=other.flags, other_delayed=())
        known[start_s] = pose_scan(alone, affected=posed.affected)
    return known[start_s]


def _refuse_places_of_another_image(again: PosedScan, posed: PosedScan, result: ScanResult) -> None:
    """Refuse what a person set on a reference image that this measure does not share."""
    settings = result.provenance.settings
    by_person = settings.get("drawn") is not None or settings.get("mirror") is not None
    shared = again.scan.phases[again.poses.reference] is posed.scan.phases[posed.poses.reference]
    if by_person and not shared:
        raise InputError(
            f"delayed image of {span(float(again.scan.phases['bone'].start_s[0]))}",
            f"the region or its counterpart was set on the {posed.poses.reference} phase, whose places are "
            "not those of this image",
            "measure this image in place of the other delayed one to set them on it",
        )


def _refuse_opposed(measured: ScanResult, result: ScanResult) -> None:
    """Refuse an image whose left and right seem exchanged against the bone phase."""
    if _BPR not in measured.estimates or _BPR not in result.estimates:
        return
    first, later = (math.log(found.estimates[_BPR].value) for found in (result, measured))
    problem = opposed_delayed(first, later)
    if problem:
        at = span(measured.phases["bone"].start_s)
        raise InputError(
            f"delayed image of {at}", problem, "check its view, or give it alone with --image-left"
        )


def _named(estimates: Mapping[str, Estimate], other: OtherDelayedSeries) -> dict[str, Estimate]:
    at = span(float(other.series.start_s[0]))
    return {
        name: replace(estimate, name=f"{name} at {at}")
        for name, estimate in estimates.items()
        if name == _BPR
    }


def _other(
    other: OtherDelayedSeries,
    estimates: Mapping[str, Estimate],
    uptake_estimates: Mapping[str, Estimate],
    refused: Mapping[str, str],
    uptake_refused: Mapping[str, str],
    flags: tuple[Flag, ...],
    measurement: PhaseMeasurement | None,
) -> OtherDelayed:
    return OtherDelayed(
        float(other.series.start_s[0]),
        other.series.clock,
        tuple(source.label for source in other.series.sources),
        estimates,
        uptake_estimates,
        refused,
        uptake_refused,
        flags,
        measurement,
    )
