"""What an image shows by its own header: radionuclide, energy window, part of the body.

Only a positive statement speaks against an image: a header that says nothing passes.
"""

from __future__ import annotations

import re

from sudeck.core.errors import InputError
from sudeck.core.vocabulary import Limb
from sudeck.scan.reading.dicom import Header
from sudeck.scan.reading.frames import Frame

TC99M_KEV = 140.5
_BONE_TRACER = "give images of technetium-99m"
_MASS = r"[- ^]*(?:\d{2,3}M?)\b"
# Radionuclides of nuclear medicine other than technetium, as names and as symbols beside a mass number.
_OTHER_NUCLIDES = re.compile(
    r"\b(FLUORINE|FLUOR|GALLIUM|INDIUM|IOD(?:INE|E|O)?|THALLIUM|TALIO|SAMARIUM|LUTETIUM|STRONTIUM|RADIUM|XENON"
    r"|KRYPTON|COBALT|CHROMIUM|RHENIUM|YTTRIUM)\b"
    rf"|\b(?:F|GA|IN|I|TL|SM|LU|SR|RA|XE|KR|CO|CR|RE|Y){_MASS}"
    r"|\^?\b(?:18|67|68|111|12[345]|131|201|153|177|89|223|133|81M?|57|51|186|188|90)M?\^?[- ]?"
    r"(?:F|GA|IN|I|TL|SM|LU|SR|RA|XE|KR|CO|CR|RE|Y)\b"
)
# Half-lives, s: fluorine-18, gallium-68, gallium-67, indium-111, iodine-123 and -131, thallium-201.
_OTHER_HALF_LIVES_S = (6586.0, 4063.0, 281_800.0, 242_330.0, 47_600.0, 693_000.0, 262_900.0)
_SAME_HALF_LIFE = 0.02
_LIMB_WORDS: tuple[tuple[Limb, re.Pattern[str]], ...] = (
    (
        "hand",
        re.compile(
            r"\b(HANDS?|WRISTS?|FINGERS?|MAINS|POIGNETS?|MANOS?|MU[NÑ]ECAS?|H[AÄ]NDE?|CARP(US|ES?))\b"
        ),
    ),
    (
        "foot",
        re.compile(
            r"\b(FOOT|FEET|ANKLES?|TOES?|PIEDS?|CHEVILLES?|PIES?|TOBILLOS?|FUSS|F[UÜ](SS|ß)E|TARSUS)\b"
        ),
    ),
)
_OTHER_PARTS = re.compile(
    r"\b(SKULL|CR[AÂ]NE|HEAD(?! ?(?:\d|FIRST|IN\b|OUT\b))|T[EÊ]TE|BRAIN|CEREBRAL|NECK|COU|THYRO[IÏ]DE?"
    r"|CHEST|THORAX|LUNGS?|POUMONS?"
    r"|HEART|CARDIAC|MYOCARD\w*|BREASTS?|LIVER|FOIE|HEPAT\w*|SPLEEN|STOMACH|GASTRIC|ABDOMEN|KIDNEYS?|REINS?"
    r"|RENAL|RENOGRAM|BLADDER|PELVIS|BASSIN|HIPS?|HANCHES?|SPINE|[CTL]SPINE|RACHIS|COLUMNA|KNEES?|GENOUX?"
    r"|SHOULDERS?|[EÉ]PAULES?|ELBOWS?|COUDES?|PAROTIDS?|ESOPHAGUS)\b"
)


def limb_in_texts(*texts: str) -> Limb | None:
    """Return the limb named by the first text that names any; None when that one names both."""
    for words in texts:
        named = [limb for limb, pattern in _LIMB_WORDS if pattern.search(words.replace("_", " "))]
        if named:
            return named[0] if len(named) == 1 else None
    return None


def other_part_in_texts(*texts: str) -> str:
    """Return the first word, in lower case, that names a part of the body other than hand or foot; or "".

    Examples
    --------
    >>> other_part_in_texts("FOOT", "BLOOD POOL KIDNEYS")
    'kidneys'
    """
    found = (_OTHER_PARTS.search(words.replace("_", " ").replace("-", " ")) for words in texts)
    return next((match.group().lower() for match in found if match), "")


def refuse_other_nuclide(header: Header, subject: str) -> None:
    """Refuse an image of a radionuclide other than technetium-99m.

    Raises
    ------
    InputError
        If the header names one, or states the half-life of one.
    """
    for item in header.items("RadiopharmaceuticalInformationSequence"):
        codes = " ".join(code.text("CodeMeaning") for code in item.items("RadionuclideCodeSequence"))
        for text in (codes, item.text("Radiopharmaceutical")):
            named = _OTHER_NUCLIDES.search(text)
            if named is not None and not re.search(r"99M?|TECHN|TECNE|\bTC\b", text):
                what = named.group().strip("^ ")
                raise InputError(subject, f"its radionuclide is {what}, not technetium-99m", _BONE_TRACER)
        half_life_s = item.number("RadionuclideHalfLife") or 0.0
        if any(abs(half_life_s / other - 1) < _SAME_HALF_LIFE for other in _OTHER_HALF_LIVES_S):
            raise InputError(
                subject,
                f"its radionuclide has a half-life of {half_life_s / 3600:.1f} h, not 6.0 h",
                _BONE_TRACER,
            )


def photopeak_frames(header: Header, frames: tuple[Frame, ...], subject: str) -> tuple[Frame, ...]:
    """Keep the frames of the energy window around 140 keV.

    Raises
    ------
    InputError
        If no window holds it, or several windows are there and nothing says which one does.
    """
    used = {frame.energy_window for frame in frames}
    stated: dict[int, list[tuple[float, float]]] = {}
    for number, window in enumerate(header.items("EnergyWindowInformationSequence"), 1):
        for span in window.items("EnergyWindowRangeSequence"):
            low, high = span.number("EnergyWindowLowerLimit"), span.number("EnergyWindowUpperLimit")
            if number in used and low is not None and high is not None and 0 < low < high:
                stated.setdefault(number, []).append((low, high))
    peaks = {
        number for number, spans in stated.items() if any(low <= TC99M_KEV <= high for low, high in spans)
    }
    if set(stated) == used and not peaks:
        shown = ", ".join(f"{low:g} to {high:g} keV" for spans in stated.values() for low, high in spans)
        raise InputError(
            subject,
            f"its energy window ({shown}) does not hold the photopeak of technetium-99m, {TC99M_KEV} keV",
            "give the photopeak images",
        )
    if len(used) == 1:
        return frames
    if len(peaks) != 1:
        raise InputError(
            subject,
            f"it holds {len(used)} energy windows and nothing says which one is the photopeak",
            "export the photopeak images alone",
        )
    return tuple(frame for frame in frames if frame.energy_window in peaks)
