"""`sudeck inspect`: what files hold, whatever they are, before anything is measured."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sudeck.cli.scan import (
    FrameOption,
    ImageLeftOption,
    InjectedOption,
    LimbOption,
    Paths,
    PhaseOption,
    ViewOption,
    phase_map,
)
from sudeck.cli.tms import EventsOption, ProtocolOption
from sudeck.core.errors import InputError, SudeckError


def inspect(
    paths: Paths,
    limb: LimbOption = None,
    view: ViewOption = None,
    image_left: ImageLeftOption = None,
    injected_at: InjectedOption = None,
    frame_seconds: FrameOption = None,
    phase: PhaseOption = None,
    events: EventsOption = None,
    protocol: ProtocolOption = None,
    template: Annotated[
        Path | None,
        typer.Option(help="Folder for an events table and a protocol of each recording, to be completed."),
    ] = None,
) -> None:
    """Show what is in files: frames or channels, what would be used, what not and why.

    Bone scans and recordings of magnetic stimulation are told apart by their content.
    """
    for path in paths:
        if not path.exists():
            raise InputError(path.name, "there is no such file or folder", "check the path")
    recordings, others = _sorted_by_kind(paths)
    if recordings:
        from sudeck.tms.recordings.companions import given_for, refuse_unnamed

        tables, stated = given_for(events or ()), given_for(protocol or ())
        refuse_unnamed(tables, recordings)
        refuse_unnamed(stated, recordings)
    parts: list[str] = []
    refused: list[SudeckError] = []
    for path in recordings:
        from sudeck.tms.recordings.recording_inspection import inspect_recording

        try:
            found_in = inspect_recording(path, events=tables, protocol=stated)
            parts.append(str(found_in))
            if template is not None:
                from sudeck.tms.recording_template import recording_template

                made = recording_template(path, events=tables, protocol=stated)
                files = made.write(template, Path(found_in.label).stem)
                parts[-1] += f"\n  to be completed: {files[0]} and {files[1].name}"
        except SudeckError as error:
            refused.append(error)
    if others:
        from sudeck.scan.phases.scan_inspection import inspect_scan

        try:
            found = inspect_scan(
                others,
                limb=limb,
                view=view,
                image_left=image_left,
                injected_at=injected_at,
                frame_s=frame_seconds,
                phase_of=phase_map(phase or []),
            )
            parts.append(str(found))
        except SudeckError as error:
            refused.append(error)
    if not parts:
        for other in refused[1:]:
            refused[0].add_note(str(other))
        raise refused[0]
    typer.echo("\n\n".join(parts))
    # What merely lies in a folder belongs to the list; what was named on the command line is an error.
    named = {path.name for path in paths}
    aside = [other for other in refused if _subject(other) not in named]
    if aside:
        typer.echo("\nNot used\n" + "\n".join(f"  {other}" for other in aside))
    for other in refused:
        if other not in aside:
            typer.echo(f"sudeck: {other}", err=True)


def _subject(error: SudeckError) -> str:
    return error.subject if isinstance(error, InputError) else ""


def _sorted_by_kind(paths: list[Path]) -> tuple[list[Path], list[Path]]:
    """Return recordings of magnetic stimulation, and all else for the readers of scans.

    A folder without recordings is handed on whole; of a mixed one, what is DICOM.
    """
    from sudeck.tms.recordings.recording_files import is_recording

    recordings: list[Path] = []
    others: list[Path] = []
    for path in paths:
        inside = sorted(item for item in path.rglob("*") if item.is_file()) if path.is_dir() else [path]
        own = [item for item in inside if is_recording(item)]
        recordings += own
        if own and path.is_dir():
            others += [item for item in inside if item not in own and _is_dicom(item)]
        elif not own:
            others.append(path)
    return recordings, others


def _is_dicom(path: Path) -> bool:
    from sudeck.scan.reading.dicom import open_dicom

    try:
        open_dicom(path)
    except InputError:
        return False
    return True
