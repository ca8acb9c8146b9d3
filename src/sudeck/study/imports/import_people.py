"""`sudeck import --ids`: the centre's own list of patients, by record number and with true dates.

One table does for everything: record numbers and the pseudonyms they have or shall have, and beside them
whatever participants.tsv asks. Dates are typed as they are and shifted here, so that nobody needs to be
told a shift. The table names patients and stays outside the study; no record number is written into it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, Final

from sudeck.core.errors import InputError
from sudeck.study.folder.cells import read_cells
from sudeck.study.folder.dialect.headings import column_of
from sudeck.study.folder.layout import StudyFolder
from sudeck.study.folder.pseudonyms import Key, open_key, write_key
from sudeck.study.folder.schema import PARTICIPANTS
from sudeck.study.folder.settings import read_settings
from sudeck.study.folder.table_edit import merge_rows
from sudeck.study.folder.tables import type_rows

_SUBJECT: Final = "--ids"
_RECORD: Final = "record_number"


@dataclass(frozen=True)
class PeopleImport:
    """What an import of a list of patients did, or would do.

    Attributes
    ----------
    outcomes : Mapping of str to str
        added, filled, unchanged or kept, by pseudonym.
    differs : Mapping of str to tuple of str
        Columns in which the table says otherwise, by pseudonym; it stays as it is.
    problems : tuple of str
        Cells that can not be read, by line.
    dry_run : bool
    key : Key
    """

    outcomes: Mapping[str, str]
    differs: Mapping[str, tuple[str, ...]]
    problems: tuple[str, ...]
    dry_run: bool
    key: Key = field(repr=False)

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON-ready values."""
        return {
            "dry_run": self.dry_run,
            "patients": dict(self.outcomes),
            "differs": {name: list(columns) for name, columns in self.differs.items()},
            "problems": list(self.problems),
        }

    def __str__(self) -> str:
        counts = Counter(self.outcomes.values())
        total = ", ".join(f"{number} {action}" for action, number in counts.items()) or "none"
        kept = [f"{name}: the table has another {', '.join(them)}" for name, them in self.differs.items()]
        head = "would import" if self.dry_run else "imported"
        return "\n".join([*self.problems, *kept, f"{head}: {len(self.outcomes)} patients ({total})"])


def read_ids(path: Path) -> dict[str, str]:
    """Return the pseudonyms that a table gives to record numbers; those left empty are not among them.

    Raises
    ------
    InputError
        If it is no such table; no message repeats a record number.
    """
    return {record: name for _, record, name, _ in _lines(path) if name}


def import_people(
    study: StudyFolder, path: Path, *, dry_run: bool = False, key: Key | None = None
) -> PeopleImport:
    """Fill participants.tsv from a list of record numbers: pseudonyms for them, dates shifted.

    Nothing is overwritten: new rows are added, empty cells filled.

    Parameters
    ----------
    study : StudyFolder
    path : Path
        A CSV, TSV or XLSX with the column record_number, perhaps participant_id (a pseudonym of one's own,
        or empty), and any columns of participants.tsv.
    dry_run : bool
        Do everything but write.
    key : Key, optional
        Where the study has none yet: that of a dry run before.

    Raises
    ------
    InputError
        If it is no such table, or contradicts the key.
    """
    lines = _lines(path)
    key_path = read_settings(study).key_path(study)
    given = {record: name for _, record, name, _ in lines if name}
    key = open_key(study, key_path, offered=key).with_pseudonyms(given)
    own = study.patients()
    key = key.with_patients((record for _, record, _, _ in lines), taken=own, own=own)
    header = ["participant_id", *dict.fromkeys(name for *_, rest in lines for name in rest)]
    cells: list[tuple[int, Sequence[str]]] = [(1, header)]
    for line, record, _, rest in lines:
        patient = key.pseudonym(record, own=own) or ""
        cells.append((line, [patient, *(rest.get(name, "") for name in header[1:])]))
    read = type_rows(cells, PARTICIPANTS, where=_SUBJECT)
    rows = []
    for row in read.rows:
        shift = key.shift(str(row["participant_id"]))
        rows.append(
            {name: value + shift if isinstance(value, date) else value for name, value in row.items()}
        )
    if not dry_run:
        write_key(key_path, key)
    merged = merge_rows(study, "participants", rows, dry_run=dry_run)
    names = [str(row["participant_id"]) for row in rows]
    return PeopleImport(
        {name: outcome.action for name, outcome in zip(names, merged, strict=True)},
        {name: outcome.differs for name, outcome in zip(names, merged, strict=True) if outcome.differs},
        tuple(str(problem) for problem in read.problems if _is_news(str(problem.message))),
        dry_run,
        key,
    )


def _is_news(message: str) -> bool:
    """Leave out what is said of every list that is filled in bit by bit."""
    return not message.endswith(("is required", "the column is missing"))


def _lines(path: Path) -> list[tuple[int, str, str, dict[str, str]]]:
    """Return line, record number, pseudonym and the other cells by column of participants.tsv."""
    if not path.is_file():
        raise InputError(_SUBJECT, "there is no such file", "check the path")
    try:
        cells = read_cells(path)
    except InputError as error:
        raise InputError(_SUBJECT, error.problem, error.remedy) from None
    header = [text.strip().lstrip("\ufeff") for text in cells[0][1]] if cells else []
    names = [_RECORD if text.lower() == _RECORD else column_of(text, PARTICIPANTS.columns) for text in header]
    if _RECORD not in names:
        raise InputError(_SUBJECT, "it has no column record_number", "give it this heading")
    found = []
    for line, texts in cells[1:]:
        if not any(text.strip() for text in texts):
            continue
        row = dict(zip(names, [text.strip() for text in texts], strict=False))
        record, pseudonym = row.pop(_RECORD, ""), row.pop("participant_id", "")
        if not record:
            raise InputError(_SUBJECT, f"line {line} has no record number", "fill it in")
        found.append((line, record, pseudonym, {n: t for n, t in row.items() if n in PARTICIPANTS.columns}))
    repeated = sum(number > 1 for number in Counter(record for _, record, _, _ in found).values())
    if repeated:
        raise InputError(_SUBJECT, f"{repeated} record numbers stand twice", "keep one line of each")
    return found
