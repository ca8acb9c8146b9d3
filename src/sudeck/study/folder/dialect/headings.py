"""What people write above a column: five languages, any case, units in brackets, a visit in each heading."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

from sudeck.study.folder.dialect.heading_words import HEADINGS
from sudeck.study.folder.dialect.wordings import day_of_visit, folded

_HUNDRED: Final = frozenset({"mm", "0_100", "100"})
# What may stand in brackets, or behind: another unit than ours is another column.
_UNITS: Final[Mapping[str, frozenset[str]]] = {
    "age": frozenset(["years", "year", "yrs", "y", "ans", "an", "jahre", "j", "anos", "jaar"]),
    "duration_months": frozenset(
        ["months", "month", "mo", "mois", "monate", "monat", "meses", "mes", "maanden", "maand"]
    ),
    "weight_kg": frozenset({"kg"}),
    "dose_mg": frozenset({"mg"}),
    "duration_h": frozenset(["h", "std", "stunden", "heures", "horas", "uur", "hours"]),
    **dict.fromkeys(("systolic_mmhg", "diastolic_mmhg"), frozenset({"mmhg", "mm_hg"})),
    "heart_rate": frozenset(["1_min", "bpm", "min", "lpm", "batt_min", "schlage_min"]),
    "spo2_percent": frozenset({"percent"}),
    "nrs": _HUNDRED | {"nrs", "vas", "eva", "cm", "0_10", "10"},
}
# Words that say nothing without a unit.
_UNIT_NEEDED: Final[Mapping[str, tuple[str, ...]]] = {
    "weight": ("weight_kg",),
    **dict.fromkeys(("duration", "duree", "dauer", "duracion", "duur"), ("duration_months", "duration_h")),
    **dict.fromkeys(("dose", "dosis", "dosierung", "posologie"), ("dose_mg",)),
}
_VISUAL: Final = frozenset({"vas", "eva"})
_BRACKETS: Final = re.compile(r"^(?P<before>[^(\[]+)[(\[](?P<inside>[^)\]]*)[)\]]$")
_SCALE: Final = re.compile(r"(?P<before>[a-z_]+?)_(?P<inside>mm|cm|0_100|0_10|100|10)")
_ASKED: Final = frozenset(
    [
        "nrs",
        "vas",
        "eva",
        "en",
        "pain",
        "score",
        "scores",
        "douleur",
        "schmerz",
        "schmerzen",
        "dolor",
        "pijn",
        "at",
        "a",
        "am",
        "el",
        "la",
        "de",
    ]
)


def column_of(heading: str, columns: Sequence[str]) -> str:
    """Return the column a heading means, in whatever case or language; the heading itself if none.

    Examples
    --------
    >>> column_of("Poids (kg)", ["weight_kg"]), column_of("Weight (lb)", ["weight_kg"])
    ('weight_kg', 'Weight (lb)')
    """
    heading = heading.strip().lstrip("\ufeff").strip()
    ours = {name.casefold(): name for name in columns}
    plain, unit = _parted(heading)
    for text, inside in ((_joined(heading), ""), (plain, unit)):
        meant = [ours.get(text, ""), *HEADINGS.get(text, ()), *(_UNIT_NEEDED.get(text, ()) if inside else ())]
        for known in meant:
            if known in columns and (not inside or inside in _UNITS.get(known, ())):
                return known
    return heading


def visit_in(heading: str) -> str | None:
    """Return the name of the visit that heads a column of scores; None if it says none with its day.

    Examples
    --------
    >>> visit_in("EVA J5"), visit_in("Pain score (day 5)"), visit_in("dolor_basal"), visit_in("weight")
    ('J5', 'day 5', 'basal', None)
    """
    words = re.split(r"[\s_()\[\]:,;-]+", heading.strip().lstrip("\ufeff"))
    left = " ".join(word for word in words if word and folded(word) not in _ASKED)
    return left if left and day_of_visit(left) is not None else None


def says_hundred(heading: str) -> bool:
    """Tell whether a heading of scores says that its scale ends at 100: millimetres, or 0 to 100.

    Examples
    --------
    >>> says_hundred("VAS (mm)"), says_hundred("EVA J5"), says_hundred("Schmerz [0-100]")
    (True, False, True)
    """
    return _parted(heading)[1] in _HUNDRED or "mm" in _joined(heading).split("_")


def is_visual(heading: str) -> bool:
    """Tell whether a heading of scores names a visual scale, read in centimetres or in millimetres."""
    return bool(_VISUAL & set(_joined(heading).split("_")))


def _parted(heading: str) -> tuple[str, str]:
    """Return a heading and what stands in brackets at its end, both plain."""
    found = _BRACKETS.match(heading.strip())
    if found is not None:
        return _joined(found["before"]), _joined(found["inside"]) or found["inside"].strip()
    plain = _joined(heading)
    behind = _SCALE.fullmatch(plain)
    return (behind["before"], behind["inside"]) if behind else (plain, "")


def _joined(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", folded(text).replace("%", " percent ")).strip("_")
