"""From a bone scan that was read to six ratios: pose, region, uptake, ratios, flags."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sudeck.core.errors import InputError
from sudeck.core.estimate import Estimate
from sudeck.core.flags import Flag
from sudeck.core.provenance import Provenance
from sudeck.core.vocabulary import PHASE_RATIOS, SCAN_PHASES, ScanPhase, Side, opposite
from sudeck.scan import side_quality
from sudeck.scan.delayed_images import measure_other_delayed
from sudeck.scan.limbs.poses import PhasePose
from sudeck.scan.phases.phase_series import BoneScan, PhaseSeries
from sudeck.scan.posing import PosedScan, pose_scan, with_mirror
from sudeck.scan.ratios.camera_response import CameraResponse
from sudeck.scan.ratios.curves import time_activity_curve
from sudeck.scan.ratios.drawn_regions import drawn_region
from sudeck.scan.ratios.hot_spots import HotSpots, mask_spots, scattered_into, with_warm_places
from sudeck.scan.ratios.placement import REGION_PLACEMENT_SD_MM, Displacement, measure_placement, thinned
from sudeck.scan.ratios.ratios import LogRatio, all_estimates, average_of, corrected, log_ratio
from sudeck.scan.ratios.regions import Region, anatomical_region
from sudeck.scan.ratios.swelling import of_own_area
from sudeck.scan.ratios.uptake import (
    Background,
    BackgroundRule,
    RegionUptake,
    measure_background,
    measure_uptake,
    pixel_weights,
)
from sudeck.scan.region_checks import (
    refuse_few_counts,
    refuse_outside,
    refuse_overlap,
    refuse_region_on_air,
    seen_where_it_barely_leaves,
    with_touching,
)
from sudeck.scan.result import PhaseMeasurement, ScanResult
from sudeck.scan.uptake_estimates import uptake_estimates

# By how much the uptake of a limb may change in a minute, as a standard deviation of its logarithm: what is
# not known where the limbs are acquired one after the other. Assumed; no measurement of it was found.
_CHANGE_A_MINUTE: Mapping[ScanPhase, float] = {"vascular": 0.2, "tissue": 0.02, "bone": 0.002}


@dataclass(frozen=True)
class MeasureSettings:
    """How to measure.

    Attributes
    ----------
    region : str
        Named region; ``"whole"`` limb by default.
    drawn : mapping or None
        A region drawn by a person on the affected limb of the reference image (see
        `sudeck.scan.ratios.drawn_regions.drawn_region`); takes the place of `region`.
    mirror : mapping or None
        The counterpart of the affected limb as a person set it (see
        `sudeck.scan.ratios.set_mirror.set_mirror`); takes the place of the one found.
    background : {"none", "region"}
        ``"none"`` compares with the publication; ``"region"`` subtracts what lies away from the limbs.
    level : float
        Coverage of the intervals.
    region_sd_mm : float
        Placement error of the region on the affected limb.
    camera : CameraResponse
        Blur and scatter, for the ratios of uptake.
    """

    region: str = "whole"
    drawn: Mapping[str, Any] | None = None
    mirror: Mapping[str, Any] | None = None
    background: BackgroundRule = "none"
    level: float = 0.95
    region_sd_mm: float = REGION_PLACEMENT_SD_MM
    camera: CameraResponse = field(default_factory=CameraResponse)

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON-ready values."""
        return {
            "region": self.region,
            "drawn": dict(self.drawn) if self.drawn is not None else None,
            "mirror": dict(self.mirror) if self.mirror is not None else None,
            "background": self.background,
            "level": self.level,
            "region_sd_mm": self.region_sd_mm,
            "camera": self.camera.to_dict(),
        }


