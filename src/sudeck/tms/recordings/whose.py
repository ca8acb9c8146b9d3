"""Whose recording a file is, and of which visit: what its name and its folders say in the words of BIDS."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from sudeck.core.privacy import MASK
from sudeck.tms.signals.trials import AmplitudeTable, TrialSet

_Sweeps = TypeVar("_Sweeps", bound=TrialSet | AmplitudeTable)

# BIDS entities: letters and digits only, so that what follows an underscore or a slash is another entity.
_ENTITY = {"sub": re.compile(r"(?:^|_)(sub-[0-9A-Za-z]+)"), "ses": re.compile(r"(?:^|_)ses-([0-9A-Za-z]+)")}


def person_and_visit(path: Path) -> tuple[str, str]:
    """Return the participant and the visit that a path names; empty where it names none.

    The name of the file goes before its folders, the nearest folder before those above.

    Examples
    --------
    >>> person_and_visit(Path("sub-01/ses-pre/emg/sub-01_ses-pre_task-sici_emg.edf"))
    ('sub-01', 'pre')
    >>> person_and_visit(Path("left_M1.vhdr"))
    ('', '')
    """
    found = []
    for pattern in _ENTITY.values():
        matches = (pattern.search(part) for part in reversed(path.parts))
        found.append(next((match.group(1) for match in matches if match), ""))
    return found[0], found[1]


def with_person_and_visit(item: _Sweeps, path: Path, *, participant: str = "", visit: str = "") -> _Sweeps:
    """Write participant and visit into the pulses that have none: as stated, else as the path has it.

    A name that had to be masked in the label of the file names nobody.
    """
    person, session = person_and_visit(path.absolute())
    if person and person in path.name and MASK in item.source.label and person not in item.source.label:
        person = ""
    person, session = participant or person, visit or session
    if isinstance(item, AmplitudeTable):
        person = item.participant or person
    pulses = tuple(
        replace(pulse, participant=pulse.participant or person, visit=pulse.visit or session)
        for pulse in item.pulses
    )
    return replace(item, pulses=pulses)
