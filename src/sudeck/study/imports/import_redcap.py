"""`sudeck import --redcap`: a flat longitudinal REDCap export becomes rows of our tables, each reported."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

from sudeck.core.errors import InputError
from sudeck.core.missing import MISSING
from sudeck.core.privacy import Redactor
from sudeck.core.storage import write_tsv
from sudeck.study.folder.dialect.wordings import is_month_first
from sudeck.study.folder.fields import Value
from sudeck.study.folder.layout import StudyFolder
from sudeck.study.folder.pseudonyms import Key, open_key, write_key
from sudeck.study.folder.settings import read_settings
from sudeck.study.folder.table_edit import merge_rows
from sudeck.study.imports.redcap_export import CellReader, Dictionary, ExportRow, read_dictionary, read_export
from sudeck.study.imports.redcap_map import RedcapBlock, RedcapMap, Source, read_map

Action = Literal["added", "filled", "unchanged", "kept", "refused"]
# Columns that hold who somebody is, whether the dictionary says so or not; what they hold is masked in texts.
_IDENTIFYING: Final = re.compile(
    r"name|nom\b|prenom|birth|naiss|geburt|dob|mrn|ipp|record|hospital|address|adresse|phone|mail|ssn|insur",
    re.IGNORECASE,
)
_FREE_TEXT: Final = "comment"  # what people type there may name somebody
_NUMBERED: Final = re.compile(r"sub-\d{1,5}", re.ASCII)
_COLUMNS: Final = {
    "line": "Line of the export",
    "table": "Table of the study",
    "participant_id": "Pseudonym",
    "action": "added, filled (empty cells only), unchanged, kept (the table says otherwise), refused",
    "reason": "What was refused and why, or in which columns the table says otherwise",
}


@dataclass(frozen=True, slots=True)
class RowReport:
    """What became, or would become, of one row of the export in one table."""

    line: int
    table: str
    patient: str
    action: Action
    reason: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON-ready values, by the columns of the report."""
        return {
            "line": self.line,
            "table": self.table,
            "participant_id": self.patient or None,
            "action": self.action,
            "reason": self.reason or None,
        }

    def __str__(self) -> str:
        place = " ".join(filter(None, (f"line {self.line}", self.patient, self.table)))
        return f"{self.action:9} {place}{f': {self.reason}' if self.reason else ''}"


