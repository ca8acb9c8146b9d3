"""Quality flags of the frames of a dynamic phase: movement, missing frames, lost counts."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sudeck.core.flags import Flag
from sudeck.scan.limbs.limb_masks import Limbs
from sudeck.scan.phases.phase_series import PhaseSeries

_DRIFT_MM = 5.0
_GAP = 0.1  # of a frame's duration, between its end and the start of the next
_LOST = 0.5  # of the counts of its neighbours
_NEIGHBOURS = 10  # frames on either side: up to four in a row can be lost and still be seen
_DRIFT_MIN_COUNTS = 1_500.0


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
