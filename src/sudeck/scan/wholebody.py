"""Cut the hands or the feet out of a whole-body sweep."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from sudeck.core.errors import InputError
from sudeck.core.flags import Flag
from sudeck.core.vocabulary import Limb
from sudeck.scan.frames import Acquisition

# Feet with ankles: the lowest 30 cm of the body. Hands beside the thighs: 41 to 61 % of the way down.
_FOOT_MM = 300.0
_HAND_SPAN = (0.41, 0.61)
_MARGIN_MM = 25.0
_BODY_FRACTION = 0.02


def crop_limb(acquisition: Acquisition, limb: Limb | None) -> Acquisition:
    """Return the acquisition with its counts cut to the limb; anything but a whole-body sweep comes back as is.

    Raises
    ------
    InputError
        If the limb or the size of a pixel is not known, or the body can not be found.
    """
    if acquisition.kind != "whole body":
        return acquisition
    label = acquisition.label
    if limb is None:
        raise InputError(
            label, "it shows the whole body", "state what to measure with --limb hand or --limb foot"
        )
    if acquisition.spacing_mm is None:
        raise InputError(label, "it shows the whole body and states no pixel spacing", "export it again")
    top, bottom = _body(acquisition.counts, label)
    row_mm = acquisition.spacing_mm[0]
    margin = round(_MARGIN_MM / row_mm)
    if limb == "foot":
        first, last = bottom - round(_FOOT_MM / row_mm), bottom + margin
    else:
        first, last = (top + round(share * (bottom - top)) for share in _HAND_SPAN)
    first, last = max(first, 0), min(last, acquisition.counts.shape[1])
    flag = Flag(
        "whole-body-cropped",
        f"Rows {first} to {last} of the whole-body sweep are taken for the {limb} of either side.",
        "info",
        label,
    )
    return replace(
        acquisition, counts=acquisition.counts[:, first:last], limb=limb, flags=(*acquisition.flags, flag)
    )


def _body(counts: NDArray[np.generic], label: str) -> tuple[int, int]:
    """Return the first and last row of the body, head first, from the summed counts of the rows."""
    rows = counts.sum(axis=(0, 2), dtype=np.float64)
    smooth = np.convolve(rows, np.ones(9) / 9, mode="same")
    inside = np.flatnonzero(smooth > _BODY_FRACTION * np.percentile(smooth, 95))
    if len(inside) < counts.shape[1] / 4:
        raise InputError(
            label, "no body can be found in the sweep", "crop the limb and give it as a static image"
        )
    return int(inside[0]), int(inside[-1]) + 1
