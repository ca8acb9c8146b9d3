"""File names that may name a person, and what is printed in their place.

Import gives files neutral names. Whoever puts files into a study by hand may keep names such as
``surname_firstname.dcm``, and measurements name the files they rest on.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from sudeck.core.privacy import without_dates

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
