"""Quality flags of a measured scan: what a careful reader checks first, each with number and limit."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from sudeck.core.flags import Flag, Severity
from sudeck.core.vocabulary import Limb, ScanPhase
from sudeck.scan.limbs.axis import LimbAxis
from sudeck.scan.limbs.poses import PhasePose, Poses
from sudeck.scan.limbs.registration import UNLIKE_RESIDUAL
from sudeck.scan.ratios.regions import Region

# Delayed spot views should hold 300,000 to 1,000,000 counts (SNM procedure guideline 2.0, as summarised by
# a teaching site); no figure was found for the earlier phases, which get Sudeck's own floor.
GUIDELINE_COUNTS: Mapping[ScanPhase, float] = {"vascular": 20_000.0, "tissue": 50_000.0, "bone": 300_000.0}
REFUSE_RESIDUAL = 0.45  # of the limb's level: limbs so unlike have no homologous regions
_UNEQUAL_AREA = 0.20
_LARGER = 0.08  # of area: twice what the hands of one person differ in length
_SIZES_APART = 0.06  # of area, between the outlines and the pattern of uptake
_GROWN = 0.17  # logarithm of a width over that in another phase; of bone and blood they differ by 0.1
_WIDTHS_MM = (45.0, 180.0)  # of a palm or a foot, fingers and toes spread or the leg turned
_SWOLLEN = 0.025  # of area, between palm and forearm and the bones in them, where both were fitted
_SURELY = 3.0  # standard errors


def limb_flags(pose: PhasePose, axes: Mapping[str, LimbAxis | None]) -> list[Flag]:
    """Flag limbs cut at the tip, of unequal size, touching, or unlike in shape, on the reference image."""
    flags: list[Flag] = []
    for side, axis in axes.items():
        if axis is not None and axis.cut_distal:
            flags.append(
                Flag(
                    "limb-cut-by-field",
                    f"The field of view cuts the tip of the {side} limb, so part of it is not measured.",
                    "serious",
                    pose.phase,
                )
            )
    areas = [int(pose.limbs.mask(label).sum()) for label in (pose.affected_label, pose.healthy_label)]
    difference = abs(float(np.log(areas[0] / areas[1])))
    if difference > _UNEQUAL_AREA:
        flags.append(
            Flag(
                "unequal-areas",
                f"The affected limb covers {100 * (areas[0] / areas[1] - 1):+.0f} % of area against the "
                f"healthy one, more than {100 * _UNEQUAL_AREA:.0f} %: swelling, another pose, or a cut limb.",
                "caution",
                pose.phase,
                difference,
                _UNEQUAL_AREA,
            )
        )
    if pose.limbs.bridge > 0.05:
        flags.append(
            Flag(
                "limbs-touch",
                f"The limbs touch along {100 * pose.limbs.bridge:.0f} % of the line between them.",
                "info",
                pose.phase,
                pose.limbs.bridge,
                0.05,
            )
        )
    return flags


def pixel_size_flags(poses: Poses, *, in_pixels: bool) -> list[Flag]:
    """Flag pixel sizes by which the limbs grow between phases, or are no limbs of a person."""
    if in_pixels:
        return []
    across = {name: _across_mm(pose) for name, pose in poses.phases.items()}
    own = across[poses.reference]
    flags: list[Flag] = []
    for name, widths in across.items():
        times = [math.log(here / there) for here, there in zip(widths, own, strict=True)]
        grown = min(times) if min(times) > 0 else max(times) if max(times) < 0 else 0.0
        if abs(grown) > _GROWN:
            flags.append(
                Flag(
                    "pixel-sizes-disagree",
                    f"By their pixel sizes both limbs are {math.exp(grown):.2f} times as wide in the {name} "
                    f"phase as in the {poses.reference} phase: one of the sizes is wrong.",
                    "serious",
                    name,
                    math.exp(grown),
                    math.exp(_GROWN),
                )
            )
    wide = sum(own) / 2
    if not flags and not _WIDTHS_MM[0] <= wide <= _WIDTHS_MM[1]:
        flags.append(
            Flag(
                "pixel-size-implausible",
                f"By the stated pixel size the limbs are {wide:.0f} mm wide: it is probably wrong. Ratios do "
                "not depend on it while all phases have one; lengths and errors do.",
                "caution",
                poses.reference,
                wide,
                _WIDTHS_MM[0] if wide < _WIDTHS_MM[0] else _WIDTHS_MM[1],
                "mm",
            )
        )
    return flags


def _across_mm(pose: PhasePose) -> tuple[float, float]:
    """Return the width of the palm or the forefoot of both limbs: the widest rows, but for a few."""
    widths = []
    for label in (pose.affected_label, pose.healthy_label):
        rows = pose.limbs.mask(label).sum(axis=1)
        widths.append(float(np.percentile(rows[rows > 0], 95)) * pose.grid.spacing_mm[1])
    return widths[0], widths[1]


def registration_flags(poses: Poses) -> list[Flag]:
    """Flag limbs that could not be laid over each other well."""
    flags: list[Flag] = []
    for name, pose in poses.phases.items():
        residual = pose.mirror.residual
        if residual <= UNLIKE_RESIDUAL or (pose.mirror.equal_size and name != poses.reference):
            continue
        if pose.mirror.equal_size:
            text = (
                f"The limbs differ in shape by {100 * residual:.0f} % of their level, so they are laid over "
                "each other by their outlines and taken to be of equal size; a region smaller than the whole "
                "limb may not show the same place on both sides."
            )
        else:
            text = f"The limbs differ in shape by {100 * residual:.0f} % of their level after registration."
        flags.append(Flag("registration-residual", text, "caution", name, residual, UNLIKE_RESIDUAL))
    return flags


def size_flags(pose: PhasePose, region: Region, limb: Limb | None) -> list[Flag]:
    """Say how much larger one limb is than the other, and what that means, on the reference image.

    Outlines tell the size of the skin, the mirror registration that of the pattern of uptake.
    """
    if region.on_affected is None or region.on_healthy is None:
        return []
    scale = pose.mirror.transform.scale
    areas = np.ones(region.points.shape[0]) if pose.joint is None else pose.joint.stretch(region.points)
    affected, healthy = float(region.on_affected.sum()), float(areas[region.on_healthy].sum())
    outlines = math.log(max(affected, 1.0) / max(healthy, 1.0) / scale**2)
    apart, limit = outlines + 2 * math.log(scale), _SIZES_APART
    if pose.joint is not None:
        apart, error = pose.joint.swelling
        limit = max(_SWOLLEN, _SURELY * error)
    swollen = abs(apart) > limit
    if abs(outlines) < _LARGER and not (swollen and pose.joint is not None):
        return []
    percent, word = 100 * abs(math.expm1(outlines)), "more" if outlines > 0 else "less"
    text = (
        f"The affected {limb or 'limb'} covers {percent:.0f} % {word} area than the healthy one. Uptake is "
        "counted per area, so each ratio of a phase also holds how thick the limb is; a ratio of ratios does "
        "not."
    )
    if swollen and pose.joint is not None:
        text += (
            f" Palm and forearm differ by {100 * math.expm1(apart):+.0f} % of area from what lies inside, as "
            "where soft tissue swells over bones that do not: where the skin is stretched is less sure, and "
            "the intervals say so."
        )
    elif swollen:
        text += (
            f" The pattern of uptake differs by {100 * math.expm1(-2 * math.log(scale)):+.0f} % of area, "
            "as where soft tissue swells over bones that do not: places near the skin are less sure."
        )
    severity: Severity = "caution" if swollen else "info"
    return [Flag("limb-size", text, severity, pose.phase, math.exp(outlines), math.exp(_LARGER))]


def counterpart_flags(poses: Poses) -> list[Flag]:
    """Say that a person set the counterpart of the affected limb, and how surely."""
    mirror = poses.phases[poses.reference].mirror
    if mirror.set_sd is None:
        return []
    turn, size, shift, _ = mirror.set_sd
    return [
        Flag(
            "counterpart-set",
            f"A person set which place of the healthy limb answers to the affected one, to {shift:.1f} mm, "
            f"{math.degrees(turn):.1f}° and {100 * size:.0f} % of size.",
            "info",
            poses.reference,
        )
    ]


def count_flags(poses: Poses) -> list[Flag]:
    """Flag phases with fewer counts than a guideline, or our own floor, asks for."""
    flags: list[Flag] = []
    for name, pose in poses.phases.items():
        counts, limit = float(pose.image.sum()), GUIDELINE_COUNTS[name]
        if counts < limit:
            flags.append(
                Flag(
                    "low-counts",
                    f"The {name} phase holds {counts:,.0f} counts, below {limit:,.0f}, "
                    "which widens its interval.",
                    "info",
                    name,
                    counts,
                    limit,
                    "counts",
                )
            )
    return flags