def measure_scan(scan: BoneScan, *, affected: Side, settings: MeasureSettings | None = None) -> ScanResult:
    """Measure VPr, TPr, BPr and their ratios with their intervals.

    Parameters
    ----------
    scan : BoneScan
        From `sudeck.scan.read_scan`.
    affected : {"left", "right"}
        Side of the body with CRPS.
    settings : MeasureSettings, optional

    Returns
    -------
    ScanResult
        What could be measured, and for each of the six ratios that could not, why.

    Raises
    ------
    InputError
        If not one phase can be measured.
    """
    settings = settings or MeasureSettings()
    region = settings.region if settings.drawn is None else settings.drawn
    return measure_region(pose_scan(scan, affected=affected), region, settings=settings)


def measure_region(
    posed: PosedScan,
    region: str | Mapping[str, Any] = "whole",
    *,
    mirror: Mapping[str, Any] | None = None,
    settings: MeasureSettings | None = None,
    uptake: bool = True,
) -> ScanResult:
    """Measure one region of a scan whose limbs were laid over each other already.

    Parameters
    ----------
    posed : PosedScan
        From `sudeck.scan.pose_scan`.
    region : str or mapping
        A named region, or one drawn by a person as in `MeasureSettings.drawn`.
    mirror : mapping, optional
        The counterpart of the affected limb as a person set it, as in `MeasureSettings.mirror`.
    settings : MeasureSettings, optional
        Everything else; its own region is not used.
    uptake : bool
        Whether to estimate the ratios of uptake too, a sixth of the work; the others are the same without.

    Returns
    -------
    ScanResult
        The same to the last bit as `measure_scan` with that region.

    Raises
    ------
    InputError
        If not one phase can be measured.
    """
    settings = settings or MeasureSettings()
    if mirror is not None:
        settings = replace(settings, mirror=mirror)
    result = _measure_region(posed, region, settings, uptake)
    others = measure_other_delayed(posed, result, lambda one: _measure_region(one, region, settings, uptake))
    return replace(result, other_delayed=others) if others else result


def _measure_region(
    posed: PosedScan, region: str | Mapping[str, Any], settings: MeasureSettings, uptake: bool
) -> ScanResult:
    """Measure one region in the phases of a scan."""
    if settings.mirror is not None:
        posed = with_mirror(posed, settings.mirror)
    scan, affected, poses = posed.scan, posed.affected, posed.poses
    drawn = None if isinstance(region, str) else region
    settings = replace(settings, region=region if isinstance(region, str) else settings.region, drawn=drawn)
    settings = _without_identity(settings, scan)
    if posed.in_pixels:
        _refuse_lengths(settings)
    place = _region(posed, settings)
    place, spot_flags, spoilt = mask_spots(place, poses, posed.spots)
    if poses.joint is not None:
        place = place.on_both_limbs()
    displacement = Displacement.over(thinned(place.points), poses)

    ratios: dict[ScanPhase, LogRatio] = {}
    measured: dict[ScanPhase, PhaseMeasurement] = {}
    refused: dict[str, str] = {PHASE_RATIOS[name]: reason for name, reason in scan.refused.items()}
    refused |= {PHASE_RATIOS[name]: reason for name, reason in posed.refused.items()}
    refused |= {PHASE_RATIOS[name]: reason for name, reason in spoilt.items()}
    for name in SCAN_PHASES:
        if name not in poses.phases or name in spoilt:
            continue
        try:
            phase, ratio = _measure_phase(
                scan.phases[name], poses.phases[name], place, displacement, settings
            )
            ratio = of_own_area(ratio, phase.pose, place, unlike=posed.unlike)
            ratio = with_touching(ratio, place, name)
            ratio = _without_scatter(ratio, phase, posed.spots.get(name))
            sides = {"affected": phase.affected, "healthy": phase.healthy}
            ratios[name], warm = with_warm_places(ratio, posed.warm.get(name), sides, name)
            spot_flags = (*spot_flags, *warm)
            measured[name] = phase
        except InputError as error:
            refused[PHASE_RATIOS[name]] = str(error)
    opposed = side_quality.opposed_phases(
        {name: ratio.value for name, ratio in ratios.items()}, posed.sides_hold
    )
    for name, reason in opposed.refused.items():
        refused[PHASE_RATIOS[name]] = reason
        del ratios[name], measured[name]
    if not measured:
        reasons = " ".join(reason.removeprefix("scan: ") for reason in dict.fromkeys(refused.values()))
        raise InputError("scan", reasons.rstrip("."), "settle that for one phase at least")

    estimates = all_estimates(ratios, refused)
    whole = place.name == "whole" and not place.drawn
    of_uptake, uptake_refused = (
        uptake_estimates(posed, measured, ratios, settings.camera, whole_limb=whole) if uptake else ({}, {})
    )
    flags: list[Flag] = [*scan.flags, *posed.flags, *spot_flags]
    if not place.drawn:
        flags += posed.whole_flags
    flags += opposed.flags
    return ScanResult(
        estimates=estimates,
        uptake_estimates=of_uptake,
        uptake_refused=uptake_refused,
        refused=refused,
        phases=measured,
        reference=poses.reference,
        affected=affected,
        limb=scan.limb,
        region=place.name,
        flags=tuple(flags),
        skipped=scan.skipped,
        unmeasured={name: series for name, series in scan.phases.items() if name not in measured},
        provenance=Provenance(scan.sources, {"affected": affected, "limb": scan.limb, **settings.to_dict()}),
    )


