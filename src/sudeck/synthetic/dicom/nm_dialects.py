"""How gamma cameras differ in writing the same images: encodings, and tags left out or oddly filled."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from sudeck.core.errors import InputError
from sudeck.core.vocabulary import Limb
from sudeck.synthetic.limbs.limb_maps import View

if TYPE_CHECKING:
    from pydicom import Dataset

Dialect = Literal[
    "standard", "two-detectors", "single-file", "sparse", "no-spacing", "big-endian", "implicit"
]


@dataclass(frozen=True)
class DialectRules:
    """What a dialect does differently from the standard one.

    Attributes
    ----------
    transfer_syntax : str
        UID of the encoding.
    together : bool
        Whether flow and pool share one dynamic file as two DICOM phases.
    needs_opposed : bool
        Whether a second detector is a must.
    view_coding : {"coded", "free text", "none"}
        How the view of a detector is said: SNOMED codes, a technician's word without a scheme, not at all.
    orientation : bool
        Whether the file says how the patient lay in the image.
    spacing : bool
        Whether it says the pixel size.
    names_the_view : bool
        Whether descriptions name the view.
    """

    transfer_syntax: str = "1.2.840.10008.1.2.1"
    together: bool = False
    needs_opposed: bool = False
    view_coding: Literal["coded", "free text", "none"] = "coded"
    orientation: bool = True
    spacing: bool = True
    names_the_view: bool = False


DIALECTS: Final[dict[str, DialectRules]] = {
    "standard": DialectRules(),
    "two-detectors": DialectRules(needs_opposed=True, view_coding="free text"),
    "single-file": DialectRules(together=True),
    "sparse": DialectRules(view_coding="none", orientation=False, names_the_view=True),
    "no-spacing": DialectRules(spacing=False),
    "big-endian": DialectRules("1.2.840.10008.1.2.2"),
    "implicit": DialectRules("1.2.840.10008.1.2"),
}

# Rows and columns of an image in patient directions, first detector then the one on the other side. Hands
# and soles are seen with fingers and toes up, feet from the front with toes down.
_DIRECTIONS: Final[dict[View, tuple[tuple[str, str], tuple[str, str]]]] = {
    "palmar": (("L", "P"), ("R", "P")),
    "dorsal": (("R", "P"), ("L", "P")),
    "plantar": (("L", "P"), ("R", "P")),
    "anterior": (("L", "F"), ("R", "F")),
}
_COSINES: Final[dict[str, list[int]]] = {
    "L": [1, 0, 0],
    "R": [-1, 0, 0],
    "P": [0, 1, 0],
    "F": [0, 0, -1],
}
# The palm is the front of the hand in anatomical terms. The context group of nuclear medicine projections
# has no view from the sole, so a sole is left to the orientation.
_FRONT: Final = ("399321004", "SCT", "Anterior projection", "ANT")
_BACK: Final = ("399001007", "SCT", "Posterior projection", "POST")
_VIEW_CODES: Final[dict[View, tuple[tuple[str, str, str, str], tuple[str, str, str, str]] | None]] = {
    "palmar": (_FRONT, _BACK),
    "dorsal": (_BACK, _FRONT),
    "plantar": None,
    "anterior": (_FRONT, _BACK),
}


TRACER_CODES: Final = {
    "nuclide": ("72454006", "SCT", "^99m^Technetium"),
    "pharmaceutical": ("53951001", "SCT", "Technetium Tc^99m^ oxidronate"),
}


def rules_of(dialect: str) -> DialectRules:
    """Return the rules of a dialect.

    Raises
    ------
    InputError
        If there is no such dialect.
    """
    if dialect not in DIALECTS:
        raise InputError(dialect, "no such dialect", f"choose one of {', '.join(DIALECTS)}")
    return DIALECTS[dialect]


def describe_series(rules: DialectRules, limb: Limb, view: View, what: str) -> str:
    """Return a series description as a technician would type it."""
    limbs = {"hand": "HANDS", "foot": "FEET"}[limb]
    return f"{what} {limbs} {view.upper()}" if rules.names_the_view else f"{what} {limbs}"


def orient(dataset: Dataset, rules: DialectRules, view: View) -> None:
    """Say how the patient lay in the image, as far as the dialect does."""
    dataset.PatientOrientationCodeSequence = []
    dataset.PatientGantryRelationshipCodeSequence = []
    if not rules.orientation:
        return
    dataset.PatientOrientation = list(_DIRECTIONS[view][0])
    if view in ("palmar", "dorsal"):
        posture, modifier = coded("102539006", "SCT", "semi-erect"), coded("33586001", "SCT", "sitting")
    else:
        posture, modifier = coded("102538003", "SCT", "recumbent"), coded("40199007", "SCT", "supine")
    posture.PatientOrientationModifierCodeSequence = [modifier]
    dataset.PatientOrientationCodeSequence = [posture]
    dataset.PatientGantryRelationshipCodeSequence = [coded("102540008", "SCT", "headfirst")]


def detector_items(rules: DialectRules, view: View, detectors: int) -> Sequence[Dataset]:
    """Return the items of the Detector Information Sequence."""
    from pydicom import Dataset

    items = []
    for number in range(detectors):
        item = Dataset()
        item.CollimatorGridName = "LEHR"
        item.CollimatorType = "PARA"
        item.FocalDistance = 0
        item.StartAngle = 180 * number
        item.RadialPosition = 60
        item.ImagePositionPatient = None
        item.ImageOrientationPatient = None
        if rules.orientation:
            row, column = _DIRECTIONS[view][number]
            item.ImagePositionPatient = [0, 0, 0]
            item.ImageOrientationPatient = _COSINES[row] + _COSINES[column]
        codes = _VIEW_CODES[view]
        if rules.view_coding == "coded" and codes is not None:
            item.ViewCodeSequence = [coded(*codes[number][:3])]
        elif rules.view_coding == "free text" and codes is not None:
            word = Dataset()
            word.CodeValue = word.CodeMeaning = codes[number][3]
            item.ViewCodeSequence = [word]
        items.append(item)
    return items


def coded(value: str, scheme: str, meaning: str) -> Dataset:
    """Return a coded concept as the item of a code sequence."""
    from pydicom import Dataset

    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, scheme, meaning
    return item
