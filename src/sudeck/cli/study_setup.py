"""`sudeck init`, `sudeck import` and `sudeck check`: a study folder made, filled and checked."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sudeck.core.errors import InputError

if TYPE_CHECKING:
    from sudeck.study.folder.layout import StudyFolder

EXIT_PROBLEMS = 1

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
    redcap: Annotated[
        Path | None, typer.Option(help="A flat export of a REDCap project, CSV, raw values.")
    ] = None,
    dictionary: Annotated[Path | None, typer.Option(help="The data dictionary of that project, CSV.")] = None,
    map_: Annotated[
        Path | None, typer.Option("--map", help="Which of its columns is which of ours, TOML.")
    ] = None,
    ids: Annotated[
        Path | None,
        typer.Option(help="Pseudonyms you chose: a CSV of record_number and participant_id."),
    ] = None,
    session: Annotated[str | None, typer.Option(help="Session of the scans, e.g. ses-pre.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be done, and stop.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask after the dry run.")] = False,
) -> None:
    """Bring scans or tables into a study: de-identified, a dry run first, nothing ever overwritten."""
    from sudeck.study.folder.layout import open_study

    study = open_study(folder)
    if not dicom and redcap is None:
        raise InputError("sudeck import", "nothing to import is named", "give --dicom or --redcap")
    if redcap is not None and map_ is None:
        raise InputError(
            "--redcap", "no map is given", "add --map; redcap/redcap_map.toml of the study is an example"
        )
    pseudonyms = _pseudonyms(ids) if ids is not None else {}
    if dicom:
        _import_dicom(study, dicom, pseudonyms, session, dry_run=dry_run, ask=not yes)
    if redcap is not None and map_ is not None:
        _import_redcap(study, redcap, dictionary, map_, pseudonyms, dry_run=dry_run, ask=not yes)


def check(
    folder: StudyArgument,
    quick: Annotated[bool, typer.Option("--quick", help="Do not read the pixels of the scans.")] = False,
) -> None:
    """List everything missing, impossible or contradictory; exit status 1 if something must be corrected."""
    from sudeck.study.folder.check import check_study
    from sudeck.study.folder.layout import open_study

    found = check_study(open_study(folder), pixels=not quick)
    typer.echo(str(found))
    if found.serious:
        raise typer.Exit(EXIT_PROBLEMS)


def _import_dicom(
    study: StudyFolder,
    sources: list[Path],
    pseudonyms: dict[str, str],
    session: str | None,
    *,
    dry_run: bool,
    ask: bool,
) -> None:
    from sudeck.study.imports.import_dicom import import_dicom

    first = import_dicom(study, sources, dry_run=True, pseudonyms=pseudonyms, session=session)
    typer.echo(str(first))
    if dry_run or not _go_on(ask):
        return
    done = import_dicom(study, sources, pseudonyms=pseudonyms, session=session, key=first.key)
    typer.echo(str(done))


def _import_redcap(
    study: StudyFolder,
    export: Path,
    dictionary: Path | None,
    map_file: Path,
    pseudonyms: dict[str, str],
    *,
    dry_run: bool,
    ask: bool,
) -> None:
    from sudeck.study.imports.import_redcap import import_redcap

    first = import_redcap(
        study, export, map_file=map_file, dictionary=dictionary, pseudonyms=pseudonyms, dry_run=True
    )
    typer.echo(str(first))
    if dry_run or not _go_on(ask):
        return
    done = import_redcap(
        study, export, map_file=map_file, dictionary=dictionary, pseudonyms=pseudonyms, key=first.key
    )
    typer.echo(str(done))


def _go_on(ask: bool) -> bool:
    """Ask after a dry run, where there is somebody to ask."""
    return not ask or not sys.stdin.isatty() or typer.confirm("Import?")


def _pseudonyms(path: Path) -> dict[str, str]:
    """Read a table of record numbers and pseudonyms; no message repeats a record number."""
    from sudeck.study.folder.tables import read_cells

    if not path.is_file():
        raise InputError("--ids", "there is no such file", "check the path")
    cells = read_cells(path)
    header = [text.strip() for text in cells[0][1]] if cells else []
    if not {"record_number", "participant_id"} <= set(header):
        raise InputError(
            "--ids", "its columns are not record_number and participant_id", "give it these headings"
        )
    record, pseudonym = header.index("record_number"), header.index("participant_id")
    chosen: dict[str, str] = {}
    for line, texts in cells[1:]:
        if len(texts) <= max(record, pseudonym):
            raise InputError("--ids", f"line {line} is too short", "fill in both columns")
        chosen[texts[record].strip()] = texts[pseudonym].strip()
    return chosen