def _without_scatter(ratio: LogRatio, phase: PhaseMeasurement, spots: HotSpots | None) -> LogRatio:
    """Take out what the scatter of a masked spot adds to one of the regions."""
    if spots is None:
        return ratio
    regions = {"affected": phase.affected, "healthy": phase.healthy}
    moved, error = scattered_into(
        spots,
        {side: region.weights for side, region in regions.items()},
        {side: region.counts for side, region in regions.items()},
        phase.pose,
    )
    return corrected(ratio, -moved, cause=f"scatter of a hot spot, {phase.phase}", se=error)


def _without_identity(settings: MeasureSettings, scan: BoneScan) -> MeasureSettings:
    """Mask what names the patient in the name a person gave to a region."""
    if settings.drawn is None or "name" not in settings.drawn:
        return settings
    name = scan.redactor.clean(str(settings.drawn["name"]))
    return replace(settings, drawn={**settings.drawn, "name": name})


def _region(posed: PosedScan, settings: MeasureSettings) -> Region:
    reference = posed.poses.phases[posed.poses.reference]
    if settings.drawn is not None:
        region = drawn_region(settings.drawn, reference.grid, subject="region file")
        refuse_region_on_air(reference, region)
        return seen_where_it_barely_leaves(region, posed.poses)
    return anatomical_region(
        settings.region,
        posed.scan.limb,
        whole=posed.whole,
        affected=reference.limbs.mask(reference.affected_label),
        grid=reference.grid,
        axis=posed.axes["affected"],
        view=reference.view,
    )


def _refuse_lengths(settings: MeasureSettings) -> None:
    """Refuse what needs millimetres where no file states a pixel size."""
    if settings.drawn is not None and settings.drawn.get("unit") == "mm":
        raise InputError(
            "region file", "it is in mm, but no file states a pixel size", 'draw it in pixels: "unit": "px"'
        )
    if settings.drawn is None and settings.region != "whole":
        raise InputError(
            f"region '{settings.region}'",
            "named regions are counted in mm from the tip of the limb, but no file states a pixel size",
            "use --region whole, or draw the region in pixels with --region-file",
        )


