"""The six ratios of uptake per area, beside those of the image: blur, scatter and background taken out."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from sudeck.core.errors import InputError
from sudeck.core.estimate import Estimate
from sudeck.core.vocabulary import PHASE_RATIOS, RATIOS_OF_RATIOS, ScanPhase
from sudeck.scan.posing import PosedScan
from sudeck.scan.ratios.camera_response import CameraResponse, Correction, camera_images, correct_for_camera
from sudeck.scan.ratios.hot_spots import without_spots
from sudeck.scan.ratios.placement import Placement
from sudeck.scan.ratios.ratios import LogRatio, phase_ratio, ratio_of_ratios
from sudeck.scan.result import PhaseMeasurement

# What a level background and two Gaussians do not describe of a camera, as a share of what is corrected.
MODEL_ERROR: Final = 1 / 3
_METHOD = "uptake per area, affected over healthy; counting, placement, blur, scatter and background"


def uptake_estimates(
    posed: PosedScan,
    measured: Mapping[ScanPhase, PhaseMeasurement],
    ratios: Mapping[ScanPhase, LogRatio],
    camera: CameraResponse,
    *,
    whole_limb: bool,
) -> tuple[dict[str, Estimate], dict[str, str]]:
    """Turn the ratios of an image into those of uptake per area.

    Parameters
    ----------
    posed : PosedScan
    measured, ratios : mapping of phase to PhaseMeasurement and LogRatio
        Of one region.
    camera : CameraResponse
    whole_limb : bool
        Whether the region is all of the limb that the images show.

    Returns
    -------
    estimates : dict of str to Estimate
    refused : dict of str to str
        Why one that has an image ratio has none of uptake.
    """
    found: dict[ScanPhase, LogRatio] = {}
    refused: dict[str, str] = {}
    for name, phase in measured.items():
        try:
            found[name] = _of_uptake(ratios[name], phase, posed, camera, whole_limb)
        except InputError as error:
            refused[PHASE_RATIOS[name]] = str(error)
    estimates = {PHASE_RATIOS[name]: phase_ratio(PHASE_RATIOS[name], ratio) for name, ratio in found.items()}
    for ratio, (over, under) in RATIOS_OF_RATIOS.items():
        if over in found and under in found:
            estimates[ratio] = ratio_of_ratios(ratio, found[over], found[under])
    return {name: replace(estimate, method=_METHOD) for name, estimate in estimates.items()}, refused


def _of_uptake(
    ratio: LogRatio, phase: PhaseMeasurement, posed: PosedScan, camera: CameraResponse, whole_limb: bool
) -> LogRatio:
    name = phase.phase
    if posed.scan.phases[name].side_seconds:
        raise InputError(
            f"{name} phase",
            "left and right are two images, each with a background and scatter of its own",
            "use the image ratio",
        )
    key = (name, camera)
    if key not in posed.seen_by_camera:
        spots = posed.spots.get(name)
        image = None if spots is None else without_spots(phase.pose.image, spots, phase.pose.grid)
        posed.seen_by_camera[key] = camera_images(phase.pose, camera, image=image)
    regions = {"affected": phase.affected, "healthy": phase.healthy}
    weights = {side: region.weights for side, region in regions.items()}
    found = correct_for_camera(posed.seen_by_camera[key], weights, whole_limb=whole_limb)
    plain = math.log(phase.affected.net_per_pixel / phase.healthy.net_per_pixel)
    return _moved(ratio, found, found.value - plain)


def _moved(ratio: LogRatio, found: Correction, by: float) -> LogRatio:
    """Return a log ratio moved to that of uptake, its own errors grown, those of the camera added."""
    shared = {cause: found.gain * effect for cause, effect in ratio.placement.shared.items()}
    shared |= {f"camera {cause}": effect for cause, effect in found.errors.items()}
    shared["camera model"] = MODEL_ERROR * by
    registration = math.hypot(found.gain * ratio.placement.registration, found.background_se)
    value = ratio.value + by
    return replace(
        ratio,
        value=value,
        counting_low=value + found.gain * (ratio.counting_low - ratio.value),
        counting_high=value + found.gain * (ratio.counting_high - ratio.value),
        counting_se=found.gain * ratio.counting_se,
        placement=Placement(registration, shared, found.gain * ratio.placement.places),
    )
