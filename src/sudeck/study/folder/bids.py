"""What BIDS asks of a study folder, and how the study keeps to it while it fills.

BIDS wants a folder ``sub-…`` for every row of participants.tsv. Recordings before conversion and scans lie
in ``sourcedata``, so many of these folders are empty; and a study nobody was entered into has none, so until
then its table is left out by ``.bidsignore``.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from sudeck.core.storage import write_text
from sudeck.study.folder.layout import StudyFolder, is_patient

# What BIDS has no place for. Its patterns are those of git, without a slash at the end. The long tables have
# a row a visit or day, where BIDS wants one a participant; recordings and scans before conversion lie in
# sourcedata, which BIDS does not look into.
_ALWAYS: Final = (
    "sudeck.toml",
    "decisions",
    "decisions/**",
    "imports",
    "imports/**",
    "redcap",
    "redcap/**",
    "phenotype",
    "phenotype/**",
    "*_columns.json",
)
_UNTIL_ENTERED: Final = ("participants.tsv", "participants.json")
IGNORE_FILE: Final = ".bidsignore"


def ignored(*, entered: bool) -> str:
    """Return the content of ``.bidsignore`` of a study with or without participants."""
    return "".join(f"{pattern}\n" for pattern in (*_ALWAYS, *(() if entered else _UNTIL_ENTERED)))


def keep_to_bids(study: StudyFolder, participants: Iterable[str]) -> None:
    """Give every participant a folder, and have BIDS look at the table of participants where there are any.

    Lines that somebody added to ``.bidsignore`` stay.
    """
    named = [pid for pid in participants if is_patient(pid)]
    for pid in named:
        (study.root / pid).mkdir(exist_ok=True)
    place = study.root / IGNORE_FILE
    if not named or not place.is_file():
        return
    lines = place.read_text(encoding="utf-8").splitlines()
    kept = [line for line in lines if line.strip() not in _UNTIL_ENTERED]
    if kept != lines:
        write_text(place, "".join(f"{line}\n" for line in kept))
