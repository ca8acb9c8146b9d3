"""A limb a file: the image of the left limb and that of the right, acquired one after the other, as one.

Both keep their own counts, so that their noise stays that of counts; what differs between the two
acquisitions (duration, decay) is kept beside them and corrected in the ratio. Nothing else can be known of
the time between them, so the interval widens by how fast uptake may change in that phase.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sudeck.core.errors import InputError
from sudeck.core.flags import Flag
from sudeck.core.vocabulary import SIDES, Side, opposite
from sudeck.scan.phases.guideline import phases_in_text
from sudeck.scan.reading.clock import TC99M_HALF_LIFE_S, seconds_between
from sudeck.scan.reading.frames import Acquisition, OneSide
from sudeck.scan.reading.sides import SideEvidence

_APART: Final = timedelta(minutes=30)  # two images of one phase, one after the other
_ONE_LIMB: Final = 0.85  # of the counts of all limbs, in the largest connected part
_SIDE_WORDS: Final[dict[Side, re.Pattern[str]]] = {
    "left": re.compile(
        r"\b(LEFT|LT|L|LH|LF|GAUCHE|GCHE|LINKS|LINKE[RS]?|LINKER(HAND|VOET)|LI|IZQUIERD[AO]|IZQ|IZDA|SINISTR[AO]|SX"
        r"|ESQUERD[AO]|ESQ|(MAIN|PIED) G)\b"
    ),
    "right": re.compile(
        r"\b(RIGHT|RT|R|RH|RF|DROITE?|DTE?|RECHTS|RECHTE[RS]?|RECHTER(HAND|VOET)|RE|DERECH[AO]|DCHA|DESTR[AO]|DX"
        r"|DIREIT[AO]|DIR|(MAIN|PIED) D)\b"
    ),
}


@dataclass(frozen=True)
class SidePairs:
    """The acquisitions of a study, those of a limb a file joined; and which of these have no partner."""

    acquisitions: tuple[Acquisition, ...]
    alone: tuple[InputError, ...]


def pair_sides(acquisitions: Sequence[Acquisition]) -> SidePairs:
    """Join the static images that show one limb each, by laterality, content and time.

    Returns
    -------
    SidePairs
        A joined image stands in the place of its right one, patient right at image-left.
    """
    single: dict[int, Side] = {}
    doubtful: dict[int, InputError] = {}
    for item in acquisitions:
        try:
            side = one_side_of(item)
        except InputError as error:  # this image is lost, not the study
            doubtful[id(item)] = error
        else:
            if side is not None:
                single[id(item)] = side
    partner: dict[int, Acquisition] = {}
    for item in acquisitions:
        if single.get(id(item)) == "right":
            lefts = [other for other in acquisitions if single.get(id(other)) == "left"]
            fitting = [other for other in lefts if id(other) not in partner and _belong_together(item, other)]
            if fitting:
                nearest = min(fitting, key=lambda other: abs(_between_s(item, other)))
                partner[id(item)], partner[id(nearest)] = nearest, item
    kept: list[Acquisition] = []
    alone: list[InputError] = []
    for item in acquisitions:
        side = single.get(id(item))
        if id(item) in doubtful:
            alone.append(doubtful[id(item)])
        elif side is None:
            kept.append(item)
        elif id(item) not in partner:
            alone.append(
                InputError(
                    item.label,
                    f"it shows the {side} limb alone, and no image of the {opposite(side)} one within "
                    f"{_APART.total_seconds() / 60:.0f} min goes with it",
                    f"give the image of the {opposite(side)} limb of the same phase, matrix and pixel size",
                )
            )
        elif side == "right":
            try:
                kept.append(_joined(item, partner[id(item)]))
            except InputError as error:  # this phase is lost, not the study
                alone.append(error)
    return SidePairs(tuple(kept), tuple(alone))


def one_side_of(acquisition: Acquisition) -> Side | None:
    """Return the side of the one limb an image shows; None where it shows both, or says nothing of a side.

    Raises
    ------
    InputError
        If its description and its code name opposite sides.
    """
    if acquisition.kind != "static" or len(acquisition.frames) != 1:
        return None
    words = acquisition.text.replace("_", " ")
    named = [side for side in SIDES if _SIDE_WORDS[side].search(words)]
    given = {acquisition.laterality, named[0] if len(named) == 1 else None} - {None}
    if not given or not _is_one_limb(acquisition.counts[0]):
        return None
    if len(given) > 1:
        raise InputError(
            acquisition.label,
            f"it shows one limb, and is called {named[0]} but coded as the {acquisition.laterality} one",
            "correct its laterality, or leave it out",
        )
    return given.pop()


def _is_one_limb(counts: NDArray[np.number]) -> bool:
    """Say whether nearly all that stands out of the background hangs together and keeps to one place."""
    from scipy import ndimage
    from skimage.filters import threshold_li

    smooth = ndimage.gaussian_filter(counts.astype(np.float64), 1.5)
    body = smooth > threshold_li(smooth, tolerance=1e-3 * (float(np.ptp(smooth)) or 1.0))
    parts, count = ndimage.label(body, structure=np.ones((3, 3)))
    if count == 0:
        return False
    held = np.asarray(ndimage.sum_labels(smooth, parts, np.arange(1, count + 1)))
    return float(held.max()) >= _ONE_LIMB * float(held.sum())


def _belong_together(right: Acquisition, left: Acquisition) -> bool:
    same_form = right.counts.shape == left.counts.shape and right.spacing_mm == left.spacing_mm
    same_phase = phases_in_text(right.text) == phases_in_text(left.text)
    return same_form and same_phase and abs(_between_s(right, left)) <= _APART.total_seconds()


def _between_s(first: Acquisition, second: Acquisition) -> float:
    gap = seconds_between(first.acquired_at, second.acquired_at)
    return float("inf") if gap is None else gap


def _joined(right: Acquisition, left: Acquisition) -> Acquisition:
    """Put the right limb at image-left and the left one beside it, as an anterior view shows them."""
    first = min((right, left), key=lambda item: str(item.acquired_at))
    sides = (
        OneSide("right", right.source, _weight_s(right, first)),
        OneSide("left", left.source, _weight_s(left, first)),
    )
    frame = replace(right.frames[0], detector=1)
    view = right.frames[0].view
    gap_s = abs(_between_s(right, left))
    flag = Flag(
        "sides-in-two-files",
        f"{right.label} and {left.label} show one limb each, acquired {gap_s:.0f} s apart; they are measured "
        "together, each by its own duration and decay.",
        "caution",
        right.label,
        gap_s,
        unit="s",
    )
    return replace(
        right,
        counts=np.concatenate([right.counts, left.counts], axis=2),
        frames=(frame,),
        acquired_at=first.acquired_at,
        flags=(*right.flags, *left.flags, flag),
        evidence={1: SideEvidence(view, "right", ())},
        sides=sides,
        sides_apart_s=gap_s,
    )


def _weight_s(item: Acquisition, first: Acquisition) -> float:
    """Return the seconds at the activity of the first image that would have given the counts of this one.

    Raises
    ------
    InputError
        If the duration is not stated: the two images could not be brought to one level.
    """
    duration_s = item.frames[0].duration_s
    if duration_s is None:
        raise InputError(
            item.label,
            "it shows one limb alone and states no duration, so it can not be held against the other",
            "export it again with its acquisition time",
        )
    elapsed_s = seconds_between(first.acquired_at, item.acquired_at) or 0.0
    return duration_s * float(0.5 ** (elapsed_s / (item.half_life_s or TC99M_HALF_LIFE_S)))
