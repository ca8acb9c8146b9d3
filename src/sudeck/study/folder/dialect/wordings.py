"""What people write in a table for what we call left, hand or CRPS I: five languages, and dates their way."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Final

_SIDES: Final = {
    "left": "l left lt gauche g links linke li izquierda izquierdo izq i sx sinistra",
    "right": "r right rt droit droite d rechts rechte re derecha derecho der dx destra",
}
# By column and value: words in English, French, German, Spanish, Dutch. What two languages mean differently
# (V: varón or vrouw) is in no list.
_WORDS: Final[Mapping[str, Mapping[str, str]]] = {
    "affected_side": _SIDES,
    "handedness": {
        "R": _SIDES["right"]
        + " droitier droitière rechtshänder rechtshänderin diestro diestra rechtshandig righthanded",
        "L": _SIDES["left"]
        + " gaucher gauchère linkshänder linkshänderin zurdo zurda z linkshandig lefthanded",
        "A": "a both ambidextrous ambidextre beidhändig ambidiestro ambidextro tweehandig",
    },
    "sex": {
        "F": "f female woman femme féminin feminin frau weiblich w mujer femenino femenina vrouw vrouwelijk",
        "M": "m male man homme h masculin mann männlich hombre varón varon masculino mannelijk",
        "O": "o other autre divers otro otra anders",
    },
    "limb": {
        "hand": "hand hands main mains hände haende mano manos handen "
        "upperlimb upperextremity membresupérieur ms superior miembrosuperior obereextremität",
        "foot": "foot feet pied pieds fuß füße fuesse pie pies voet voeten "
        "lowerlimb lowerextremity membreinférieur mi inferior miembroinferior untereextremität",
    },
    "crps_type": {
        "1": "1 i type1 typei typ1 typi tipo1 tipoi crps1 crpsi sdrc1 sdrci",
        "2": "2 ii type2 typeii typ2 typii tipo2 tipoii crps2 crpsii sdrc2 sdrcii",
        "NOS": "nos",
    },
    "drug": {
        "ketamine": "ketamin kétamine ketamina",
        "esketamine": "esketamin eskétamine esketamina sketamine sketamin skétamine sketamina",
        "arketamine": "arketamin arkétamine arketamina rketamine rketamin",
        "placebo": "plazebo",
        "lorazepam": "lorazépam",
        "clonidine": "clonidin clonidina",
        "magnesium": "magnésium magnesio",
        "lidocaine": "lidocaïne lidocain lidocaina",
        "other": "autre andere anderes otro otra",
    },
    "dose_form": {
        "hydrochloride": "hcl chlorhydrate hydrochlorid clorhidrato",
        "other": "autre andere otra",
    },
    "route": {
        "intravenous": "iv intraveineux intraveineuse intravenös intravenoes intravenoso intravenosa "
        "intraveneus perfusion infusion infusión",
        "intramuscular": "im intramusculaire intramuskulär intramusculair",
        "subcutaneous": "sc souscutané souscutanée subkutan subcutáneo subcutánea subcutaan",
        "oral": "po peros orale orally",
        "nasal": "nasale intranasal intranasale",
        "other": "autre andere otra",
    },
    "severity": {
        "mild": "léger légère leicht leve licht",
        "moderate": "modéré modérée mittel mittelschwer mäßig moderado moderada matig",
        "severe": "sévère schwer grave severo severa ernstig",
    },
    "action": {
        "none": "aucune aucun keine ninguna ninguno geen rien nichts nada",
        "treated": "traité traitée traitement behandelt behandlung tratado tratada tratamiento behandeld",
        "reduced": "réduit réduite reduziert reducido reducida verlaagd",
        "stopped": "arrêt arrêté arrêtée abgebrochen abgesetzt gestoppt suspendido suspendida gestopt",
    },
    "test": {
        "ALT": "alat gpt sgpt tgp",
        "AST": "asat got sgot tgo",
        "GGT": "ggt gammagt γgt",
        "ALP": "ap pal fa fal",
        "bilirubin": "bilirubine bilirrubina bilirubinetotale gesamtbilirubin",
        "creatinine": "kreatinin créatinine creatinina creatinin",
        "ketamine": "ketamin kétamine ketamina",
        "norketamine": "norketamin norkétamine norketamina",
        "other": "autre andere otro",
    },
}
_IDENTIFIER: Final = re.compile(r"(?:(?i:sub)[-_ ]?)?([A-Za-z]{1,3}(?=[-_ ]?\d))?[-_ ]?(\d{1,3})")
_DAY_FIRST: Final = re.compile(r"(\d{1,2})([./-])(\d{1,2})\2(\d{4})")
_SPAN: Final = (
    r"(?P<{0}>days?|jours?|tage?|dias?|dag(?:en)?|weeks?|semaines?|wochen?|semanas?|weken|week|months?|mois|"
    r"monate?|mes(?:es)?|maand(?:en)?|d|j|w|s|m)"
)
_VISIT_DAY: Final = re.compile(
    rf"{_SPAN.format('unit')}[ _.-]*(?P<number>\d{{1,3}})|(?P<count>\d{{1,3}})[ _.-]*{_SPAN.format('behind')}"
)
_BASELINE: Final = frozenset(
    [
        "baseline",
        "base",
        "basal",
        "pre",
        "before",
        "avant",
        "vorher",
        "antes",
        "inclusion",
        "ausgang",
        "ausgangswert",
        "basislijn",
    ]
)
_DAYS_OF: Final = {"w": 7, "s": 7, "m": 30}


def folded(text: str) -> str:
    """Return a text without accents and case, as words are compared.

    Examples
    --------
    >>> folded(" Côté "), folded("Fuß")
    ('cote', 'fuss')
    """
    apart = unicodedata.normalize("NFKD", text.strip().casefold())
    return "".join(sign for sign in apart if not unicodedata.combining(sign))


_MEANING: Final[Mapping[str, Mapping[str, str]]] = {
    column: {folded(word): value for value, words in values.items() for word in words.split()}
    for column, values in _WORDS.items()
}


def meaning(column: str, text: str) -> str | None:
    """Return the value that a word stands for in a column of choices; None where it is not known.

    Examples
    --------
    >>> meaning("affected_side", "Gauche"), meaning("crps_type", "Type I"), meaning("sex", "V")
    ('left', '1', None)
    """
    return _MEANING.get(column, {}).get(re.sub(r"[\s_.-]+", "", folded(text)))


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
    plain = folded(heading)
    if plain in _BASELINE:
        return 0
    found = _VISIT_DAY.fullmatch(plain)
    if found is None:
        return None
    unit, number = found["unit"] or found["behind"], found["number"] or found["count"]
    return int(number) * _DAYS_OF.get(unit[0], 1)
