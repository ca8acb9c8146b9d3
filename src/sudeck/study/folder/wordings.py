"""What people write in a table for what we call left, hand or CRPS I: five languages, and dates their way."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Final

_SIDES: Final = {
    "left": "l left gauche g links linke izquierda izquierdo izq i sx sinistra",
    "right": "r right droit droite d rechts rechte derecha derecho der dx destra",
}
# By column and value: words in English, French, German, Spanish, Dutch. What two languages mean differently
# (V: varón or vrouw) is in no list.
_WORDS: Final[Mapping[str, Mapping[str, str]]] = {
    "affected_side": _SIDES,
    "handedness": {
        "R": _SIDES["right"] + " droitier droitière rechtshänder rechtshänderin diestro diestra rechtshandig",
        "L": _SIDES["left"] + " gaucher gauchère linkshänder linkshänderin zurdo zurda z linkshandig",
        "A": "a both ambidextrous ambidextre beidhändig ambidiestro ambidextro tweehandig",
    },
    "sex": {
        "F": "f female woman femme féminin feminin frau weiblich w mujer femenino femenina vrouw vrouwelijk",
        "M": "m male man homme h masculin mann männlich hombre varón varon masculino mannelijk",
        "O": "o other autre divers otro otra anders",
    },
    "limb": {
        "hand": "hand hands main mains hände haende mano manos handen",
        "foot": "foot feet pied pieds fuß fuss füße fuesse pie pies voet voeten",
    },
    "crps_type": {
        "1": "1 i type1 typei typ1 typi tipo1 tipoi crps1 crpsi sdrc1 sdrci",
        "2": "2 ii type2 typeii typ2 typii tipo2 tipoii crps2 crpsii sdrc2 sdrcii",
        "NOS": "nos",
    },
}
_MEANING: Final[Mapping[str, Mapping[str, str]]] = {
    column: {word: value for value, words in values.items() for word in words.split()}
    for column, values in _WORDS.items()
}
_HEADINGS: Final[Mapping[str, str]] = {
    heading: column
    for column, headings in {
        "participant_id": "patient id patient_id participant pseudonym pseudonyme code",
        "age": "alter edad leeftijd âge",
        "sex": "sexe geschlecht sexo geslacht gender",
        "handedness": "latéralité lateralite händigkeit lateralidad handvoorkeur",
        "crps_type": "type typ type_sdrc sdrc_type crps",
        "limb": "membre extremität extremidad ledemaat",
        "affected_side": "side côté cote côté_atteint seite lado zijde",
        "onset_date": "date_debut début debut beginn inicio onset",
        "duration_months": "durée_mois duree_mois dauer_monate duración_meses duracion_meses duur_maanden",
        "weight_kg": "poids poids_kg gewicht gewicht_kg peso peso_kg",
        "visit": "visite visita bezoek besuch",
        "day": "jour tag día dia dag",
        "nrs": "douleur schmerz dolor pijn pain",
    }.items()
    for heading in headings.split()
}
_IDENTIFIER: Final = re.compile(r"(?:sub[-_ ]?)?([A-Za-z]{1,3}(?=[-_ ]?\d))?[-_ ]?(\d{1,3})")
_DAY_FIRST: Final = re.compile(r"(\d{1,2})([./-])(\d{1,2})\2(\d{4})")
_VISIT_DAY: Final = re.compile(
    r"(day|jour|tag|dia|día|dag|d|j|week|semaine|woche|semana|w|s|month|mois|monat|mes|m)[ _-]?(\d{1,3})",
    re.IGNORECASE,
)
_BASELINE: Final = frozenset({"baseline", "base", "pre", "before", "avant", "vorher", "antes", "inclusion"})
_DAYS_OF: Final = {"w": 7, "s": 7, "m": 30}


def meaning(column: str, text: str) -> str | None:
    """Return the value that a word stands for in a column of choices; None where it is not known.

    Examples
    --------
    >>> meaning("affected_side", "Gauche"), meaning("crps_type", "Type I"), meaning("sex", "V")
    ('left', '1', None)
    """
    known = _MEANING.get(column, {})
    word = text.strip().casefold().rstrip(".")
    if column == "crps_type":
        word = re.sub(r"[\s_-]+", "", word)
    return known.get(word) or known.get(text.strip().lower())


def column_of(heading: str, columns: Sequence[str]) -> str:
    """Return the column a heading means, in whatever case or language; the heading itself if none."""
    plain = re.sub(r"[\s-]+", "_", heading.strip().lower())
    if plain in columns:
        return plain
    known = _HEADINGS.get(plain, "")
    return known if known in columns else heading.strip()


def pseudonym_of(text: str) -> str | None:
    """Return a pseudonym written without its ``sub-``; None for what may be a name or a record number.

    Examples
    --------
    >>> pseudonym_of("P01"), pseudonym_of("007"), pseudonym_of("Dupont"), pseudonym_of("00123456")
    ('sub-P01', 'sub-007', None, None)
    """
    found = _IDENTIFIER.fullmatch(text.strip())
    return f"sub-{found[1] or ''}{found[2]}" if found else None


def day_first(text: str) -> date | None:
    """Return a date written day, month, year; None if it is none."""
    found = _DAY_FIRST.fullmatch(text.strip())
    if found is None:
        return None
    try:
        return date(int(found[4]), int(found[3]), int(found[1]))
    except ValueError:
        return None


def is_month_first(text: str) -> bool:
    """Tell whether a date can only be one with the month before the day."""
    found = _DAY_FIRST.fullmatch(text.strip())
    return found is not None and int(found[3]) > 12 >= int(found[1])


def has_order(text: str) -> bool:
    """Tell whether a date is written with slashes, so that a reader must know which comes first."""
    return "/" in text and _DAY_FIRST.fullmatch(text.strip()) is not None


def contradictions(column: str, texts: Sequence[str]) -> Iterator[str]:
    """Yield why the words of a column can not be told apart, looking at all of them together."""
    words = {text.strip().casefold() for text in texts}
    # Where a word for women stands beside them, M can only be a man.
    if column == "sex" and {"h", "m"} <= words and "F" not in {meaning("sex", word) for word in words}:
        yield "H and M stand in one column: M may be mujer; write F and M"
    if any(map(is_month_first, texts)):
        yield "a date has its month first, others can not be told; write YYYY-MM-DD"


def day_of_visit(heading: str) -> int | None:
    """Return the day of the study that the name of a visit says.

    Examples
    --------
    >>> day_of_visit("Baseline"), day_of_visit("day 5"), day_of_visit("J5"), day_of_visit("week 4")
    (0, 5, 5, 28)
    """
    if heading.strip().casefold() in _BASELINE:
        return 0
    found = _VISIT_DAY.fullmatch(heading.strip())
    return None if found is None else int(found[2]) * _DAYS_OF.get(found[1][0].lower(), 1)
