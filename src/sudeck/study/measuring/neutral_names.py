"""File names and labels that may name a person, and what is printed in their place.

Import gives files neutral names. Whoever puts files into a study by hand may keep names such as
``surname_firstname.dcm``, and measurements name the files they rest on. Amplifiers let people type anything
into the label of a channel or of a marker, and trials are named by them.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from html import escape
from pathlib import Path
from typing import Any, Final

from sudeck.core.privacy import without_dates
from sudeck.tms.signals.muscles import muscle_and_side

# Words that name no one: what scans and recordings are called.
_WORDS: Final = """
flow pool blood delayed and vascular tissue bone late early phase static dynamic copy image img im file
note notes scan scint nm dcm dicom ima emg tms task trials run epochs events sub ses pre post csv tsv txt
edf bdf vhdr mat smr cfs xlsx npz npy hemi left right hand hands foot feet rest active single paired sici
icf lici ihi csp rmt amt recruitment
"""
_NEUTRAL: Final = frozenset(_WORDS.split())
# What import adds: the time of day before, a piece of a hash after.
_IMPORTED: Final = re.compile(r"^\d{6}_(.+)_[0-9a-f]{6}(\.dcm)$")
_LONGEST_NUMBER: Final = 5  # digits; longer ones are dates and record numbers
# What channels, markers and conditions are called; muscles and sides are known besides.
_LABEL_WORDS: Final = """
emg ch chan channel chn adc ai input analog aux ref raw filt mv uv trig trigger ttl stim stimulus pulse marker
event status digital magstim magpro bistim coil cs ts test conditioning conditioned unconditioned control
baseline base block condition cond state session visit day week month s t c r l lh rh m1 pa ap lm spulse
ppulse sp pp isp mep io curve low mid high ms mso percent only relaxed contraction hemisphere ipsi contra ihi
stimulation none unknown on off start end go x y z iti isi before after dose arm leg in at of sicf muscle
"""
_LABELS: Final = frozenset(_LABEL_WORDS.split())


def neutral_names(paths: Iterable[Path], participant_id: str) -> dict[str, str]:
    """Return what to print instead of each file name that may name a person.

    Parameters
    ----------
    paths : iterable of Path
        The files of one session, in their order.
    participant_id : str
        The pseudonym, which may stand in a name.

    Examples
    --------
    >>> neutral_names([Path("01_flow.dcm"), Path("DUPONT_pool.dcm")], "sub-001")
    {'DUPONT_pool.dcm': 'file-2.dcm'}
    """
    instead = {}
    for number, path in enumerate(paths, start=1):
        text = _IMPORTED.sub(r"\1\2", path.name.lower()).replace(participant_id.lower(), "")
        words = set(re.findall(r"[^\W\d_]+", text))
        long_numbers = [digits for digits in re.findall(r"\d+", text) if len(digits) > _LONGEST_NUMBER]
        if long_numbers or not words <= _NEUTRAL or without_dates(text, "") != text:
            suffix = path.suffix if path.suffix.lower().removeprefix(".") in _NEUTRAL else ""
            instead[path.name] = f"file-{number}{suffix}"
    return instead


def neutral_labels(labels: Iterable[str], *, allowed: Iterable[str] = ()) -> dict[str, str]:
    """Return what to print instead of each label of a channel, marker or condition that may name a person.

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
    known = _LABELS | _NEUTRAL | {word.lower() for word in allowed}
    instead: dict[str, str] = {}
    taken: dict[str, int] = {}
    for label in dict.fromkeys(filter(None, labels)):
        kept = " ".join(
            piece if _is_known(piece, known) else "*"
            for piece in re.findall(r"[^\W\d_]+|[\d.,]+|\*", without_dates(label, " * "))
        )
        reduced = re.sub(r"\*( \*)+", "*", kept)
        if "*" in reduced:
            number = taken[reduced] = taken.get(reduced, 0) + 1
            instead[label] = reduced if number == 1 else f"{reduced} {number}"
    return instead


def _is_known(piece: str, known: Collection[str]) -> bool:
    if piece[0].isdigit() or piece[0] in ".,":
        return len(piece) <= _LONGEST_NUMBER
    return piece.lower() in known or muscle_and_side(piece)[0] is not None


def neutralise(content: Any, instead: Mapping[str, str]) -> Any:
    """Return JSON-ready content, or the text of a page, with every such name replaced."""
    if not instead:
        return content
    if isinstance(content, str):
        for name, other in sorted(instead.items(), key=lambda pair: -len(pair[0])):
            for written in dict.fromkeys((name, escape(name))):
                # Whole words only: a label may be a piece of a word of ours.
                content = re.sub(rf"(?<!\w){re.escape(written)}(?!\w)", other.replace("\\", ""), content)
        return content
    if isinstance(content, Mapping):
        # A key that is a plain word is ours, whatever somebody called a channel.
        return {
            key if key.isidentifier() else neutralise(key, instead): neutralise(value, instead)
            for key, value in content.items()
        }
    if isinstance(content, list | tuple):
        return [neutralise(value, instead) for value in content]
    return content