@dataclass(frozen=True)
class RedcapImport:
    """What an import did, or would do."""

    rows: tuple[RowReport, ...]
    dry_run: bool
    key: Key = field(repr=False)
    report: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON-ready values."""
        return {
            "dry_run": self.dry_run,
            "report": self.report or None,
            "rows": [row.to_dict() for row in self.rows],
        }

    def __str__(self) -> str:
        total = ", ".join(
            f"{number} {action}" for action, number in Counter(r.action for r in self.rows).items()
        )
        patients = len({row.patient for row in self.rows if row.patient})
        telling = [str(row) for row in self.rows if row.reason]
        head = "would import" if self.dry_run else "imported"
        lines = [*telling, f"{head}: {len(self.rows)} rows of {patients} patients ({total or 'nothing'})"]
        return "\n".join(lines + ([f"report: {self.report}"] if self.report else []))


@dataclass
class _Draft:
    """A row on its way into a table."""

    line: int
    block: RedcapBlock
    patient: str
    values: dict[str, Value]
    problems: list[str]


def import_redcap(
    study: StudyFolder,
    export: Path,
    *,
    map_file: Path,
    dictionary: Path | None = None,
    pseudonyms: Mapping[str, str] | None = None,
    dry_run: bool = False,
    key: Key | None = None,
) -> RedcapImport:
    """Bring a REDCap export into the tables of a study: pseudonyms for record numbers, dates shifted.

    Nothing is overwritten: new rows are added, empty cells filled, and where a table says otherwise it stays.

    Parameters
    ----------
    study : StudyFolder
    export : Path
        Flat export, CSV with raw values, one row a record, event and repeat.
    map_file : Path
        See `sudeck.study.imports.redcap_map`.
    dictionary : Path, optional
        The data dictionary of the project: checks the map, gives codes their meaning, says what identifies.
    pseudonyms : Mapping of str to str, optional
        Pseudonym by identifier, where a person wants to choose them.
    dry_run : bool
        Do everything but write.
    key : Key, optional
        Where the study has none yet: that of a dry run before.

    Raises
    ------
    InputError
        If a file can not be read, or the map names a column that is not there or that identifies somebody.
    """
    plan = read_map(map_file)
    said = read_dictionary(dictionary) if dictionary is not None else Dictionary()
    rows = read_export(export)
    header = tuple(rows[0][1])
    _check_map(plan, header, said, dictionary is not None)
    _check_dates(plan, rows)
    settings = read_settings(study)
    key_path = settings.key_path(study)
    groups = _by_patient(rows, plan, header[0])
    numbers = [number for number in groups if number]
    key = open_key(study, key_path, offered=key).with_pseudonyms(pseudonyms or {})
    # The project that `init` describes has pseudonyms for record names.
    own = {number for number in numbers if _NUMBERED.fullmatch(number) or number in study.patients()}
    key = key.with_patients(numbers, taken={*study.patients(), *own}, own=own)
    if not dry_run:
        write_key(key_path, key)
    reports: list[RowReport] = []
    drafts: list[_Draft] = []
    for number, rows_of in groups.items():
        if not number:
            reports += [RowReport(line, "", "", "refused", "it names no patient") for line, _ in rows_of]
            continue
        patient = key.pseudonym(number, own=own) or ""
        drafts += _drafts(rows_of, plan, said, key, patient, free_text=settings.free_text)
    reports += _merge(study, drafts, dry_run)
    done = tuple(sorted(reports, key=lambda row: row.line))
    return RedcapImport(done, dry_run, key, "" if dry_run else _write_report(study, done))


def _check_map(plan: RedcapMap, header: Sequence[str], said: Dictionary, strict: bool) -> None:
    if missing := [column for column in plan.columns if column not in header]:
        several = len(missing) > 1
        raise InputError(
            "the map",
            f"the export has no column{'s' if several else ''} {', '.join(missing)}",
            f"let --ask find the columns, or take {'their lines' if several else 'its line'} out of the map",
        )
    for column in plan.columns:
        variable = column.split("___")[0]
        if strict and variable not in said.labels and column != header[0]:
            raise InputError("the map", f"the dictionary has no variable {variable}", "correct the map")
    for block in plan.blocks:
        for name, source in block.sources.items():
            of_days = source.since or block.table.field(name).type == "date"
            if source.column in (said.identifiers | {plan.identifier}) and not of_days:
                raise InputError(
                    "the map", f"{source.column} identifies the patient", "leave it out of the tables"
                )


def _check_dates(plan: RedcapMap, rows: Sequence[ExportRow]) -> None:
    """Refuse an export that a spreadsheet saved anew, month first: most dates can not be told."""
    for block in plan.blocks:
        for name, source in block.sources.items():
            if not source.since and block.table.field(name).type != "date":
                continue
            for column in filter(None, (source.column, source.since)):
                if any(is_month_first(row[column].split(" ")[0]) for _, row in rows):
                    raise InputError(
                        "the REDCap export",
                        f"a date in {column} has its month first, others can not be told",
                        "take the export as REDCap wrote it, with dates written YYYY-MM-DD",
                    )


def _by_patient(rows: Sequence[ExportRow], plan: RedcapMap, first: str) -> dict[str, list[ExportRow]]:
    """Return the rows by identifier; under the empty one those whose record has none, or two."""
    record = plan.record or first
    by_record: dict[str, list[ExportRow]] = defaultdict(list)
    for line, row in rows:
        by_record[row[record]].append((line, row))
    groups: dict[str, list[ExportRow]] = defaultdict(list)
    for number, own in by_record.items():
        named = {row[plan.identifier] for _, row in own} - {""} if number else set()
        groups[named.pop() if len(named) == 1 else ""] += own
    return groups


def _drafts(
    own: Sequence[ExportRow], plan: RedcapMap, said: Dictionary, key: Key, patient: str, *, free_text: bool
) -> list[_Draft]:
    identity = [
        text
        for _, row in own
        for column, text in row.items()
        if column in said.identifiers or column == plan.identifier or _IDENTIFYING.search(column)
    ]
    reader = CellReader(own, said, key, patient, Redactor.from_values(identity))
    drafts: list[_Draft] = []
    for line, row in own:
        event = row.get("redcap_event_name", "")
        for block in plan.blocks:
            if block.only_events and event not in block.only_events:
                continue
            if block.only_instrument and row.get("redcap_repeat_instrument", "") != block.only_instrument:
                continue
            if not any(_holds(row, source) for source in block.sources.values()):
                continue
            draft = _Draft(line, block, patient, {"participant_id": patient}, [])
            for name, text in plan.events.get(event, {}).items():
                if name in block.table.columns and name not in block.sources:
                    _set(draft, reader, name, Source(constant=text), row)
            for name, source in block.sources.items():
                if name == _FREE_TEXT and not free_text and name not in block.table.key:
                    if _holds(row, source):
                        draft.problems.append(f"{name} was left out, see [privacy] free_text")
                    continue
                _set(draft, reader, name, source, row)
            drafts.append(draft)
    return _joined(drafts)


def _set(draft: _Draft, reader: CellReader, name: str, source: Source, row: Mapping[str, str]) -> None:
    """Set one field of a draft, or note why it stays empty."""
    try:
        draft.values[name] = reader.read(draft.block.table.field(name), source, row)
    except ValueError as error:
        draft.values[name] = None
        draft.problems.append(f"{name} {error}")


def _holds(row: Mapping[str, str], source: Source) -> bool:
    return bool(source.column) and not source.since and row[source.column].lower() not in MISSING


def _joined(drafts: Sequence[_Draft]) -> list[_Draft]:
    """Join what several events say of one participant; where they differ the first holds, and it is said."""
    joined: list[_Draft] = []
    whole: _Draft | None = None
    for draft in drafts:
        if draft.block.table.name != "participants":
            joined.append(draft)
        elif whole is None:
            whole = draft
            joined.append(draft)
        else:
            whole.problems += draft.problems
            for name, value in draft.values.items():
                if whole.values.get(name) is None:
                    whole.values[name] = value
                elif value is not None and value != whole.values[name]:
                    whole.problems.append(f"{name} differs between events; the first counts")
    return joined


def _merge(study: StudyFolder, drafts: Sequence[_Draft], dry_run: bool) -> list[RowReport]:
    reports: list[RowReport] = []
    by_table: dict[str, list[_Draft]] = defaultdict(list)
    for draft in drafts:
        table = draft.block.table
        lacking = [
            name for name in table.key if table.field(name).required and draft.values.get(name) is None
        ]
        if lacking:
            reason = "; ".join([*draft.problems, f"without {', '.join(lacking)} a row has no place"])
            reports.append(RowReport(draft.line, table.name, draft.patient, "refused", reason))
        else:
            by_table[table.name].append(draft)
    for name, own in by_table.items():
        outcomes = merge_rows(study, name, [_complete(draft) for draft in own], dry_run=dry_run)
        for draft, outcome in zip(own, outcomes, strict=True):
            differs = [f"the table has another {', '.join(outcome.differs)}"] if outcome.differs else []
            reason = "; ".join([*draft.problems, *differs])
            reports.append(RowReport(draft.line, name, draft.patient, outcome.action, reason))
    return reports


def _complete(draft: _Draft) -> dict[str, Value]:
    return {name: draft.values.get(name) for name in draft.block.table.columns}


def _write_report(study: StudyFolder, rows: Sequence[RowReport]) -> str:
    number = 1 + len(list(study.imports.glob("redcap-*.tsv")))
    path = study.imports / f"redcap-{number:03d}.tsv"
    write_tsv(path, [row.to_dict() for row in rows], columns=_COLUMNS)
    return path.relative_to(study.root).as_posix()
