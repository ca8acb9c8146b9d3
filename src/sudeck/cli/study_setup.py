"""`sudeck init`, `sudeck import` and `sudeck check`: a study folder made, filled and checked."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated

import typer

from sudeck.core.errors import InputError

if TYPE_CHECKING:
    from sudeck.study.folder.layout import StudyFolder
    from sudeck.study.folder.pseudonyms import Key
    from sudeck.study.imports.redcap_questions import Question

EXIT_PROBLEMS = 1
# As many fit beside a question.
_FEW_OPTIONS = 6

StudyArgument = Annotated[Path, typer.Argument(help="The study folder.", show_default=False)]


def init(
    folder: Annotated[str, typer.Argument(help="The folder to make.", show_default=False)],
    name: Annotated[str, typer.Option(help="Name of the study; that of the folder unless given.")] = "",
) -> None:
    """Make a study: a folder, the tables to fill, the settings, a data dictionary (also for REDCap)."""
    from sudeck.study.folder.create import create_study

    if not folder.strip():
        raise InputError("sudeck init", "the name of the folder is empty", "name the folder to make")
    typer.echo(str(create_study(Path(folder), name=name)))


def import_(
    folder: StudyArgument,
    dicom: Annotated[
        list[Path] | None, typer.Option(help="Files or a folder of bone scans; may be given again.")
    ] = None,
    tms: Annotated[
        list[Path] | None,
        typer.Option(help="Recordings, or a folder of them, perhaps with scans between; may be given again."),
    ] = None,
    patient: Annotated[
        str | None, typer.Option(help="Record number or pseudonym whose recordings --tms are.")
    ] = None,
    redcap: Annotated[
        Path | None, typer.Option(help="A flat export of a REDCap project, CSV, raw values.")
    ] = None,
    redcap_api: Annotated[
        str | None,
        typer.Option(
            help="Address of the API of a REDCap project; the token is read from REDCAP_TOKEN, never typed."
        ),
    ] = None,
    dictionary: Annotated[Path | None, typer.Option(help="The data dictionary of that project, CSV.")] = None,
    map_: Annotated[
        Path | None,
        typer.Option(
            "--map", help="Which of its columns is which of ours, TOML; redcap/redcap_map.toml unless given."
        ),
    ] = None,
    ask: Annotated[
        bool,
        typer.Option(
            "--ask",
            help="Ask which column of the REDCap project is which of ours; the answers become the map.",
        ),
    ] = False,
    ids: Annotated[
        Path | None,
        typer.Option(
            help="Your list of patients, kept outside the study: record_number, participant_id (or empty) "
            "and any columns of participants.tsv, true dates. A dry run writes it where it is missing."
        ),
    ] = None,
    session: Annotated[
        str | None, typer.Option(help="Session of scans and recordings, e.g. ses-pre.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be done, and stop.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask after the dry run.")] = False,
) -> None:
    """Bring scans, recordings or tables into a study: without names, a dry run first, nothing overwritten."""
    from sudeck.study.folder.layout import open_study
    from sudeck.study.imports.import_people import read_ids

    study = open_study(folder)
    if not dicom and not tms and redcap is None and redcap_api is None and ids is None:
        raise InputError(
            "sudeck import",
            "nothing to import is named",
            "give --dicom, --tms, --redcap, --redcap-api or --ids",
        )
    if redcap is not None and redcap_api is not None:
        raise InputError("--redcap-api", "an export is named as well", "give one of both")
    if ids is not None and ids.resolve().is_relative_to(study.root.resolve()):
        raise InputError("--ids", "the table would name patients inside the study", "put it elsewhere")
    wanted = ids if ids is not None and dicom and dry_run and not ids.exists() else None
    pseudonyms = read_ids(ids) if ids is not None and wanted is None else {}
    if dicom and tms:
        dicom, tms = _kept_apart([*dicom, *tms])
    key = None
    if dicom:
        key = _import_dicom(study, dicom, pseudonyms, session, dry_run=dry_run, ask=not yes, template=wanted)
    if tms:
        _import_tms(study, tms, pseudonyms, patient, session, dry_run=dry_run, ask=not yes, key=key)
    if redcap is not None or redcap_api is not None:
        plan = map_ or study.root / "redcap" / ("answered_map.toml" if ask else "redcap_map.toml")
        if ask and plan.exists():
            raise InputError(
                plan.name, "it was answered before", "import with --map, or remove it to be asked again"
            )
        steps = _RedcapSteps(study, dictionary, plan, pseudonyms, asking=ask, dry_run=dry_run, yes=yes)
        if redcap is not None:
            steps.import_(redcap, dictionary)
        else:
            steps.pull(str(redcap_api))
    if ids is not None and wanted is None:
        _import_people(study, ids, dry_run=dry_run, ask=not yes, key=key)


def check(
    folder: StudyArgument,
    quick: Annotated[bool, typer.Option("--quick", help="Do not read the pixels of the scans.")] = False,
    fix: Annotated[
        bool, typer.Option("--fix", help="Propose tables as we write them; the originals are kept.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="With --fix: do not ask.")] = False,
    every: Annotated[
        bool, typer.Option("--all", help="A line for each finding, where many patients have the same.")
    ] = False,
) -> None:
    """List everything missing, impossible or contradictory; exit status 1 if something must be corrected."""
    from sudeck.study.checks.check import check_study
    from sudeck.study.folder.layout import open_study

    study = open_study(folder)
    if fix:
        _fix_tables(study, ask=not yes)
    found = check_study(study, pixels=not quick)
    typer.echo(found.listed(each=every))
    if found.problems and not fix:
        _offer_fixes(study)
    if found.serious:
        raise typer.Exit(EXIT_PROBLEMS)


def who(
    folder: StudyArgument,
    number: Annotated[
        list[str] | None, typer.Argument(metavar="NUMBER...", help="Record numbers, or pseudonyms.")
    ] = None,
    date: Annotated[str, typer.Option(help="A true date, YYYY-MM-DD, to be shifted.")] = "",
    shifted: Annotated[str, typer.Option(help="A shifted date, YYYY-MM-DD, to be taken back.")] = "",
) -> None:
    """Say which pseudonym a record number has, and how the dates of a patient are shifted.

    Reads the key, writes nothing. The key holds no record number, so that only a number that is given can be
    found: a pseudonym given alone shows its shift.
    """
    from sudeck.study.folder.layout import open_study
    from sudeck.study.folder.pseudonyms import read_key
    from sudeck.study.folder.settings import read_settings

    if not sys.stdout.isatty():
        raise InputError(
            "sudeck who", "what it says belongs on a screen, not into a file", "run it in a terminal"
        )
    study = open_study(folder)
    key = read_key(read_settings(study).key_path(study))
    if key is None:
        raise InputError(study.root.name, "it has no key yet", "import something first")
    if not number:
        typer.echo(f"{len(key.patients)} patients: {', '.join(sorted(key.patients.values()))}")
    for given in number or []:
        own = set(key.patients.values())
        typer.echo(_who_is(key, given, key.pseudonym(given, own=own), date, shifted))


def _who_is(key: Key, given: str, pseudonym: str | None, date: str, shifted: str) -> str:
    from sudeck.study.folder.pseudonyms import moved

    if pseudonym is None:
        return f"{given}: not imported yet"
    shift = key.shift(pseudonym)
    said = [f"{given}: {pseudonym}", f"dates moved by {shift.days} days"]
    if date:
        said.append(f"{date} is {moved(date, shift)} in the study")
    if shifted:
        said.append(f"{shifted} was {moved(shifted, -shift)}")
    return ", ".join(said)


def _fix_tables(study: StudyFolder, *, ask: bool) -> None:
    from sudeck.study.checks.table_fix import apply_fix, propose_fixes
    from sudeck.study.folder.settings import read_settings

    fixes = propose_fixes(study, read_settings(study))
    for one in fixes:
        typer.echo(str(one))
    if not fixes:
        typer.echo("No table needs a change, or none whose every cell is understood.")
    elif not ask or _agreed("Write these tables?"):
        for one in fixes:
            kept = apply_fix(study, one)
            typer.echo(f"{one.table.path} written; the original is {kept.relative_to(study.root).as_posix()}")


def _offer_fixes(study: StudyFolder) -> None:
    from sudeck.study.checks.table_fix import propose_fixes
    from sudeck.study.folder.settings import Settings, read_settings

    try:
        settings = read_settings(study)
    except InputError:
        settings = Settings()
    if fixes := propose_fixes(study, settings):
        names = ", ".join(one.path.name for one in fixes)
        typer.echo(f"{names} can be written as we write tables: sudeck check {study.root.name} --fix")


def _agreed(question: str) -> bool:
    """Ask; without anybody to ask nothing is agreed."""
    if sys.stdin.isatty():
        return typer.confirm(question)
    typer.echo("Nothing was written: add --yes to agree without being asked.")
    return False


def _import_dicom(
    study: StudyFolder,
    sources: list[Path],
    pseudonyms: dict[str, str],
    session: str | None,
    *,
    dry_run: bool,
    ask: bool,
    template: Path | None,
) -> Key:
    from sudeck.study.folder.pseudonyms import write_ids
    from sudeck.study.imports.import_dicom import import_dicom

    first = import_dicom(study, sources, dry_run=True, pseudonyms=pseudonyms, session=session)
    typer.echo(str(first))
    if template is not None:
        write_ids(template, first.records)
        typer.echo(
            f"{template.name} holds their record numbers: change pseudonyms there, fill in the rest, "
            "import with it."
        )
    if dry_run or (ask and not _agreed("Import?")):
        return first.key
    done = import_dicom(study, sources, pseudonyms=pseudonyms, session=session, key=first.key)
    typer.echo(str(done))
    return done.key


def _import_people(study: StudyFolder, ids: Path, *, dry_run: bool, ask: bool, key: Key | None) -> None:
    from sudeck.study.imports.import_people import import_people

    first = import_people(study, ids, dry_run=True, key=key)
    typer.echo(str(first))
    if not dry_run and (not ask or _agreed("Import?")):
        typer.echo(str(import_people(study, ids, key=first.key)))


def _kept_apart(sources: list[Path]) -> tuple[list[Path], list[Path]]:
    """Return the scans among files and folders, and everything else with the folders it lies in."""
    from sudeck.scan.reading.dicom import find_files, looks_like_dicom

    scans = [path for path in find_files(sources) if looks_like_dicom(path)]
    return scans, sources


def _import_tms(
    study: StudyFolder,
    sources: list[Path],
    pseudonyms: dict[str, str],
    patient: str | None,
    session: str | None,
    *,
    dry_run: bool,
    ask: bool,
    key: Key | None,
) -> None:
    from sudeck.study.imports.import_tms import import_tms

    how = {"pseudonyms": pseudonyms, "patient": patient, "session": session}
    first = import_tms(study, sources, dry_run=True, key=key, **how)  # type: ignore[arg-type]
    typer.echo(str(first))
    if dry_run or (ask and not _agreed("Import?")):
        return
    typer.echo(str(import_tms(study, sources, key=first.key, **how)))  # type: ignore[arg-type]


@dataclass(frozen=True)
class _RedcapSteps:
    """Ask for the map where asked to, show what would be done, then do it."""

    study: StudyFolder
    dictionary: Path | None
    map_file: Path
    pseudonyms: dict[str, str]
    asking: bool
    dry_run: bool
    yes: bool

    def pull(self, url: str) -> None:
        from sudeck.study.imports.redcap_pull import TOKEN_VARIABLE, pull_project

        with TemporaryDirectory(prefix="sudeck-") as folder:
            token = os.environ.get(TOKEN_VARIABLE, "").strip()
            export, described = pull_project(url, token, Path(folder))
            self.import_(export, self.dictionary or described)

    def import_(self, export: Path, dictionary: Path | None) -> None:
        from sudeck.study.imports.import_redcap import import_redcap

        if self.asking:
            self._ask(export, dictionary)
        how = {"map_file": self.map_file, "dictionary": dictionary, "pseudonyms": self.pseudonyms}
        first = import_redcap(self.study, export, dry_run=True, **how)  # type: ignore[arg-type]
        typer.echo(str(first))
        if self.dry_run or not (self.yes or _agreed("Import?")):
            return
        typer.echo(str(import_redcap(self.study, export, key=first.key, **how)))  # type: ignore[arg-type]

    def _ask(self, export: Path, dictionary: Path | None) -> None:
        from sudeck.core.storage import write_text
        from sudeck.study.imports.redcap_export import Dictionary, read_dictionary, read_export
        from sudeck.study.imports.redcap_questions import ask_for_map

        said = read_dictionary(dictionary) if dictionary is not None else Dictionary()
        somebody = sys.stdin.isatty()
        text = ask_for_map(read_export(export), said, _answered if somebody else lambda one: one.proposed)
        write_text(self.map_file, text)
        typer.echo(
            f"{self.map_file.name} holds {'the answers' if somebody else 'what the export itself says'}."
        )


def _answered(question: Question) -> str:
    """Put a question at the terminal until its answer is one of the options."""
    from sudeck.study.imports.redcap_questions import NONE

    few = question.options if len(question.options) <= _FEW_OPTIONS else ()
    hint = f" {', '.join(few)};" if few else " ? lists them;" if question.options else ""
    while True:
        given = str(
            typer.prompt(
                f"{question.text}{hint} {NONE} for none", default=question.proposed, prompt_suffix=" "
            )
        ).strip()
        if not question.options or given in (*question.options, NONE):
            return given
        typer.echo(
            ", ".join(question.options) if given == "?" else f"There is no {given}; ? lists what there is."
        )
