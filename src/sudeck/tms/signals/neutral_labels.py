"""Labels of channels, markers and conditions that may name a person, and what is printed in their place."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from hashlib import sha256
from html import escape
from typing import Any, Final

from sudeck.core.privacy import without_dates
from sudeck.tms.signals.label_words import LONGEST_NUMBER, is_code, is_of_the_field
from sudeck.tms.signals.muscles import muscle_and_side

# A record number in groups (77 88 990); intensities and intervals side by side (80 120 10) are all small.
_GROUPED: Final = re.compile(r"(?<![\w.,])\d{1,5}([ ./_-])\d{1,5}(?:\1\d{1,5})*(?![\w.,]?\d)")
_GROUPED_DIGITS, _LARGEST_SETTING = 7, 200
# A pseudonym has no blank or comma between two words.
_TWO_NAMES = re.compile(r"[^\W\d_]{2,}[ ,.]+[^\W\d_]{2,}")


def plain_name(name: str) -> str:
    """Return a name without its blanks and in lower case: amplifiers pad labels, people do not.

    Examples
    --------
    >>> plain_name("S  1") == plain_name("s1")
    True
    """
    return "".join(name.lower().split())


def reduced(label: str, allowed: Iterable[str] = ()) -> str:
    """Return a label with a star for every word that is none of the field, or the label itself.

    Examples
    --------
    >>> reduced("R FDI Dupont"), reduced("S  17"), reduced("stim 04121961"), reduced("TA-CL-RMS")
    ('R FDI *', 'S  17', 'stim *', 'TA-CL-RMS')
    >>> reduced("FDI 77 88 990"), reduced("FDI 80 120 10"), reduced("stim 778-8990")
    ('FDI *', 'FDI 80 120 10', 'stim *')
    """
    others = frozenset(word.lower() for name in allowed for word in (name, *re.findall(r"[^\W\d_]+", name)))
    unnumbered = _GROUPED.sub(_without_number, without_dates(label, " * "))
    pieces = re.findall(r"[^\W\d_]+|\d[\d.,]*|[.,]\d+|\*", unnumbered)
    muscle, kept = muscle_and_side(label)[0] is not None, []
    for index, piece in enumerate(pieces):
        after = pieces[index + 1] if index + 1 < len(pieces) else ""
        if piece == "*" or piece[0] in ".,0123456789":
            known = piece != "*" and sum(letter.isdigit() for letter in piece) <= LONGEST_NUMBER
        else:
            known = is_of_the_field(piece, others, beside_muscle=muscle) or (
                after[:1].isdigit() and is_code(piece, after)
            )
        kept.append(piece if known else "*")
    if "*" not in kept:
        return label
    return re.sub(r"\*( \*)+", "*", " ".join(kept))


def _without_number(match: re.Match[str]) -> str:
    groups = re.findall(r"\d+", match[0])
    whole = sum(map(len, groups)) >= _GROUPED_DIGITS and max(map(int, groups)) > _LARGEST_SETTING
    return " * " if whole else match[0]


def quoted(text: str, most: int = 20) -> str:
    """Return the cell of a table as a message may quote it: dots for every word that may be a name.

    Examples
    --------
    >>> quoted("1.2 mV"), quoted("Mrs Dupont moved")
    ("'1.2 mV'", "'…'")
    """
    return repr(reduced(text).replace("*", "…")[:most])


def neutral_labels(labels: Iterable[str], *, allowed: Iterable[str] = ()) -> dict[str, str]:
    """Return what to print instead of each label that may name a person.

    Words that are none of the field become ``*``; labels that were two stay two.

    Parameters
    ----------
    labels : iterable of str
        As the recordings give them.
    allowed : iterable of str
        Words the study itself uses: its muscles.

    Examples
    --------
    >>> neutral_labels(["RFDI Dupont", "RFDI", "S 17", "Jeanne", "Dupont 04121961"])
    {'RFDI Dupont': 'RFDI *', 'Jeanne': '*', 'Dupont 04121961': '* 2'}
    """
    words = tuple(allowed)
    instead: dict[str, str] = {}
    taken: dict[str, int] = {}
    for label in dict.fromkeys(filter(None, labels)):
        kept = reduced(label, words)
        if kept != label:
            number = taken[kept] = taken.get(kept, 0) + 1
            instead[label] = kept if number == 1 else f"{kept} {number}"
    return instead


def stand_ins(
    labels: Iterable[str],
    *,
    letter: str,
    allowed: Iterable[str] = (),
    named: Iterable[str] = (),
    masked: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """Return a label of the field for each that may name a person: its own words of the field, or a number.

    Parameters
    ----------
    labels : iterable of str
        In order of the file: the third becomes ``"channel 3"`` where none of its words is kept.
    letter : str
        What a label without words of the field is called: ``"channel"``, ``"marker"``.
    allowed : iterable of str
        Words that are known besides.
    named : iterable of str
        Labels that a person named in a protocol or on the command line: these stay.
    masked : Mapping of str to str, optional
        Labels with a star for what is known to name a person.

    Returns
    -------
    dict
        Of the labels that do not stay. Labels that were two stay two.

    Examples
    --------
    >>> stand_ins(["R FDI Dupont", "S  1", "Jeanne", "RFDI", "Dupont TMS"], letter="channel")
    {'R FDI Dupont': 'R FDI 2', 'Jeanne': 'channel 3', 'Dupont TMS': 'TMS'}
    >>> stand_ins(["Jeanne"], letter="channel", named=["jeanne"])
    {}
    """
    given, words = [label for label in dict.fromkeys(labels) if label], tuple(allowed)
    stated = {plain_name(name) for name in named}
    known = {label: (masked or {}).get(label, label) for label in given}
    kept = {label: label if plain_name(label) in stated else reduced(known[label], words) for label in given}
    taken = {plain_name(label) for label in given if kept[label] == label}
    instead = {}
    for place, label in enumerate(given, start=1):
        if kept[label] == label:
            continue
        best = " ".join(piece for piece in kept[label].split() if piece != "*")
        numbered = (f"{best or letter} {n}" for n in range(2, 2 * len(given) + 2))
        choices = (best or f"{letter} {place}", *numbered)
        instead[label] = next(name for name in choices if plain_name(name) not in taken)
        taken.add(plain_name(instead[label]))
    return instead


def visit_stand_ins(visits: Iterable[str], *, named: Iterable[str] = ()) -> dict[str, str]:
    """Return what to call each visit that may name a person, in every file alike.

    Visits of several files that are called alike are one. So each gets a number that its name has in every
    file: two people typed into two files stay two visits. From four digits nobody finds the name.

    Examples
    --------
    >>> visit_stand_ins(["pre", "Week 4", "Follow-up", "V1", "Jeanne Dupont", "Dupont pre"])
    {'Jeanne Dupont': 'visit 3564', 'Dupont pre': 'pre 3393'}
    """
    stated = {plain_name(name) for name in named}
    instead = {}
    for visit in dict.fromkeys(filter(None, visits)):
        kept = reduced(visit)
        if kept != visit and plain_name(visit) not in stated:
            best = " ".join(piece for piece in kept.split() if piece != "*")
            number = int(sha256(plain_name(visit).encode()).hexdigest(), 16) % 10_000
            instead[visit] = f"{best or 'visit'} {number:04d}"
    return instead


def people_numbered(people: Iterable[str]) -> dict[str, str]:
    """Return a number for each participant where any is written as people are: with two names.

    Examples
    --------
    >>> people_numbered(["p01", "p02"]), people_numbered(["Jeanne Dupont", "p02"])
    ({}, {'Jeanne Dupont': '1', 'p02': '2'})
    """
    given = [person for person in dict.fromkeys(people) if person]
    if not any(_TWO_NAMES.search(person) and "*" in reduced(person) for person in given):
        return {}
    return {person: str(number) for number, person in enumerate(given, start=1)}


def neutralise(content: Any, instead: Mapping[str, str]) -> Any:
    """Return JSON-ready content, or the text of a page, with every such label or name replaced."""
    if not instead:
        return content
    written = {form: other for name, other in instead.items() for form in (escape(name), name)}
    # Whole words only: a label may be a piece of a word of ours. The longest first: it may hold another.
    forms = "|".join(map(re.escape, sorted(written, key=len, reverse=True)))
    anywhere = re.compile(rf"(?<!\w)(?:{forms})(?!\w)")
    return _replaced(content, partial(anywhere.sub, lambda found: written[found[0]]))


def _replaced(content: Any, plain: Callable[[str], str]) -> Any:
    if isinstance(content, str):
        return plain(content)
    if isinstance(content, Mapping):
        # A key that is a plain word is ours, whatever somebody called a channel.
        return {
            key if key.isidentifier() else plain(key): _replaced(value, plain)
            for key, value in content.items()
        }
    if isinstance(content, list | tuple):
        return [_replaced(value, plain) for value in content]
    return content
