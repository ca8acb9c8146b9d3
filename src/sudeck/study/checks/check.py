"""`sudeck check`: everything missing, impossible or contradictory in a study, in one list."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sudeck.core.errors import InputError, SudeckError
from sudeck.study.checks.check_files import check_files
from sudeck.study.checks.check_tables import check_tables
from sudeck.study.folder.layout import SETTINGS_FILE, TABLE_SUFFIXES, StudyFolder
from sudeck.study.folder.schema import TABLES
from sudeck.study.folder.settings import Settings, read_settings
from sudeck.study.folder.tables import Problem, ReadTable, RowCount, StudyTables, read_table

_NAMED: Final = 5
_ALIKE: Final = 3  # more findings of one kind are one line, so that others stay visible
_EXAMPLES: Final = 8
_TABLE_LIKE: Final = frozenset({*TABLE_SUFFIXES, ".xls", ".xlsm", ".ods", ".txt", ".sav"})


@dataclass(frozen=True)
class StudyCheck:
    """What a check found.

    Attributes
    ----------
    problems : tuple of Problem
        Serious ones first; in each group in the order of the study.
    patients : int
        Patients in the table of participants.
    scans : int
        Sessions with files of a bone scan.
    rows : tuple of RowCount
        How many rows each table holds, and how many take part.
    """

    problems: tuple[Problem, ...]
    patients: int
    scans: int
    rows: tuple[RowCount, ...] = ()

    @property
    def serious(self) -> tuple[Problem, ...]:
        """Problems that keep a patient, or the study, from being analysed as intended."""
        return tuple(problem for problem in self.problems if problem.serious)

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON-ready values."""
        return {
            "patients": self.patients,
            "scans": self.scans,
            "tables": {count.table: count.to_dict() for count in self.rows},
            "problems": [problem.to_dict() for problem in self.problems],
        }

    def listed(self, *, each: bool = False) -> str:
        """Return the findings as text, repeated ones of a kind in one line unless `each` is wanted."""
        serious = self.serious
        others = [problem for problem in self.problems if not problem.serious]
        lines = [f"{self.patients} patients, {self.scans} bone scans"]
        filled = [str(count) for count in self.rows if count.rows]
        lines += [f"Rows: {'; '.join(filled)}"] if filled else []
        for title, found in (("To correct", serious), ("To look at", others)):
            if found:
                said = map(str, found) if each else _by_kind(found)
                lines += [f"{title} ({len(found)}):", *(f"  {sentence}" for sentence in said)]
        return "\n".join(lines if self.problems else [*lines, "Nothing missing, nothing contradictory."])

    def __str__(self) -> str:
        return self.listed()


def _by_kind(problems: Sequence[Problem]) -> Iterator[str]:
    """Yield a sentence for each kind of finding: what differs in numbers only is of one kind."""
    kinds: dict[tuple[str, str, str], list[Problem]] = defaultdict(list)
    for one in problems:
        kinds[one.where, one.column, re.sub(r"\d+(\.\d+)?", "#", one.message)].append(one)
    for (where, column, _), found in kinds.items():
        patients = list(dict.fromkeys(one.patient for one in found if one.patient))
        if len(found) <= _ALIKE:
            yield from map(str, found)
            continue
        same = all(one.message == found[0].message for one in found)
        message = found[0].message if same else f"{found[0].message}, and more of this kind"
        if patients:
            count = f"{len(patients)} patients"
            whom = count if len(patients) == len(found) else f"{len(found)} times in {count}"
            named = _first(patients)
        else:
            whom, named = f"{len(found)} times", _first([str(one.row) for one in found if one.row])
            named = f"line {named}" if named else ""
        place = ", ".join(filter(None, (where, column)))
        yield f"{place}: {message} ({whom}{f': {named}' if named else ''})."


def _first(names: Sequence[str]) -> str:
    more = len(names) - _EXAMPLES
    return ", ".join(names[:_EXAMPLES]) + (f" and {more} more" if more > 0 else "")


def check_study(study: StudyFolder, *, pixels: bool = True) -> StudyCheck:
    """Check the settings, the tables and the files of a study against each other.

    Parameters
    ----------
    study : StudyFolder
    pixels : bool
        Whether to read every scan, as the measurement will, rather than its headers only.
    """
    problems: list[Problem] = []
    settings, tables = _tables(study, problems)
    problems += check_files(study, tables, settings, pixels=pixels)
    problems.sort(key=lambda problem: not problem.serious)
    scans = sum(1 for _ in _scans(study))
    return StudyCheck(tuple(problems), len(tables["participants"]), scans, tables.row_counts())


def require_sound_tables(study: StudyFolder) -> None:
    """Refuse to go on with settings or tables that `check` finds wrong.

    What is wrong with the files of one patient stops nobody: that patient is named when measured.

    Raises
    ------
    InputError
        That names the first few problems.
    """
    problems: list[Problem] = []
    _tables(study, problems)
    serious = [str(problem).rstrip(".") for problem in problems if problem.serious]
    if not serious:
        return
    more = f"; and {len(serious) - _NAMED} more" if len(serious) > _NAMED else ""
    name = study.root.name
    raise InputError(
        name,
        f"its tables are not right: {'; '.join(serious[:_NAMED])}{more}",
        f"correct them (sudeck check {name} lists all), or go on as they are with --despite-problems",
    )


def _tables(study: StudyFolder, problems: list[Problem]) -> tuple[Settings, StudyTables]:
    settings = _settings(study, problems)
    tables = StudyTables({name: _table(study, name, problems) for name in TABLES})
    problems += tables.problems
    problems += _other_tables(study)
    problems += check_tables(tables, settings)
    return settings, tables


def _settings(study: StudyFolder, problems: list[Problem]) -> Settings:
    try:
        return read_settings(study)
    except SudeckError as error:
        problems.append(Problem(SETTINGS_FILE, str(error).rstrip(".")))
        return Settings()


def _table(study: StudyFolder, name: str, problems: list[Problem]) -> ReadTable:
    table = TABLES[name]
    path = None
    try:
        path = study.found_table(name)
        if path is not None:
            return read_table(path, table)
        if not table.optional:
            missing = "the table is not there"
            problems.append(Problem(table.path, missing, serious=name in ("participants", "pain")))
    except InputError as error:
        where = table.path if path is None else path.name
        problems.append(Problem(where, f"{error.problem}; {error.remedy}"))
    except SudeckError as error:
        problems.append(Problem(table.path, str(error).rstrip(".")))
    return ReadTable(table, (), (), (), present=False)


def _other_tables(study: StudyFolder) -> Iterator[Problem]:
    """Yield files among the tables that none of them is: nobody would see that they are not read."""
    for folder in (study.root, study.root / "phenotype"):
        if not folder.is_dir():
            continue
        known = {Path(t.path).stem for t in TABLES.values() if (study.root / t.path).parent == folder}
        for path in sorted(folder.iterdir()):
            if (
                path.suffix.lower() not in _TABLE_LIKE
                or not path.is_file()
                or path.name.startswith((".", "~"))
            ):
                continue
            if path.stem.lower() in known:
                if path.suffix.lower() not in TABLE_SUFFIXES:
                    yield Problem(path.name, "it is not read; save it as .xlsx or .csv", serious=False)
                continue
            message = f"no table has this name, so it is not read; the names are {', '.join(sorted(known))}"
            yield Problem(path.name, message, serious=False)


def _scans(study: StudyFolder) -> Iterator[tuple[str, str]]:
    for patient in study.patients():
        for session in study.sessions(patient):
            if study.scan_files(patient, session):
                yield patient, session
