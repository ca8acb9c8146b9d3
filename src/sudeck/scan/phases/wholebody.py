"""Cut the hands or the feet out of a whole-body sweep."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from sudeck.core.errors import InputError
from sudeck.core.flags import Flag
from sudeck.core.vocabulary import Limb
from sudeck.scan.reading.frames import Acquisition
from sudeck.scan.reading.remedies import SAY_LIMB

# Feet with ankles: the lowest 30 cm of the body.
_FOOT_MM = 300.0
_MARGIN_MM = 25.0
# Hands beside the thighs: wrist to fingertips lie 44 to 64 % of the way from crown to sole.
_HAND_SPAN = (0.44, 0.64)
# A row of background holds far less than this share of a row of the body.
_BODY_FRACTION = 0.02
_SMOOTHING = 9
# A hand is apart from the thigh when the counts between them fall below this share of the hand's.
_VALLEY = 0.5
_EDGE = 0.1
_ROWS_APART = 0.9


def crop_limb(acquisition: Acquisition, limb: Limb | None) -> Acquisition:
    """Return a whole-body sweep cut to the limb; any other acquisition comes back as it is.

    Hands lie beside the thighs: everything between the two hands is set to zero.

    Raises
    ------
    InputError
        If the limb or the size of a pixel is not known, the body is not found, or the hands touch the thighs.
    """
    if acquisition.kind != "whole body":
        return acquisition
    label = acquisition.label
    if limb is None:
        raise InputError(label, "it shows the whole body", SAY_LIMB)
    if acquisition.spacing_mm is None:
        raise InputError(label, "it shows the whole body and states no pixel spacing", "export it again")
    top, bottom = _body(acquisition.counts, label)
    row_mm = acquisition.spacing_mm[0]
    if limb == "foot":
        first, last = bottom - round(_FOOT_MM / row_mm), bottom + round(_MARGIN_MM / row_mm)
    else:
        first, last = (top + round(share * (bottom - top)) for share in _HAND_SPAN)
    first, last = max(first, 0), min(last, acquisition.counts.shape[1])
    counts = acquisition.counts[:, first:last]
    if limb == "hand":
        counts = _without_thighs(counts, label)
    flag = Flag(
        "whole-body-cropped",
        f"Rows {first} to {last} of the sweep are taken for the {'feet' if limb == 'foot' else 'hands'}.",
        "info",
        label,
    )
    return replace(acquisition, counts=counts, limb=limb, flags=(*acquisition.flags, flag))


def _body(counts: NDArray[np.number], label: str) -> tuple[int, int]:
    """Return the first and last row of the body, head first, from the counts of the rows."""
    rows = counts.sum(axis=(0, 2), dtype=np.float64)
    smooth = np.convolve(rows, np.ones(_SMOOTHING) / _SMOOTHING, mode="same")
    inside = np.flatnonzero(smooth > _BODY_FRACTION * np.percentile(smooth, 95))
    if len(inside) < counts.shape[1] / 4:
        raise InputError(
            label, "no body can be found in the sweep", "crop the limb and give it as a static image"
        )
    return int(inside[0]), int(inside[-1]) + 1


def _without_thighs(counts: NDArray[np.number], label: str) -> NDArray[np.number]:
    """Set to zero what lies between the hands, where a valley of counts parts each from the thigh."""
    box = np.ones(_SMOOTHING) / _SMOOTHING
    smooth = counts.sum(axis=0, dtype=np.float64)
    for axis in (0, 1):
        smooth = np.apply_along_axis(np.convolve, axis, smooth, box, mode="same")
    middle = smooth.shape[1] // 2
    left, left_touches = _hand_ends(smooth[:, :middle])
    right, right_touches = _hand_ends(smooth[:, middle:][:, ::-1])
    touching = max(left_touches, right_touches)
    if touching > (1 - _ROWS_APART) * len(smooth):
        raise InputError(
            label,
            f"the hands touch the thighs in {touching} of {len(smooth)} rows of the whole-body sweep",
            "give a spot view of the hands",
        )
    columns = np.arange(smooth.shape[1])
    kept = (columns < left[:, None]) | (columns >= smooth.shape[1] - right[:, None])
    return np.where(kept, counts, np.zeros((), counts.dtype))


def _hand_ends(half: NDArray[np.float64]) -> tuple[NDArray[np.int_], int]:
    """Return where the hand ends in each row, from the edge inwards, and in how many rows it touches.

    Rows run from the wrist down. Once the outline has drawn in past the last valley, the fingertips are
    passed and nothing is kept; without such a step, a row without a valley is a hand that touches the thigh.
    """
    ends = np.zeros(len(half), int)
    touching = 0
    last: int | None = None
    for row, profile in enumerate(half):
        edge, valley = _outline(profile)
        if valley is not None:
            ends[row] = last = valley
        elif last is None or edge < last - _SMOOTHING // 2:
            touching += 1
    return ends, touching


def _outline(profile: NDArray[np.float64]) -> tuple[int, int | None]:
    """Return where the body begins, from the edge inwards, and the valley before the thigh if there is one.

    The thigh is the highest rise; a valley falls below half of the crest before it.
    """
    thigh = int(profile.argmax())
    edge = int(np.flatnonzero(profile >= _EDGE * profile[thigh])[0])
    rise = profile[edge : thigh + 1]
    deep = np.flatnonzero(rise < _VALLEY * np.maximum.accumulate(rise))
    if not len(deep):
        return edge, None
    crest = int(rise[: deep[0]].argmax())
    return edge, edge + crest + int(rise[crest:].argmin())
