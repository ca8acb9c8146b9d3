"""`sudeck ketamine`: what a study's patients were given, and what published regimens make of the plasma."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer
from typer.core import TyperGroup

from sudeck.cli.progress import progress_bar
from sudeck.core.errors import InputError

if TYPE_CHECKING:
    from sudeck.ketamine.regimen import Regimen

_STUDY = "study"
_PUBLISHED_KG = 70.0


class TreatmentGroup(TyperGroup):
    """A group in which a word that names no subcommand is a study; some questions are refused."""

    def parse_args(self, ctx: Any, args: list[str]) -> Any:
        """Let the name of a study stand where a subcommand would."""
        _refuse_to_prescribe(args)
        if args and args[0] not in self.commands and args[0] not in {"--help", "-h"}:
            args = [_STUDY, *args]
        elif args[:1] == [_STUDY] and Path(_STUDY).is_dir() and all(one.startswith("-") for one in args[1:2]):
            args = [_STUDY, *args]  # a study that is called so, as that of the demo
        return super().parse_args(ctx, args)


# What follows these is a name, not a question.
_VALUES: Final = {"--weight", "--patient", "--model", "--out", "--jobs"}


def _refuse_to_prescribe(args: Sequence[str]) -> None:
    """Answer a question that this room does not answer with its reason, however it is put.

    Raises
    ------
    InputError
        Naming why.
    """
    from sudeck.ketamine.boundary import question_of, refuse

    asked = [
        word
        for before, word in zip(("", *args), args, strict=False)
        if before not in _VALUES and word.split("=")[0] not in _VALUES and not Path(word).exists()
    ]
    question = question_of(asked)
    if question is not None:
        raise refuse(question)


app = typer.Typer(
    cls=TreatmentGroup,
    help="The treatment: what was given, what exposure that was, what was on board when. `sudeck ketamine "
    "STUDY` describes a study. It never says what to give.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@app.command(_STUDY)
def study(
    study: Annotated[Path, typer.Argument(help="The study folder.", show_default=False)],
    jobs: Annotated[
        int | None, typer.Option(min=1, help="Worker processes; one for each core unless given.")
    ] = None,
) -> None:
    """Say what each patient was given, as exposure with its interval, and what was on board at recordings.

    Writes ketamine.json, ketamine.tsv and ketamine.html into derivatives/sudeck. A study need not be run
    before.
    """
    from sudeck.study.measuring.engine import use_one_thread

    use_one_thread()
    from sudeck.report.ketamine.console import print_treatment
    from sudeck.report.ketamine.page import write_treatment_report
    from sudeck.study.answers.study_treatment import TREATMENT_FILE, describe_treatment

    with progress_bar("Working out exposures") as progress:
        described = describe_treatment(study, jobs=jobs, progress=progress)
    page = write_treatment_report(study, described)
    print_treatment(described)
    typer.echo(f"\nResults: {page.with_name(TREATMENT_FILE)}\nReport: {page}")


@app.command("simulate")
def simulate(
    regimen: Annotated[
        str, typer.Argument(help="A published regimen (see regimens), or a study with --patient.")
    ],
    weight: Annotated[
        float | None, typer.Option(min=20, max=250, help="Body weight in kg of a published regimen; 70.")
    ] = None,
    patient: Annotated[
        str | None, typer.Option(metavar="ID", help="The course that this patient of a study was given.")
    ] = None,
    model: Annotated[
        list[str] | None, typer.Option(help="A model beside the ensemble; may be repeated. The first leads.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Figure: a .png, .svg or .pdf file.", show_default=False)
    ] = None,
) -> None:
    """Show a published regimen, or a course already given, as concentrations with the range of people.

    Scenarios of effect come as ranges over what was published: they forecast nobody.
    """
    from sudeck.ketamine.course_simulation import simulate_regimen
    from sudeck.report.ketamine.console import print_simulation

    course, kilos, title = _course(regimen, patient, weight)
    simulated = simulate_regimen(course, kilos, title=title, models=model or ())
    print_simulation(simulated)
    if out is not None:
        from sudeck.report.ketamine.figures import draw_simulation

        draw_simulation(simulated, out)
        typer.echo(f"Figure: {out}")


@app.command("regimens")
def regimens() -> None:
    """List the published regimens: dose and exposure at 70 kg, source, how far read, what was assumed."""
    from sudeck.report.ketamine.console import print_regimens

    print_regimens()


def _course(name: str, patient: str | None, weight: float | None) -> tuple[Regimen, float, str]:
    from sudeck.ketamine.boundary import refuse
    from sudeck.ketamine.published_regimens import PUBLISHED, published_regimen

    if name in {one.key for one in PUBLISHED}:
        if patient is not None:
            raise refuse("dose")
        found = published_regimen(name)
        kilos = _PUBLISHED_KG if weight is None else weight
        return found.for_weight(kilos), kilos, found.title
    if not Path(name).is_dir():
        published_regimen(name)  # names those there are
    if patient is None:
        raise InputError(name, "a study has many courses", "name a patient: --patient ID")
    if weight is not None:
        raise InputError("--weight", "the weight of a patient stands in participants.tsv", "leave it out")
    from sudeck.study.answers.treatment.treatment_given import patient_treatments
    from sudeck.study.folder.layout import open_study
    from sudeck.study.folder.tables import read_tables

    (given,) = patient_treatments(read_tables(open_study(Path(name))), [patient], session=None)
    if given.regimen is None or given.weight_kg is None:
        reason = given.reason or "the weight is not known"
        raise InputError(patient, reason, "see sudeck check")
    return given.regimen, given.weight_kg, f"the course given to {patient}"
