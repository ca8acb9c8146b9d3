"""Which side of the patient stands at image-left: every clue of a header, weighed, never guessed.

In an anterior view the patient's right stands at image-left, in a posterior view the left. A palmar, plantar
or dorsal view alone tells nothing: with fingers or toes up the picture is that of the other end turned upside
down, and left and right change places. Nor does the orientation that a camera writes by default help there,
because it is that of a body lying in the gantry, not of feet set on the detector.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, get_args

from sudeck.core.vocabulary import Side
from sudeck.scan.reading.dicom import Header

View = Literal["anterior", "posterior", "palmar", "dorsal", "plantar", "unknown"]
VIEWS: tuple[View, ...] = get_args(View)

LIMB_VIEWS: tuple[View, ...] = ("palmar", "plantar", "dorsal")
_LEFT_OF_VIEW: dict[View, Side] = {"anterior": "right", "posterior": "left"}
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
}
_VIEW_WORDS: tuple[tuple[View, re.Pattern[str]], ...] = (
    (
        "anterior",
        re.compile(r"\b(ANT|AP|ANTERIORE?|ANT[EÉ]RIEURE?|VENTRAL|VORNE|FRONTAL|FRONT|VOOR(ZIJDE|KANT))\b"),
    ),
    (
        "posterior",
        re.compile(
            r"\b(POSTERIORE?|PA|POST[EÉ]RIEURE?|HINTEN|ACHTER(ZIJDE|KANT)"
            r"|POST(?![- ]?(INJ|OP|TRAUM|DOSE|TREAT)))\b"
        ),
    ),
    ("palmar", re.compile(r"\b(PALMAR|PALMAIRES?|PALM|VOLAR)\b")),
    ("plantar", re.compile(r"\b(PLANTAR|PLANTAIRES?)\b")),
    ("dorsal", re.compile(r"\b(DORSAL|DORSALES?|DORSUM)\b")),
)
_ASLANT = re.compile(r"\b(LATERAL|OBLIQUE|LAO|RAO|LPO|RPO)\b")
_WORD_SOURCES = (
    ("SeriesDescription", "the series description"),
    ("ImageID", "the image name"),
    ("ImageComments", "the image comment"),
    ("AcquisitionDeviceProcessingDescription", "the processing description"),
)
# A protocol may name every view of an examination: it counts where it names one.
_PROTOCOL_SOURCES = (("ProtocolName", "the protocol name"), ("ViewPosition", "the view position"))
_OFF_AXIS = 0.8  # rows further than 37 degrees from the left-right axis do not show left and right
_STRONG = 3
_WEAK = 1
_ENOUGH = 2


@dataclass(frozen=True, slots=True)
class Clue:
    """One statement in a file about the view, and about the side at image-left where it tells that.

    A statement that `refuses` says why no side can be taken from the file, whatever else it holds.
    A coded view or a geometry weighs 3 and is enough alone. A word weighs 1: it settles a side where nothing
    speaks against it, and is flagged where only one source has it.
    """

    source: str
    view: View
    image_left: Side | None
    weight: int
    refuses: str = ""

    def __str__(self) -> str:
        said = self.view if self.view != "unknown" else f"patient {self.image_left} at image-left"
        said = self.refuses or said
        return f"{self.source} says {said}"


@dataclass(frozen=True, slots=True)
class SideEvidence:
    """The clues of one detector, weighed: a side and a view, or the problem that forbids one.

    Disbelieved clues are those that say the same of two opposed detectors; `by_word` says that a single word
    settled the side.
    """

    view: View
    image_left: Side | None
    clues: tuple[Clue, ...]
    problem: str = ""
    disbelieved: bool = False
    by_word: bool = False


def left_of_view(view: View) -> Side | None:
    """Return the side of the patient that stands at image-left in a view; None where the view does not tell.

    Examples
    --------
    >>> left_of_view("anterior"), left_of_view("posterior"), left_of_view("plantar")
    ('right', 'left', None)
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
        postures = postures_of(header)
        if len(postures) > 1:
            refuses = f"the patient lay {' and '.join(sorted(postures))} at once"
            clues.append(Clue("the patient position", "unknown", None, 0, refuses))
    return tuple(clues)


def postures_of(header: Header) -> frozenset[str]:
    """Return how the patient lay, ``"supine"`` or ``"prone"``, by every statement of it; empty for none."""
    position = header.text("PatientPosition")
    words = [
        modifier.text("CodeMeaning")
        for code in header.items("PatientOrientationCodeSequence")
        for modifier in code.items("PatientOrientationModifierCodeSequence")
    ]
    found = {word.lower() for word in words if word in ("SUPINE", "PRONE")}
    if re.fullmatch(r"(HF|FF)[SP]", position):
        found.add("supine" if position.endswith("S") else "prone")
    return frozenset(found)


