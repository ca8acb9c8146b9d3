"""`sudeck decide`: what a person settles about a patient, kept with who, when and why."""

from __future__ import annotations

import getpass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sudeck.core.errors import InputError

if TYPE_CHECKING:
    from sudeck.study.folder.layout import StudyFolder

_HOW = (
    "reject trial 17 [of FILE] [channel NAME] · keep trial 17 · onset trial 17 23.5 · side left · "
    "limb hand · view plantar · "
    "image-left right · injection-time 2016-01-31T10:30 · frame-time 2.0 · phase FILE bone · "
    "region FILE.json · exclude [scan|tms] · include [scan|tms] · accept [scan|tms] · sign-off · "
    "note TEXT · undo KIND [ABOUT] · take-over READER"
)


def decide(
    folder: Annotated[Path, typer.Argument(metavar="STUDY", help="The study folder.", show_default=False)],
    patient: Annotated[str, typer.Argument(metavar="PATIENT", help="e.g. sub-012", show_default=False)],
    words: Annotated[
        list[str] | None, typer.Argument(metavar="DECISION...", help=_HOW, show_default=False)
    ] = None,
    why: Annotated[str, typer.Option(help="The reason, in a sentence that names no person.")] = "",
    who: Annotated[
        str,
        typer.Option(
            envvar="SUDECK_WHO",
            help="Initials or role of the person who decides; the account on this computer unless given.",
        ),
    ] = "",
    session: Annotated[
        str, typer.Option(help="Session it concerns, e.g. ses-pre; every one unless given.")
    ] = "",
) -> None:
    """Settle something about a patient, for the next run; without a decision list those that stand."""
    from sudeck.study.folder.decision_kinds import OF_TRIALS, Decision
    from sudeck.study.folder.decisions import (
        record_decision,
        standing_decisions,
        take_over,
        what_it_misses,
    )
    from sudeck.study.folder.layout import open_study

    study = open_study(folder)
    if not words:
        standing = standing_decisions(study, patient)
        typer.echo("\n".join(map(str, standing)) if standing else f"Nothing was decided about {patient}.")
        return
    if not why.strip():
        raise InputError("sudeck decide", "it does not say why", "add --why")
    who = who.strip() or _account()
    if words[0] == "take-over" and len(words) == 2:
        hashes = take_over(study, words[1], patient, who=who, why=why)
        lines = f"{len(hashes)} {'decision' if len(hashes) == 1 else 'decisions'}"
        said = f"Kept: {lines} of {patient}, as {words[1]} read it. Used by the next sudeck run."
        typer.echo(said if hashes else f"{patient} stands as {words[1]} read it already.")
        return
    kind, about, value = _meaning(words)
    if kind in OF_TRIALS and not session:
        session = _only_session(study, patient)
    if kind in OF_TRIALS and value is not None:
        _refuse_ambiguous(study, patient, session, about)
    if patient not in {*study.patients(), *_listed(study)}:
        raise InputError(patient, "the study does not know this patient", "check the pseudonym")
    decision = Decision(patient, kind, value, who, why, session=session, about=about)
    if value is None:
        if decision.subject not in {one.subject for one in standing_decisions(study, patient)}:
            raise InputError(patient, f"no such decision on {kind} stands", "list them without words")
    elif missed := what_it_misses(study, decision):
        raise InputError(patient, missed, f"name one of its sessions: {', '.join(study.sessions(patient))}")
    record_decision(study, decision)
    place = " ".join(filter(None, (patient, session, kind, about)))
    typer.echo(f"Kept: {place}, decided by {who}. It is used by the next sudeck run.")


def _account() -> str:
    """Return the name of the account that decides."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # an account without a name, as in some containers
        raise InputError("sudeck decide", "it does not say who decides", "add --who") from None


def _meaning(words: list[str]) -> tuple[Any, str, Any]:
    """Return kind, about and value of a decision as a person words it."""
    match words:
        case ["reject" | "keep" as value, "trial", number, *place]:
            return "trial", " ".join(["trial", number, *place]), value
        case ["onset", "trial", number, *place, onset]:
            return "onset", " ".join(["trial", number, *place]), _number(onset)
        case ["side" | "limb" | "view" | "image-left" | "injection-time" as kind, value]:
            return kind, "", value
        case ["frame-time", seconds]:
            return "frame-time", "", _number(seconds)
        case ["phase", name, phase]:
            return "phase", name, phase
        case ["region", path]:
            from sudeck.scan.ratios.drawn_regions import read_region_file

            return "region", "", dict(read_region_file(Path(path)))
        case ["exclude" | "include" as verb, *part] if len(part) < 2:
            return "exclude", "".join(part), verb == "exclude"
        case ["accept", *part] if len(part) < 2:
            return "accepted", "".join(part), True
        case ["sign-off"]:
            return "signed-off", "", True
        case ["note", *text] if text:
            return "note", "", " ".join(text)
        case ["undo", kind, *about]:
            return kind, " ".join(about), None
    raise InputError("sudeck decide", "the decision is not understood", f"write one of: {_HOW}")


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise InputError(
            "sudeck decide", f"{text[:20]} is not a number", "write it with a decimal point"
        ) from None


def _only_session(study: StudyFolder, patient: str) -> str:
    sessions = [name for name in study.sessions(patient) if study.recording_files(patient, name)]
    if len(sessions) == 1:
        return sessions[0]
    said = f"it has recordings in {', '.join(sessions)}" if sessions else "it has no recordings"
    raise InputError(patient, said, "say which trial is meant with --session")


def _refuse_ambiguous(study: StudyFolder, patient: str, session: str, about: str) -> None:
    """Refuse a trial that two recordings of the session have: it would stop the measurement of both."""
    from sudeck.study.folder.decision_kinds import trial_place
    from sudeck.study.measuring.inputs import recordings_among
    from sudeck.study.measuring.neutral_names import neutral_names

    there = study.recording_files(patient, session)
    files = recordings_among(there)
    try:
        of = trial_place(about)[1]
    except ValueError:
        return  # refused as every malformed decision is
    if len(files) < 2 or of:
        return
    instead = neutral_names(there, patient)  # as the results name them
    names = ", ".join(instead.get(path.name, path.name) for path in files)
    number = about.split()[1]
    raise InputError(
        patient,
        f"{session} has {len(files)} recordings: {names}",
        f"say of which: reject trial {number} of {instead.get(files[0].name, files[0].name)}",
    )


def _listed(study: StudyFolder) -> set[str]:
    from sudeck.study.folder.tables import read_tables

    return {str(row["participant_id"]) for row in read_tables(study)["participants"].rows}
