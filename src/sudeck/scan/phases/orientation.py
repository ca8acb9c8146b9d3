"""Choose the frames to measure of an acquisition, and settle which side of the patient is at image-left."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sudeck.core.errors import InputError
from sudeck.core.flags import Flag
from sudeck.core.vocabulary import Side, opposite
from sudeck.scan.phases.digits import digits_direction, left_of_limb_view
from sudeck.scan.reading.frames import Acquisition, Frame
from sudeck.scan.reading.remedies import SAY_SIDE, SAY_VIEW
from sudeck.scan.reading.sides import LIMB_VIEWS, Clue, SideEvidence, View, left_of_view, weigh

_FRONT: tuple[View, ...] = ("anterior", "dorsal")
# How much better an opposed image must match unmirrored before we disbelieve that it is opposed.
_MIRROR_MARGIN = 0.05


@dataclass(frozen=True, slots=True)
class Orientation:
    """Frames of the detector to measure, their opposed partners if any, and what stands at image-left."""

    frames: tuple[Frame, ...]
    opposed: tuple[Frame, ...] | None
    view: View
    image_left: Side
    flags: tuple[Flag, ...]


def orient(
    acquisition: Acquisition,
    *,
    view: View | None = None,
    image_left: Side | None = None,
    usual_view: View | None = None,
) -> Orientation:
    """Choose the detector, and settle the side at image-left.

    Of an opposed pair the front detector (anterior, dorsal) is measured and the other becomes its partner,
    unless `view` names the other one.

    Parameters
    ----------
    acquisition : Acquisition
        The acquisition.
    view, image_left
        What a person states; it overrules the file, with a flag where the file disagrees.
    usual_view : str, optional
        View of all scans of a study; it counts where nothing in the file tells the side.

    Raises
    ------
    InputError
        If nothing tells the side, or clues contradict each other.
    """
    label = acquisition.label
    flags: list[Flag] = []
    evidence = _undouble(acquisition)
    detectors = acquisition.detectors
    primary = _primary(evidence, detectors, view)
    found = evidence[primary]
    if view in LIMB_VIEWS and not found.disbelieved:
        found = weigh((*found.clues, Clue("the person", view, None, 0)))
    if usual_view is not None and not found.disbelieved and _is_silent(found):
        found = weigh((*found.clues, Clue("the study", usual_view, left_of_view(usual_view), 1)))
    settled = image_left or (left_of_view(view) if view is not None else None) or found.image_left
    if settled is None and found.view in LIMB_VIEWS:
        settled = _left_by_digits(acquisition, primary, found, stated=view is not None)
        if settled is not None:
            flags.append(
                Flag(
                    "side-by-digits",
                    f"Patient {settled} is taken to stand at image-left: the view is {found.view}, fingers "
                    f"or toes point {digits_direction(_image_of(acquisition, primary))}.",
                    "caution",
                    label,
                )
            )
    if settled is None:
        raise InputError(label, found.problem, SAY_SIDE if found.view in LIMB_VIEWS else SAY_VIEW)
    if found.by_word and view is None and image_left is None:
        flags.append(
            Flag(
                "side-by-word",
                f"Patient {settled} is taken to stand at image-left because {_said(found)}; nothing else in "
                "the file tells the side.",
                "caution",
                label,
            )
        )
    if view is None and image_left is None and found.view in LIMB_VIEWS:
        flags += _against_digits(acquisition, primary, found.view, settled)
    chosen_view: View = view or found.view
    if found.image_left is not None and found.image_left != settled:
        flags.append(
            Flag(
                "side-overruled",
                f"A person states patient {settled} at image-left; the file says {found.image_left}.",
                "serious",
                label,
            )
        )
    frames = _frames_of(acquisition, primary)
    opposed = _opposed(
        acquisition, evidence, primary, settled, frames, view is not None or image_left is not None, flags
    )
    return Orientation(frames, opposed, chosen_view, settled, tuple(flags))


def _is_silent(found: SideEvidence) -> bool:
    """Say whether no clue names a side or a view."""
    return all(clue.image_left is None and clue.view == "unknown" for clue in found.clues)


def _said(found: SideEvidence) -> str:
    return "; ".join(str(clue) for clue in found.clues if clue.image_left is not None)


def _left_by_digits(
    acquisition: Acquisition, detector: int, found: SideEvidence, *, stated: bool
) -> Side | None:
    """Settle the side of a palmar, plantar or dorsal view by where the fingers or toes point.

    A geometry in the file may agree; where it speaks against, only the view that a person states counts.
    """
    side = left_of_limb_view(found.view, digits_direction(_image_of(acquisition, detector)))
    against = any(clue.image_left not in (None, side) for clue in found.clues)
    return None if against and not stated else side


def _against_digits(acquisition: Acquisition, detector: int, view: View, settled: Side) -> list[Flag]:
    """Flag a palmar, plantar or dorsal view whose digits put the other side at image-left than the file."""
    digits = digits_direction(_image_of(acquisition, detector))
    if left_of_limb_view(view, digits) in (None, settled):
        return []
    return [
        Flag(
            "side-against-digits",
            f"The file has patient {settled} at image-left, but in a {view} view with fingers or toes "
            f"pointing {digits} that is where the {opposite(settled)} side stands, unless the limbs lie "
            "turned over: the image may be turned round. State the side with --image-left.",
            "serious",
            acquisition.label,
        )
    ]


def _image_of(acquisition: Acquisition, detector: int) -> NDArray[np.float64]:
    frames = [frame.index for frame in _frames_of(acquisition, detector)]
    return np.asarray(acquisition.counts[frames].sum(axis=0), dtype=np.float64)


def _undouble(acquisition: Acquisition) -> dict[int, SideEvidence]:
    """Disbelieve clues that say the same of two detectors: opposed heads can not share a view."""
    evidence = dict(acquisition.evidence)
    detectors = acquisition.detectors
    unknown = SideEvidence(
        "unknown", None, (), "nothing in it tells which side of the patient is at image-left"
    )
    for detector in detectors:
        evidence.setdefault(detector, unknown)
    stated = [evidence[detector].image_left for detector in detectors]
    if len(detectors) > 1 and None not in stated and len(set(stated)) == 1:
        problem = f"its {len(detectors)} detectors all claim the same {evidence[detectors[0]].view} view"
        return {
            detector: SideEvidence("unknown", None, evidence[detector].clues, problem, disbelieved=True)
            for detector in detectors
        }
    return evidence


def _primary(evidence: dict[int, SideEvidence], detectors: tuple[int, ...], view: View | None) -> int:
    if view is not None:
        wanted = [detector for detector in detectors if evidence[detector].view == view]
        return (wanted or list(detectors))[0]
    # A detector whose clues contradict each other makes its partner doubtful too: it must be settled.
    doubtful = [detector for detector in detectors if evidence[detector].clues and evidence[detector].problem]
    if doubtful:
        return doubtful[0]
    known = [detector for detector in detectors if evidence[detector].image_left is not None]
    front = [detector for detector in known if evidence[detector].view in _FRONT]
    return (front or known or list(detectors))[0]


def _frames_of(acquisition: Acquisition, detector: int) -> tuple[Frame, ...]:
    frames = [frame for frame in acquisition.frames if frame.detector == detector]
    return tuple(sorted(frames, key=lambda frame: (frame.phase, frame.time_slice, frame.index)))


def _opposed(
    acquisition: Acquisition,
    evidence: dict[int, SideEvidence],
    primary: int,
    image_left: Side,
    frames: tuple[Frame, ...],
    given: bool,
    flags: list[Flag],
) -> tuple[Frame, ...] | None:
    """Return the partner frames of an opposed pair, or None with a flag where there is no trustworthy one."""
    others = [detector for detector in acquisition.detectors if detector != primary]
    if len(others) != 1:
        return None
    found = evidence[others[0]].image_left
    partner = _frames_of(acquisition, others[0])
    same_times = [(frame.phase, frame.time_slice) for frame in partner] == [
        (frame.phase, frame.time_slice) for frame in frames
    ]
    believed = found == opposite(image_left) or (found is None and given)
    if same_times and believed and _looks_mirrored(acquisition, frames, partner):
        return partner
    flags.append(
        Flag(
            "opposed-view-unused",
            f"Detector {others[0]} is left out: it is not clearly the opposed view of detector {primary}.",
            "caution",
            acquisition.label,
        )
    )
    return None


def _looks_mirrored(acquisition: Acquisition, frames: tuple[Frame, ...], partner: tuple[Frame, ...]) -> bool:
    front, back = (_summed(acquisition, side) for side in (frames, partner))
    return _correlation(front, back[:, ::-1]) > _correlation(front, back) - _MIRROR_MARGIN


def _summed(acquisition: Acquisition, frames: tuple[Frame, ...]) -> NDArray[np.float64]:
    summed: NDArray[np.float64] = acquisition.counts[[frame.index for frame in frames]].sum(
        axis=0, dtype=np.float64
    )
    return summed


def _correlation(first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    a, b = first - first.mean(), second - second.mean()
    scale = float(np.sqrt((a * a).sum() * (b * b).sum()))
    return float((a * b).sum()) / scale if scale else 0.0
