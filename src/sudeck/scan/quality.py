"""Quality flags of a measured scan: what a careful reader checks first, each with number and limit."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from sudeck.core.errors import InputError
from sudeck.core.flags import Flag, Severity
from sudeck.core.vocabulary import Limb, ScanPhase
from sudeck.scan.limbs.axis import LimbAxis
from sudeck.scan.limbs.geometry import Points
from sudeck.scan.limbs.limb_masks import Limbs
from sudeck.scan.limbs.poses import PhasePose, Poses
from sudeck.scan.limbs.registration import UNLIKE_RESIDUAL
from sudeck.scan.phases.phase_series import PhaseSeries
from sudeck.scan.ratios.regions import Region

# Delayed spot views should hold 300,000 to 1,000,000 counts (SNM procedure guideline 2.0, as summarised by
# a teaching site); no figure was found for the earlier phases, which get Sudeck's own floor.
GUIDELINE_COUNTS: Mapping[ScanPhase, float] = {"vascular": 20_000.0, "tissue": 50_000.0, "bone": 300_000.0}
REFUSE_RESIDUAL = 0.45  # of the limb's level: limbs so unlike have no homologous regions
_UNEQUAL_AREA = 0.20
_LARGER = 0.08  # of area: twice what the hands of one person differ in length
_SIZES_APART = 0.06  # of area, between the outlines and the pattern of uptake
_SWOLLEN = 0.025  # of area, between palm and forearm and the bones in them, where both were fitted
_SURELY = 3.0  # standard errors
_GROWN = 0.17  # logarithm of a width over that in another phase; of bone and blood they differ by 0.1
_WIDTHS_MM = (45.0, 180.0)  # of a palm or a foot, fingers and toes spread or the leg turned
_OVERLAP = 0.03  # of a region, on the other limb
_LEAST_ON_LIMB = 0.8  # of a drawn region, on the mask of the affected limb
# Sudeck's own limit: no range of differences between phases is published. Flow down and bone up in one limb
# (disuse, a late stage) is ordinary and stays below it.
_OPPOSITE = 0.7  # between log ratios of opposite sign
_OPPOSITE_EACH = 0.1  # a log ratio that lies clearly on one side
# Log odds of the sides by the shapes of the limbs: mirrored beyond doubt, and settled as stated. Limbs drawn
# as exact mirror images say nothing, within 5 in 36 studies; limbs as people have them say 7 to 80.
_SURELY_MIRRORED, _SIDES_HOLD = 7.0, 5.0
_CHECK_SIDES = "Check its view, or give it alone with --image-left."
_DRIFT_MM = 5.0
_GAP = 0.1  # of a frame's duration, between its end and the start of the next
_LOST = 0.5  # of the counts of its neighbours
_NEIGHBOURS = 10  # frames on either side: up to four in a row can be lost and still be seen
_DRIFT_MIN_COUNTS = 1_500.0


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
    outlines = math.log(max(region.on_affected.sum(), 1) / max(areas[region.on_healthy].sum(), 1) / scale**2)
    if abs(outlines) < _LARGER:
        return []
    percent, word = 100 * abs(math.expm1(outlines)), "more" if outlines > 0 else "less"
    text = (
        f"The affected {limb or 'limb'} covers {percent:.0f} % {word} area than the healthy one. Uptake is "
        "counted per area, so each ratio of a phase also holds how thick the limb is; a ratio of ratios does "
        "not."
    )
    apart, limit = outlines + 2 * math.log(scale), _SIZES_APART
    if pose.joint is not None:
        apart, error = pose.joint.swelling
        limit = max(_SWOLLEN, _SURELY * error)
    if abs(apart) > limit:
        text += (
            f" The pattern of uptake differs by {100 * math.expm1(-2 * math.log(scale)):+.0f} % of area, "
            "as where soft tissue swells over bones that do not: places near the skin are less sure."
        )
    severity: Severity = "caution" if abs(apart) > limit else "info"
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


def refuse_overlap(pose: PhasePose, affected: Points, healthy: Points) -> None:
    """Refuse a region that reaches into the other limb: where limbs overlap, counts belong to both.

    Raises
    ------
    InputError
        If more than `_OVERLAP` of either region lies on the other limb.
    """
    for side, label, points in (
        ("affected", pose.affected_label, affected),
        ("healthy", pose.healthy_label, healthy),
    ):
        row, column = (np.rint(place).astype(int) for place in pose.grid.pixel_of(points))
        height, width = pose.grid.shape
        inside = (row >= 0) & (column >= 0) & (row < height) & (column < width)
        other = pose.limbs.labels[row[inside], column[inside]] == 3 - label
        share = float(other.mean()) if other.size else 0.0
        if share > _OVERLAP:
            raise InputError(
                f"{pose.phase} phase",
                f"{100 * share:.0f} % of the {side} region lies on the other limb: the limbs overlap, one of "
                "them is not in the image, or they differ in shape",
                "give an image of both limbs apart; of a limb a file, give both files",
            )


def refuse_region_on_air(pose: PhasePose, region: Region) -> None:
    """Refuse a drawn region that lies largely off the affected limb: background has no homologous place.

    Raises
    ------
    InputError
        If less than `_LEAST_ON_LIMB` of it lies on the limb's mask.
    """
    row, column = (np.rint(place).astype(int) for place in pose.grid.pixel_of(region.points))
    height, width = pose.grid.shape
    inside = (row >= 0) & (column >= 0) & (row < height) & (column < width)
    on_limb = pose.limbs.mask(pose.affected_label)[row[inside], column[inside]]
    share = float(on_limb.sum()) / region.points.shape[0]
    if share < _LEAST_ON_LIMB:
        raise InputError(
            f"region '{region.name}'",
            f"only {100 * share:.0f} % of it lies on the affected limb in the {pose.phase} phase",
            "draw it on the affected limb of that image, and check its unit and the affected side",
        )


def mirrored_flags(sides_hold: Mapping[ScanPhase, float]) -> list[Flag]:
    """Flag a phase whose limbs have the shapes of the other side's: its left and right are exchanged.

    Parameters
    ----------
    sides_hold : Mapping of phase to float
        From `sudeck.scan.limbs.mirrored.mirror_evidence`.
    """
    if not sides_hold or min(sides_hold.values()) > -_SURELY_MIRRORED:
        return []
    name = min(sides_hold, key=sides_hold.__getitem__)
    which, rest = _one_or_either(name, tuple(sides_hold))
    return [
        Flag(
            "phase-mirrored",
            f"By the shapes of the limbs {which} shows {rest} mirrored: its left and right are exchanged. "
            f"{_CHECK_SIDES}",
            "serious",
            name,
            sides_hold[name],
            -_SURELY_MIRRORED,
        )
    ]


def opposite_flags(
    log_ratios: Mapping[ScanPhase, float], sides_hold: Mapping[ScanPhase, float] | None = None
) -> list[Flag]:
    """Flag a phase whose asymmetry is opposite to the others': its left and right may be exchanged.

    An asymmetry that physiology allows is flagged only where the shapes of the limbs leave the sides open.

    Parameters
    ----------
    log_ratios : Mapping of phase to float
        Natural logarithms of affected over healthy.
    sides_hold : Mapping of phase to float, optional
        From `sudeck.scan.limbs.mirrored.mirror_evidence`.
    """
    for name, value in sorted(log_ratios.items(), key=lambda item: (sides_hold or {}).get(item[0], 0.0)):
        others = [other for phase, other in log_ratios.items() if phase != name]
        apart = min((abs(value - other) for other in others), default=0.0)
        opposed = all(value * other < 0 and min(abs(value), abs(other)) > _OPPOSITE_EACH for other in others)
        open_sides = sides_hold is not None and sides_hold.get(name, 0.0) < _SIDES_HOLD
        if not others or not opposed or (apart <= _OPPOSITE and not open_sides):
            continue
        which, rest = _one_or_either(name, tuple(log_ratios))
        unlikely = (
            "more than physiology allows" if apart > _OPPOSITE else "and the shapes of the limbs do not tell"
        )
        return [
            Flag(
                "phases-opposed",
                f"In {which} the asymmetry is opposite to that of {rest}, by a factor of "
                f"{math.exp(apart):.1f}, {unlikely}: its left and right may be exchanged. {_CHECK_SIDES}",
                "serious",
                name,
                apart,
                _OPPOSITE,
            )
        ]
    return []


def _one_or_either(name: ScanPhase, phases: tuple[ScanPhase, ...]) -> tuple[str, str]:
    """Name a phase and the rest; of two phases nothing tells which is the mirrored one."""
    if len(phases) > 2:
        return f"the {name} phase", "the others"
    return f"the {' or the '.join(phases)} phase", "the other"


def drift_flags(series: PhaseSeries, limbs: Limbs, spacing_mm: tuple[float, float]) -> list[Flag]:
    """Flag movement of a limb during a dynamic phase, by the drift of its centroid along the frames."""
    frames = series.counts
    if frames.shape[0] < 4:
        return []
    flags: list[Flag] = []
    rows, columns = np.meshgrid(*map(np.arange, frames.shape[1:]), indexing="ij")
    for label in (1, 2):
        mask = limbs.territory == label
        limb = frames[:, mask]
        groups = _equal_count_groups(limb.sum(axis=1))
        if len(groups) < 3:
            continue
        totals = [limb[group].sum(axis=0) for group in groups]
        centres = np.array(
            [
                (
                    float(t @ rows[mask]) / t.sum() * spacing_mm[0],
                    float(t @ columns[mask]) / t.sum() * spacing_mm[1],
                )
                for t in totals
            ]
        )
        # The first group holds the bolus in the vessels, which moves the centroid without any movement.
        drift = float(np.max(np.linalg.norm(centres[1:] - np.median(centres[1:], axis=0), axis=1)))
        spread = float(
            np.sqrt(np.var(rows[mask]) * spacing_mm[0] ** 2 + np.var(columns[mask]) * spacing_mm[1] ** 2)
        )
        limit = _DRIFT_MM + 3.0 * spread / np.sqrt(min(t.sum() for t in totals))
        if drift > limit:
            flags.append(
                Flag(
                    "motion",
                    f"The centroid of the limb at image-{'left' if label == 1 else 'right'} drifts by "
                    f"{drift:.0f} mm during the {series.name} phase, more than {limit:.0f} mm: "
                    "the patient may have moved.",
                    "caution",
                    series.name,
                    drift,
                    limit,
                    "mm",
                )
            )
    return flags


def frame_flags(series: PhaseSeries) -> list[Flag]:
    """Flag frames of a dynamic phase that are missing or lost counts."""
    flags: list[Flag] = []
    totals = series.counts.sum(axis=(1, 2))
    if totals.size < 5:
        return flags
    gaps = np.diff(series.start_s) - series.duration_s[:-1]
    pauses = np.flatnonzero(gaps > _GAP * series.duration_s[:-1])
    if pauses.size:
        flags.append(
            Flag(
                "frames-missing",
                f"{pauses.size} times the next frame of the {series.name} phase starts late, by up to "
                f"{gaps[pauses].max():.1f} s: frames are missing or the camera paused.",
                "caution",
                series.name,
                float(gaps[pauses].max()),
                unit="s",
            )
        )
    # What came before and what follows must both hold more: before the arrival there is little to lose.
    padded = np.pad(totals, _NEIGHBOURS, mode="edge")
    runs = np.median(np.lib.stride_tricks.sliding_window_view(padded, _NEIGHBOURS), axis=1)
    expected = np.minimum(runs[: totals.size], runs[_NEIGHBOURS + 1 :])
    lost = (totals < _LOST * expected) & (expected - totals > 6.0 * np.sqrt(np.maximum(expected, 1.0)))
    if lost.any():
        flags.append(
            Flag(
                "frames-lost-counts",
                f"Frames {', '.join(map(str, np.flatnonzero(lost)[:6] + 1))} of the {series.name} phase hold "
                "less than half the counts of their neighbours: the camera dropped counts there.",
                "caution",
                series.name,
                float(lost.sum()),
                unit="frames",
            )
        )
    return flags


def _equal_count_groups(counts: NDArray[np.float64]) -> list[slice]:
    """Split frames into runs of at least `_DRIFT_MIN_COUNTS` each, at most twelve."""
    wanted = max(_DRIFT_MIN_COUNTS, float(counts.sum()) / 12)
    groups: list[slice] = []
    start, held = 0, 0.0
    for number, count in enumerate(counts):
        held += float(count)
        if held >= wanted:
            groups.append(slice(start, number + 1))
            start, held = number + 1, 0.0
    return groups