def weigh(clues: tuple[Clue, ...]) -> SideEvidence:
    """Weigh the clues of one detector; any contradiction, or too little weight, leaves the side open."""
    telling = [clue for clue in clues if clue.image_left is not None]
    sides = {clue.image_left for clue in telling}
    limb_view = next((clue for clue in clues if clue.view in LIMB_VIEWS), None)
    of_body = next((clue for clue in telling if clue.view != "unknown"), None)
    refusing = [clue for clue in clues if clue.refuses]
    problem = ""
    if refusing:
        problem = f"{_joined(refusing)}, so that it does not tell which side of the patient is at image-left"
    elif len(sides) > 1:
        problem = f"its clues about the side contradict each other ({_joined(telling)})"
    elif limb_view is not None and of_body is not None:
        problem = (
            f"{limb_view}, where {of_body.source} of a lying body ({of_body.view}) does not tell which side "
            "of the patient is at image-left"
        )
    elif not telling:
        found = f" ({_joined(clues)}, which is not enough)" if clues else ""
        problem = f"nothing in it tells which side of the patient is at image-left{found}"
    if problem:
        return SideEvidence(limb_view.view if limb_view else "unknown", None, clues, problem)
    view = (limb_view or of_body or telling[0]).view
    by_word = sum(clue.weight for clue in telling) < _ENOUGH
    return SideEvidence(view, telling[0].image_left, clues, by_word=by_word)


def _joined(clues: Iterable[Clue]) -> str:
    return "; ".join(map(str, clues))


def _code_clues(item: Header) -> list[Clue]:
    for code in item.items("ViewCodeSequence"):
        said = [code.text("CodeMeaning")]
        said += [word.text("CodeMeaning") for word in code.items("ViewModifierCodeSequence")]
        aslant = next((words for words in said if _ASLANT.search(words)), "")
        if aslant:
            return [Clue("the view code", "unknown", None, 0, aslant.lower())]
        view = _VIEW_CODES.get(code.text("CodeValue")) or _view_in(code.text("CodeMeaning"))
        if view is not None:
            return [_clue("the view code", view, _STRONG)]
    return []


def _geometry_clues(orientation: tuple[float, ...]) -> list[Clue]:
    """Read the direction of a row in patient coordinates, whose x axis points to the patient's left."""
    if len(orientation) != 6 or abs(orientation[0]) < _OFF_AXIS:
        return []
    return [_geometry("the image orientation", orientation[0] > 0, abs(orientation[5]) >= _OFF_AXIS)]


def _patient_orientation_clues(header: Header) -> list[Clue]:
    """Read the anatomical directions of rows and columns: L for rows that run towards the patient's left."""
    directions = header.texts("PatientOrientation")
    if len(directions) != 2 or directions[0][:1] not in ("L", "R"):
        return []
    return [_geometry("the patient orientation", directions[0][0] == "L", directions[1][:1] in ("F", "H"))]


def _geometry(source: str, towards_left: bool, lying: bool) -> Clue:
    """Return what a geometry tells: a view of the body when columns run along it, else the side alone."""
    side: Side = "right" if towards_left else "left"
    of_body: View = "anterior" if towards_left else "posterior"
    return Clue(source, of_body if lying else "unknown", side, _STRONG)


def _word_clues(header: Header) -> list[Clue]:
    # Two fields with the same text are one statement written twice.
    texts: dict[str, str] = {}
    for keyword, source in _WORD_SOURCES:
        texts.setdefault(header.text(keyword), source)
    private = header.private("GEMS_GENIE_1", 0x0009, 0x22)
    texts.setdefault(str(private or "").upper(), "the private orientation")
    if any(len(_views_in(text)) > 1 for text in texts):
        return []  # both views of one examination: no other word tells which of them this image is
    for keyword, source in _PROTOCOL_SOURCES:
        texts.setdefault(header.text(keyword), source)
    found = ((source, _view_in(text)) for text, source in texts.items())
    return [_clue(source, view, _WEAK) for source, view in found if view is not None]


def _clue(source: str, view: View, weight: int) -> Clue:
    return Clue(source, view, left_of_view(view), weight)


def _view_in(text: str) -> View | None:
    """Return the one view a text names, or None when it names none or several."""
    text = text.replace("_", " ")
    if text in ("ANTERO-POSTERIOR", "ANTERO POSTERIOR", "A-P"):
        return "anterior"
    if text in ("POSTERO-ANTERIOR", "POSTERO ANTERIOR", "P-A"):
        return "posterior"
    named = _views_in(text)
    return named[0] if len(named) == 1 else None


def _views_in(text: str) -> list[View]:
    return [view for view, pattern in _VIEW_WORDS if pattern.search(text.replace("_", " "))]
