"""Keep what identifies a patient out of everything we print or write."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from itertools import permutations
from pathlib import PurePath

MASK = "[removed]"
_MIN_TOKEN_LENGTH = 3
_GROUPED_FROM = 6  # digits: 77 88 990; shorter ones would be found in ordinary numbers
# Words that stand in name fields of anonymised files and mean nobody.
_HARMLESS = {"anon", "anonymous", "anonymized", "anonymised", "unknown", "none", "patient", "test", "phantom"}
_GAP = r"[\W_]*"
# Letters that Unicode does not take apart, and how umlauts are written out.
_LETTERS = str.maketrans({"ß": "ss", "ø": "o", "æ": "ae", "œ": "oe", "ł": "l", "đ": "d", "ı": "i"})
_WRITTEN_OUT = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ø": "oe", "å": "aa"})
# How the names of the months begin, in English, French, German and Spanish, without accents.
_MONTHS = (
    "jan|ene feb|fev mar|mrz|maer apr|avr|abr may|mai jun|juin "
    "jul|juil aug|aou|ago sep oct|okt nov dec|dez|dic"
)
_ROMAN = ["i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix", "x", "xi", "xii"]
_ORDINAL = r"(?:st|nd|rd|th|er)?"  # 12th, 1er
_OF = r"(?:(?:de|of)[\W_]+)?"  # 12 de abril de 1961
# What may be a date: year first or last, the month in letters, or eight digits at a stretch.
_A_DATE = re.compile(
    r"(?<![^\W_])(?:(?:19|20)\d{2}[-./_ ]\d{1,2}[-./_ ]\d{1,2}|\d{1,2}[-./_ ]\d{1,2}[-./_ ](?:19|20)\d{2}"
    r"|\d{1,2}([-./_])\d{1,2}\1\d{2}|\d\d \d\d \d\d|\d{8}(?:\d{6})?"
    rf"|\d{{1,4}}{_ORDINAL}[\W_]*{_OF}[^\W\d_]{{3,}}[\W_]*{_OF}\d{{1,4}}(?:\W+\d{{4}})?"
    rf"|[^\W\d_]{{3,}}[\W_]*\d{{1,2}}{_ORDINAL}\W+\d{{4}})(?!\d)"
)


@dataclass(frozen=True)
class Redactor:
    """Masks known identifying words in any text, with or without accents; dates in any usual writing.

    Build one from the identifying values of a file, then pass every text through it that came from
    the file or from its path.

    Attributes
    ----------
    tokens : frozenset of str
        Words of three characters and longer, in lower case, masked wherever they stand.
    short_names : frozenset of (str, str)
        Family and given name where one of them has fewer than three letters: masked where both stand side by
        side, in either order, and each alone where it is a word of a file name.

    Examples
    --------
    >>> Redactor.from_values(["DUPONT^JEANNE", "19610203"]).clean("scans/dupont_3-2-1961/pool.dcm")
    'scans/[removed]_[removed]/pool.dcm'
    """

    tokens: frozenset[str] = frozenset()
    short_names: frozenset[tuple[str, str]] = frozenset()

    @classmethod
    def from_values(cls, values: Iterable[object]) -> Redactor:
        """Collect the words of identifying values: names of persons, record numbers, birth dates."""
        tokens: set[str] = set()
        short_names: set[tuple[str, str]] = set()
        for value in values:
            text = unicodedata.normalize("NFC", str(value or "").strip().lower())
            for token in (text, *re.split(r"[\s^=,;._/\\-]+", text)):
                if len(token) >= _MIN_TOKEN_LENGTH and token not in _HARMLESS:
                    tokens |= {token, _fold(token), _fold(token.translate(_WRITTEN_OUT))}
            tokens |= {f"{day:%Y%m%d}" for day in _dates_in(text)}
            names = [part for part in re.split(r"[\^,]|\s+" if "^" not in text else r"\^", text) if part]
            if len(names) >= 2 and min(map(len, names[:2])) < _MIN_TOKEN_LENGTH <= len("".join(names[:2])):
                short_names.add((_fold(names[0]), _fold(names[1])))
        return cls(frozenset(tokens), frozenset(short_names))

    def __or__(self, other: Redactor) -> Redactor:
        return Redactor(self.tokens | other.tokens, self.short_names | other.short_names)

    @cached_property
    def _patterns(self) -> tuple[str, ...]:
        """Regular expressions over folded text, those that match most first."""
        dates = [pattern for token in sorted(self.tokens) for pattern in _date_patterns(token)]
        pairs = [
            rf"(?<![a-z]){re.escape(first)}{_GAP}{re.escape(second)}(?![a-z])"
            for names in sorted(self.short_names)
            for first, second in permutations(names)
        ]
        words = sorted({_fold(token) for token in self.tokens}, key=lambda token: (-len(token), token))
        return (*dates, *pairs, *map(_word_pattern, words))

    def clean(self, text: str) -> str:
        """Return `text` with every known identifying word masked, whatever its case and accents."""
        return _masked(text, self._patterns)

    def label(self, path: str | PurePath) -> str:
        """Return the last part of a path, cleaned: how Sudeck names a file in anything it writes."""
        alone = {name for names in self.short_names for name in names if len(name) < _MIN_TOKEN_LENGTH}
        words = tuple(rf"(?<![a-z]){re.escape(name)}(?![a-z])" for name in sorted(alone) if len(name) > 1)
        return _masked(PurePath(path).name, (*self._patterns, *words))


def without_dates(text: str, instead: str) -> str:
    """Return a text with something else for every date in it, whosever it is.

    Examples
    --------
    >>> without_dates("RFDI 12-04-1961, 3 ms", "*")
    'RFDI *, 3 ms'
    >>> without_dates("100 ms", "*"), without_dates("1961apr12", "*")
    ('100 ms', '*')
    """
    return _A_DATE.sub(lambda match: instead if _dates_in(_fold(match[0])) else match[0], text)


def _word_pattern(word: str) -> str:
    """Return the pattern of a word; the digits of a long number may be written in groups."""
    gap = "[-./_ ]?" if len(word) >= _GROUPED_FROM and word.isdecimal() else ""
    return gap.join(map(re.escape, word)) if gap else re.escape(word)


def _masked(text: str, patterns: tuple[str, ...]) -> str:
    if not patterns:
        return text
    letters = [_fold(letter) for letter in text]
    places = [place for place, folded in enumerate(letters) for _ in folded]
    parts, end = [], 0
    for match in re.finditer("|".join(patterns), "".join(letters)):
        if match.end() == match.start():
            continue
        parts += [text[end : places[match.start()]], MASK]
        end = places[match.end() - 1] + 1
        while end < len(text) and not letters[end]:  # an accent of its own belongs to the letter before
            end += 1
    return "".join((*parts, text[end:]))


def _fold(text: str) -> str:
    """Return text in lower case without accents and without letters that nobody sees (soft hyphens)."""
    apart = unicodedata.normalize("NFKD", text.lower().translate(_LETTERS))
    return "".join(
        letter
        for letter in apart
        if not unicodedata.combining(letter) and unicodedata.category(letter) != "Cf"
    )


def _dates_in(text: str) -> list[date]:
    """Return the dates a value can mean when it is nothing but a date."""
    text = re.sub(r"(?<=\d)(?:st|nd|rd|th|er)\b", "", re.sub(r"\b(?:de|of)\b", " ", text))
    orders: list[tuple[str, str, str]] = []  # year, month, day
    if match := re.fullmatch(r"(\d{4})[-./_ ]?(\d{1,2})[-./_ ]?(\d{1,2})(?:[t ].*|\d{6})?", text):
        orders.append((match[1], match[2], match[3]))
    if match := re.fullmatch(r"(\d{1,2})[-./_ ](\d{1,2})[-./_ ](\d{4}|\d{2})(?:[t ].*)?", text):
        orders += [(match[3], match[2], match[1]), (match[3], match[1], match[2])]
    if match := re.fullmatch(r"(\d{2})(\d{2})(\d{4})", text):
        orders += [(match[3], match[2], match[1]), (match[3], match[1], match[2])]
    if match := re.fullmatch(rf"(\d{{1,2}}){_GAP}([^\W\d_]{{3,}}){_GAP}(\d{{4}}|\d{{2}})", text):
        orders.append((match[3], _month_number(match[2]), match[1]))
    if match := re.fullmatch(rf"([^\W\d_]{{3,}}){_GAP}(\d{{1,2}})\W+(\d{{4}})", text):
        orders.append((match[3], _month_number(match[1]), match[2]))
    if match := re.fullmatch(rf"(\d{{4}}){_GAP}([^\W\d_]{{3,}}){_GAP}(\d{{1,2}})", text):
        orders.append((match[1], _month_number(match[2]), match[3]))
    found = []
    for year, month, day in orders:
        centuries = (year,) if len(year) == 4 else (f"19{year}", f"20{year}")
        for full in centuries:
            try:
                found.append(date(int(full), int(month), int(day)))
            except ValueError:
                continue
    return found


def _month_number(name: str) -> str:
    """Return the number of a month by how its name begins; 0 where it names none."""
    begins = _fold(name)
    for number, ways in enumerate(_MONTHS.split(), start=1):
        if any(begins.startswith(way) for way in ways.split("|")):
            return str(number)
    return "0"


def _date_patterns(token: str) -> list[str]:
    """Return patterns for the writings of a date that stands among the tokens as YYYYMMDD."""
    if not re.fullmatch(r"(19|20)\d{6}", token) or not _dates_in(token):
        return []
    year, month, day = token[:4], token[4:6], token[6:]
    numbers = (f"(?:{year[:2]})?{year[2:]}", f"0?{int(month)}", f"0?{int(day)}")
    place = int(month) - 1
    named = f"{_OF}(?:(?:{_MONTHS.split()[place]})[a-z]*|{_ROMAN[place]})"
    y, m, d = numbers
    y, d = rf"{_OF}{y}", d + _ORDINAL
    orders = ((y, m, d), (d, m, y), (m, d, y), (d, named, y), (named, d, y), (y, named, d))
    solid = [f"{year}{month}{day}", f"{day}{month}{year}", f"{month}{day}{year}"]
    short = [year[2:] + month + day, day + month + year[2:], month + day + year[2:]]
    spaced = [r"[\W_]{1,2}".join(order) for order in orders] + ["".join(order) for order in orders[3:]]
    return solid + [rf"(?<![a-z\d])(?:{writing})(?!\d)" for writing in (*spaced, *short)]