def _measure_phase(
    series: PhaseSeries,
    pose: PhasePose,
    region: Region,
    displacement: Displacement,
    settings: MeasureSettings,
) -> tuple[PhaseMeasurement, LogRatio]:
    points = pose.from_reference(region.points)
    mirrored = pose.counterpart(region.points)
    parts = pose.stretch(region.points)
    area = region.area_mm2 / pose.grid.pixel_mm**2
    refuse_outside(pose, points, mirrored, region)
    everywhere = thinned(region.everywhere)
    refuse_overlap(pose, pose.from_reference(everywhere), pose.counterpart(everywhere))
    sides = {
        "affected": (pixel_weights(points, pose.grid, area, parts), area, pose.affected_label),
        "healthy": (
            pixel_weights(mirrored, pose.grid, area * pose.mirror.transform.scale**2, parts),
            area * pose.mirror.transform.scale**2,
            pose.healthy_label,
        ),
    }
    placement = measure_placement(region, pose, displacement, region_sd_mm=settings.region_sd_mm)
    images = [pose.image]
    if series.opposed is not None:
        images.append(series.opposed.sum(axis=0))
    found: list[LogRatio] = []
    regions: list[dict[str, RegionUptake]] = []
    backgrounds: list[Background] = []
    for image in images:
        background = _background(image, pose, settings.background)
        uptakes = {
            side: measure_uptake(_own_side(image, pose, label), weights, size, background)
            for side, (weights, size, label) in sides.items()
        }
        refuse_few_counts(uptakes, pose.phase)
        found.append(
            log_ratio(uptakes["affected"], uptakes["healthy"], background, placement, level=settings.level)
        )
        regions.append(uptakes)
        backgrounds.append(background)
    own_side = series.image_left if pose.affected_label == 1 else opposite(series.image_left)
    known = bool(np.isfinite(series.duration_s).all())
    duration = float(series.duration_s.sum()) if known else None
    curves = tuple(
        time_activity_curve(
            series.counts, series.start_s, series.duration_s, sides[side][0], side=side, level=settings.level
        )
        for side in ("affected", "healthy")
        if series.counts.shape[0] > 1 and known
    )
    measurement = PhaseMeasurement(
        phase=series.name,
        pose=pose,
        affected=regions[0]["affected"],
        healthy=regions[0]["healthy"],
        affected_points=points,
        healthy_points=mirrored,
        uptake={
            side: _uptake(side, uptake, series.side_seconds.get(of_body, duration), settings.level)
            for (side, uptake), of_body in zip(
                regions[0].items(), (own_side, opposite(own_side)), strict=True
            )
        },
        background_per_pixel=backgrounds[0].per_pixel,
        duration_s=duration,
        start_s=float(series.start_s[0]),
        clock=series.clock,
        geometric_mean=len(images) == 2,
        curves=curves,
    )
    return measurement, _at_one_level(average_of(found), series, own_side)


def _at_one_level(ratio: LogRatio, series: PhaseSeries, affected: Side) -> LogRatio:
    """Bring limbs that were acquired one after the other to one duration and one time of decay."""
    if not series.side_seconds:
        return ratio
    by = math.log(series.side_seconds[opposite(affected)] / series.side_seconds[affected])
    change = _CHANGE_A_MINUTE[series.name] * series.sides_apart_s / 60
    return corrected(ratio, by, cause=f"time between the limbs, {series.name}", se=change)


def _own_side(image: NDArray[np.float64], pose: PhasePose, label: int) -> NDArray[np.float64]:
    """Return the image of one limb, without what the other spills into the mirrored region."""
    return np.where(pose.limbs.territory == label, image, pose.limbs.background)


def _background(image: NDArray[np.float64], pose: PhasePose, rule: BackgroundRule) -> Background:
    if rule == "none":
        return Background()
    return measure_background(image, pose.limbs, pose.grid, subject=f"{pose.phase} phase")


def _uptake(side: str, uptake: RegionUptake, duration_s: float | None, level: float) -> Estimate:
    seconds = duration_s or 1.0
    return Estimate.from_log(
        side,
        math.log(uptake.net_per_pixel / seconds),
        uptake.counts / math.sqrt(uptake.effective_counts) / (uptake.area_px * uptake.net_per_pixel),
        level=level,
        unit="counts per pixel and second" if duration_s else "counts per pixel",
        method="mean over the region, counting error",
        n=round(uptake.counts),
        n_unit="counts",
    )
