"""Which side of the patient stands at image-left: every clue of a header, weighed, never guessed.

The picture's own left is *image-left*. In an anterior view the patient's right stands there; posterior,
palmar and plantar views are the same limbs seen from behind, and left and right change places. That
convention holds for limbs shown pointing down the image; geometry written in the file overrules it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, get_args

from sudeck.core.vocabulary import Side
from sudeck.scan.dicom import Header

View = Literal["anterior", "posterior", "palmar", "dorsal", "plantar", "unknown"]
VIEWS: tuple[View, ...] = get_args(View)

_LEFT_OF_VIEW: dict[View, Side] = {
    "anterior": "right",
    "dorsal": "right",
    "posterior": "left",
    "palmar": "left",
    "plantar": "left",
}
# SNOMED codes of DICOM context group 26 and of its predecessors, in both coding schemes.
_VIEW_CODES: dict[str, View] = {
    "R-10202": "anterior",
    "R-10206": "anterior",
    "G-5215": "anterior",
    "399033003": "anterior",
    "399348003": "anterior",
    "399321004": "anterior",
    "R-10214": "posterior",
    "G-5216": "posterior",
    "R-40888": "posterior",
    "399001007": "posterior",
    "272460009": "posterior",
    "272479007": "posterior",
    "R-102C3": "plantar",
    "399071006": "plantar",
}
_VIEW_WORDS: tuple[tuple[View, re.Pattern[str]], ...] = (
    ("anterior", re.compile(r"\b(ANT|ANTERIOR|ANT[EÉ]RIEURE?|VENTRAL|VORNE)\b")),
    (
        "posterior",
        re.compile(r"\b(POSTERIOR|POST[EÉ]RIEURE?|HINTEN|POST(?![- ]?(INJ|OP|TRAUM|DOSE|TREAT)))\b"),
    ),
    ("palmar", re.compile(r"\b(PALMAR|PALMAIRES?|PALM|VOLAR)\b")),
    ("plantar", re.compile(r"\b(PLANTAR|PLANTAIRES?)\b")),
    ("dorsal", re.compile(r"\b(DORSAL|DORSALES?|DORSUM)\b")),
)
_OFF_AXIS = 0.8  # rows further than 37 degrees from the left-right axis do not show left and right
_STRONG = 3
_WEAK = 1


@dataclass(frozen=True, slots=True)
class Clue:
    """One statement in a file about the side at image-left, and how much it weighs.

    A coded view or a geometry weighs 3 and is enough alone; a word in a description weighs 1 and is not.
    """

    source: str
    view: View
    image_left: Side
    weight: int

    def __str__(self) -> str:
        return f"{self.source} says patient {self.image_left} at image-left"


@dataclass(frozen=True, slots=True)
class SideEvidence:
    """The clues of one detector, weighed: a side and a view, or the problem that forbids one."""

    view: View
    image_left: Side | None
    clues: tuple[Clue, ...]
    problem: str = ""


def left_of_view(view: View) -> Side | None:
    """Return the side of the patient that stands at image-left in a view, by convention.

    Examples
    --------
    >>> left_of_view("anterior"), left_of_view("plantar")
    ('right', 'left')
    """
    return _LEFT_OF_VIEW.get(view)


def gather_clues(header: Header, detector: int) -> tuple[Clue, ...]:
    """Return what a header says about the side at image-left in the frames of one detector (from 1).

    Statements about the image as a whole describe its first detector.
    """
    clues: list[Clue] = []
    items = header.items("DetectorInformationSequence")
    if 1 <= detector <= len(items):
        item = items[detector - 1]
        clues += _code_clues(item)
        orientation = item.numbers("ImageOrientationPatient") or (
            header.numbers("ImageOrientationPatient") if len(items) == 1 else ()
        )
        clues += _geometry_clues(orientation)
    elif detector == 1:
        clues += _geometry_clues(header.numbers("ImageOrientationPatient"))
    if detector == 1:
        clues += _patient_orientation_clues(header)
        clues += _word_clues(header)
    return tuple(clues)


def weigh(clues: tuple[Clue, ...]) -> SideEvidence:
    """Weigh the clues of one detector; any contradiction, or too little weight, leaves the side open."""
    view = _most_specific_view(clues)
    sides = {clue.image_left for clue in clues}
    if len(sides) > 1:
        against = "; ".join(f"{clue.source} says {clue.view}" for clue in clues)
        return SideEvidence(
            "unknown", None, clues, f"its clues about the side contradict each other ({against})"
        )
    if sum(clue.weight for clue in clues) < _STRONG:
        found = f", only {clues[0].source} ({clues[0].view})" if clues else ""
        return SideEvidence(
            "unknown", None, clues, f"nothing in it tells which side of the patient is at image-left{found}"
        )
    return SideEvidence(view, sides.pop(), clues)


def _most_specific_view(clues: tuple[Clue, ...]) -> View:
    views = [clue.view for clue in clues if clue.view != "unknown"]
    limb_views = [view for view in views if view in ("palmar", "plantar", "dorsal")]
    return (limb_views or views or ["unknown"])[0]


def _code_clues(item: Header) -> list[Clue]:
    for code in item.items("ViewCodeSequence"):
        view = _VIEW_CODES.get(code.text("CodeValue")) or _view_in(code.text("CodeMeaning"))
        if view is not None:
            return [Clue("the view code", view, _LEFT_OF_VIEW[view], _STRONG)]
    return []


def _geometry_clues(orientation: tuple[float, ...]) -> list[Clue]:
    """Read the direction of an image row in patient coordinates, whose x axis points to the patient's left."""
    if len(orientation) != 6 or abs(orientation[0]) < _OFF_AXIS:
        return []
    towards_left = orientation[0] > 0
    return [
        Clue(
            "the image orientation",
            "anterior" if towards_left else "posterior",
            "right" if towards_left else "left",
            _STRONG,
        )
    ]


def _patient_orientation_clues(header: Header) -> list[Clue]:
    """Read the anatomical direction of a row, e.g. L\\F: rows run towards the patient's left."""
    directions = header.texts("PatientOrientation")
    if len(directions) != 2 or directions[0][:1] not in ("L", "R"):
        return []
    towards_left = directions[0][0] == "L"
    return [
        Clue(
            "the patient orientation",
            "anterior" if towards_left else "posterior",
            "right" if towards_left else "left",
            _STRONG,
        )
    ]


def _word_clues(header: Header) -> list[Clue]:
    for keyword, source in (
        ("SeriesDescription", "the series description"),
        ("ImageID", "the image name"),
        ("ImageComments", "the image comments"),
        ("AcquisitionDeviceProcessingDescription", "the processing description"),
    ):
        view = _view_in(header.text(keyword))
        if view is not None:
            return [Clue(source, view, _LEFT_OF_VIEW[view], _WEAK)]
    orientation = header.private("GEMS_GENIE_1", 0x0009, 0x22)
    view = _view_in(str(orientation).upper()) if isinstance(orientation, str) else None
    return [Clue("the private orientation", view, _LEFT_OF_VIEW[view], _WEAK)] if view is not None else []


def _view_in(text: str) -> View | None:
    """Return the one view a text names, or None when it names none or several."""
    text = text.replace("_", " ")
    if text in ("ANTERO-POSTERIOR", "ANTERO POSTERIOR", "A-P"):
        return "anterior"
    if text in ("POSTERO-ANTERIOR", "POSTERO ANTERIOR", "P-A"):
        return "posterior"
    named = [view for view, pattern in _VIEW_WORDS if pattern.search(text)]
    return named[0] if len(named) == 1 else None
