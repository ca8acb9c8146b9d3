"""Opposed views in two files: the image of the front and that of the back, acquired at once, as one.

Cameras with two heads may write a file a head. Joined, they are what a file of both heads is: the ratio is
that of their geometric means, which hardly depends on the depth of the source.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from sudeck.core.flags import Flag
from sudeck.core.vocabulary import opposite
from sudeck.scan.phases.guideline import phases_in_text
from sudeck.scan.reading.clock import seconds_between
from sudeck.scan.reading.frames import Acquisition, Frame
from sudeck.scan.reading.sides import SideEvidence, View

_AT_ONCE_S: Final = 60.0  # two heads of one camera start together; their clocks are rounded
_SAME_TIME_S: Final = 0.01
_FRONT: Final[tuple[View, ...]] = ("anterior", "palmar", "plantar")


def pair_views(acquisitions: Sequence[Acquisition]) -> list[Acquisition]:
    """Join the acquisitions of one detector each that show both limbs from opposed sides at the same time.

    Returns
    -------
    list of Acquisition
        A joined one stands in the place of its front view.
    """
    partner: dict[int, Acquisition] = {}
    for item in acquisitions:
        found = _evidence(item)
        if found is None or id(item) in partner or not _is_front(found):
            continue
        for other in acquisitions:
            if other is not item and id(other) not in partner and _are_opposed(item, other):
                partner[id(item)], partner[id(other)] = other, item
                break
    joined = []
    for item in acquisitions:
        if id(item) not in partner:
            joined.append(item)
        elif _is_front(_evidence(item)):
            joined.append(_joined(item, partner[id(item)]))
    return joined


def _evidence(item: Acquisition) -> SideEvidence | None:
    """Return the evidence of the only detector of a file of both limbs; None where that is not what it is."""
    if item.sides or len(item.detectors) != 1:
        return None
    found = item.evidence.get(item.detectors[0])
    return found if found is not None and found.image_left is not None else None


def _is_front(found: SideEvidence | None) -> bool:
    """Say which of two opposed views comes first; of a side alone, that with patient right at image-left."""
    if found is None:
        return False
    return found.view in _FRONT or (found.view == "unknown" and found.image_left == "right")


def _are_opposed(front: Acquisition, back: Acquisition) -> bool:
    ours, theirs = _evidence(front), _evidence(back)
    if ours is None or theirs is None or ours.image_left is None or _is_front(theirs):
        return False
    gap_s = seconds_between(front.acquired_at, back.acquired_at)
    return (
        theirs.image_left == opposite(ours.image_left)
        and gap_s is not None
        and abs(gap_s) <= _AT_ONCE_S
        and front.kind == back.kind
        and front.spacing_mm == back.spacing_mm
        and phases_in_text(front.text) == phases_in_text(back.text)
        and front.counts.shape == back.counts.shape
        and all(map(_same_times, front.frames, back.frames))
    )


def _same_times(one: Frame, other: Frame) -> bool:
    if (one.phase, one.time_slice) != (other.phase, other.time_slice):
        return False
    pairs = ((one.start_s, other.start_s), (one.duration_s, other.duration_s))
    return all(
        a == b or (a is not None and b is not None and abs(a - b) <= _SAME_TIME_S * max(abs(a), 1.0))
        for a, b in pairs
    )


def _joined(front: Acquisition, back: Acquisition) -> Acquisition:
    offset = len(front.counts)
    frames = [replace(frame, detector=1) for frame in front.frames]
    frames += [replace(frame, detector=2, index=frame.index + offset) for frame in back.frames]
    flag = Flag(
        "views-in-two-files",
        f"{front.label} and {back.label} show the limbs from opposed sides at the same time; their geometric "
        "mean is measured.",
        "info",
        front.label,
    )
    evidence = [item.evidence[item.detectors[0]] for item in (front, back)]
    return replace(
        front,
        counts=np.concatenate([front.counts, back.counts.astype(front.counts.dtype, copy=False)]),
        frames=tuple(frames),
        evidence=dict(enumerate(evidence, 1)),
        flags=(*front.flags, *back.flags, flag),
        opposed_source=back.source,
    )
