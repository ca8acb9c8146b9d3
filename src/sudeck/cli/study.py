"""`sudeck run`, `sudeck predict`, `sudeck calculate` and `sudeck plan`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sudeck.cli.progress import progress_bar
from sudeck.core.errors import InputError

if TYPE_CHECKING:
    from sudeck.study.measuring.run import RunSummary

_FAILURES_SHOWN = 20

Study = Annotated[Path, typer.Argument(help="The study folder.", show_default=False)]
Despite = Annotated[
    bool, typer.Option("--despite-problems", help="Go on where sudeck check finds the tables wrong.")
]


def run(
    study: Study,
    jobs: Annotated[
        int | None, typer.Option(min=1, help="Worker processes; one for each core unless given.")
    ] = None,
    cluster: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="A Dask scheduler whose workers do the work.")
    ] = None,
    despite_problems: Despite = False,
) -> None:
    """Measure everything of every patient; unchanged inputs are skipped, a stopped run goes on.

    One bad patient stops nobody: what could not be measured, and why, is listed at the end and in
    derivatives/sudeck/failures.tsv.
    """
    from sudeck.report.study.patient_pages import present
    from sudeck.study.measuring.run import run_study

    _require_sound(study, despite_problems)
    with progress_bar("Measuring patients") as progress:
        summary = run_study(study, jobs=jobs, cluster=cluster, present=present, progress=progress)
    _print_failures(summary)
    typer.echo(str(summary))


def predict(
    study: Study,
    patient: Annotated[
        str | None, typer.Option(metavar="ID", help="Predict this one patient and write nothing.")
    ] = None,
    model: Annotated[
        Path | None, typer.Option(help="With --patient: a saved model.json of another study.")
    ] = None,
    despite_problems: Despite = False,
) -> None:
    """Say who responds: the published rule, the published analysis, an honest model, and how far it carries.

    Writes prediction.json, model.json, cohort.tsv and report.html into derivatives/sudeck of the study.
    """
    if model is not None and patient is None:
        raise InputError("--model", "it predicts one patient at a time", "add --patient")
    _require_sound(study, despite_problems)
    if patient is not None:
        from sudeck.study.answers.who_responds import predict_patient

        typer.echo(str(predict_patient(study, patient, model_file=model)))
        return
    from sudeck.report.study.page import REPORT_FILE, write_study_report
    from sudeck.study.answers.who_responds import predict_and_report
    from sudeck.study.folder.layout import open_study

    page = open_study(study).derivatives / REPORT_FILE
    predicted = predict_and_report(
        study, place=page, write_page=lambda said: write_study_report(study, said, path=page)
    )
    typer.echo(str(predicted) if predicted else "Nothing changed since the last prediction.")
    typer.echo(f"Report: {page}")


def calculate(
    bpr: Annotated[float, typer.Option(min=0, help="BPr: affected over healthy side, bone phase.")],
    tpr: Annotated[float, typer.Option(min=0, help="TPr: the same of the tissue phase.")],
    vpr: Annotated[float, typer.Option(min=0, help="VPr: the same of the vascular phase.")],
    duration_months: Annotated[
        float | None, typer.Option(min=0, help="Months since CRPS began, where the model asks for them.")
    ] = None,
    limb: Annotated[str | None, typer.Option(help="hand or foot, where the model asks for it.")] = None,
    model: Annotated[Path | None, typer.Option(help="A model.json that sudeck predict wrote.")] = None,
    page: Annotated[
        Path | None, typer.Option(help="With --model: also write a page that answers for others, offline.")
    ] = None,
) -> None:
    """Say of one patient, from three ratios, what the published rule and a saved model make of them.

    Nothing else is written. A model that was not tried on patients of another study supports no decision.
    """
    from sudeck.prediction.calculator import calculate as answer
    from sudeck.prediction.saved_model import read_saved_model

    given = {"duration_months": duration_months, "limb": limb}
    covariates = {name: value for name, value in given.items() if value is not None}
    saved = None if model is None else read_saved_model(model)
    typer.echo(str(answer({"VPr": vpr, "TPr": tpr, "BPr": bpr}, covariates, model=saved)))
    if page is None:
        return
    if saved is None:
        raise InputError("--page", "a page needs a model", "add --model model.json")
    from sudeck.core.storage import write_text
    from sudeck.report.study.calculator_page import calculator_page

    write_text(page, calculator_page(*saved))
    typer.echo(f"Page: {page}")


def plan(
    prevalence: Annotated[float, typer.Option(help="Expected share of responders.", show_default=False)],
    c: Annotated[
        float, typer.Option("--c", help="Expected C statistic in new patients.", show_default=False)
    ],
    parameters: Annotated[
        int, typer.Option(min=1, help="Coefficients of the model, without the intercept.")
    ] = 4,
    shrinkage: Annotated[float, typer.Option(help="Wanted shrinkage of the slopes.")] = 0.9,
    patients: Annotated[
        int, typer.Option(min=4, help="Patients of a study that chooses a single cut-off.")
    ] = 105,
    sensitivity: Annotated[float, typer.Option(help="Expected of a cut-off fixed beforehand.")] = 0.75,
    specificity: Annotated[float, typer.Option(help="Expected of a cut-off fixed beforehand.")] = 0.75,
    half_width: Annotated[float, typer.Option(help="Wanted half width of their 95 % intervals.")] = 0.1,
    r2: Annotated[
        float | None,
        typer.Option(help="Expected explained variance of relief: plans a model of relief, too."),
    ] = None,
) -> None:
    """Say how many patients a model, its validation and a single cut-off need."""
    from sudeck.statistics.sample_size.criteria import (
        plan_binary_model,
        plan_continuous_model,
        plan_validation,
    )
    from sudeck.statistics.sample_size.precision import cutoff_patients, cutoff_precision

    parts = [
        (
            f"To develop a model of {parameters} coefficients",
            plan_binary_model(
                n_parameters=parameters, prevalence=prevalence, c_statistic=c, shrinkage=shrinkage
            ),
        ),
        ("To validate it on other patients", plan_validation(prevalence=prevalence, c_statistic=c)),
        (
            "To judge a cut-off fixed beforehand",
            cutoff_patients(
                sensitivity=sensitivity,
                specificity=specificity,
                prevalence=prevalence,
                half_width=half_width,
            ),
        ),
    ]
    if r2 is not None:
        size = plan_continuous_model(n_parameters=parameters, r2=r2, shrinkage=shrinkage)
        parts.insert(1, (f"To develop a model of relief with {parameters} coefficients", size))
    for title, size in parts:
        first, *criteria = str(size).splitlines()
        typer.echo("\n".join([f"{title}: {first}", *criteria, f"  ({size.source})"]))
    precision = cutoff_precision(n=patients, c_statistic=c, prevalence=prevalence)
    typer.echo(f"What a cut-off chosen on its own study is worth: {precision}")


def _require_sound(study: Path, despite_problems: bool) -> None:
    from sudeck.study.checks.check import require_sound_tables
    from sudeck.study.folder.layout import open_study

    if not despite_problems:
        require_sound_tables(open_study(study))


def _print_failures(summary: RunSummary) -> None:
    from sudeck.report.kit.printing import open_console, print_item

    console = open_console()
    for failure in summary.failures[:_FAILURES_SHOWN]:
        where = " ".join(filter(None, (failure.participant_id, failure.session)))
        print_item(console, f"{where}, {failure.measure} not measured", failure.reason, "yellow")
    more = len(summary.failures) - _FAILURES_SHOWN
    if more > 0:
        typer.echo(f"{more} more in derivatives/sudeck/failures.tsv")
