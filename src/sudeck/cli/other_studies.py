"""`sudeck validate`, `sudeck update`, `sudeck share` and `sudeck pool`: beyond one study."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Study = Annotated[Path, typer.Argument(help="The study folder.", show_default=False)]
SavedModel = Annotated[
    Path, typer.Option("--model", help="A model.json of another study.", show_default=False)
]


def validate(study: Study, model: SavedModel) -> None:
    """Try a model of another study on the patients of this one: discrimination, calibration, decisions.

    Writes validation.json and validated_model.json, the same model with the record of how it did here, into
    derivatives/sudeck of the study.
    """
    from sudeck.study.answers.elsewhere.another_study import VALIDATED_MODEL, validate_study
    from sudeck.study.folder.layout import open_study

    typer.echo(str(validate_study(study, model)))
    typer.echo(f"Model with its record: {open_study(study).derivatives / VALIDATED_MODEL}")


def update(study: Study, model: SavedModel) -> None:
    """Find the least change of a model of another study that fits the patients of this one (closed test).

    Writes updated_model.json into derivatives/sudeck of the study, unless the model may stay as it is.
    """
    from sudeck.study.answers.elsewhere.another_study import update_study

    found, path = update_study(study, model)
    typer.echo(str(found))
    if path is not None:
        typer.echo(f"Updated model, to be validated in another study: {path}")
    elif found.chosen == "revision":
        typer.echo("These patients ask for new coefficients: sudeck predict fits a model of their own.")
    else:
        typer.echo("These patients do not contradict the model: keep it as it is.")


def share(
    study: Study,
    out: Annotated[
        Path | None, typer.Option(help="The file; into derivatives/sudeck of the study unless given.")
    ] = None,
    question: Annotated[
        Path | None,
        typer.Option(help="A question of the joint fit: its sums are written in place of the summary."),
    ] = None,
) -> None:
    """Write the summary of this centre for others to pool: no patient, no count under five."""
    if question is not None:
        from sudeck.study.answers.elsewhere.rounds import answer_question
        from sudeck.study.folder.layout import open_study

        place = out or open_study(study).derivatives / f"answer_{study.resolve().name}.json"
        said = answer_question(study, question, place)
        typer.echo(
            f"Sums of {said['patients']} patients for round {said['round']}. Read them before they leave: "
            f"{place}"
        )
        return
    from sudeck.study.answers.elsewhere.centres import share_study

    summary, path = share_study(study, path=out)
    typer.echo(str(summary))
    typer.echo(f"Read it before it leaves: {path}")


def pool(
    summaries: Annotated[
        list[Path], typer.Argument(help="Files that sudeck share wrote.", show_default=False)
    ],
    joint: Annotated[
        Path | None,
        typer.Option(
            help="The question of the joint fit: made from summaries where it is missing, else the files are "
            "its answers and it becomes the next."
        ),
    ] = None,
    level: Annotated[float, typer.Option(min=0.5, max=0.999, help="Coverage of the intervals.")] = 0.95,
) -> None:
    """Take several centres together: random effects, and what to expect of another centre."""
    if joint is not None:
        _pool_jointly(joint, summaries, level)
        return
    from sudeck.study.answers.elsewhere.centres import pool_centres

    typer.echo(str(pool_centres(summaries, level=level)))


def _pool_jointly(joint: Path, files: list[Path], level: float) -> None:
    from sudeck.core.storage import write_json
    from sudeck.study.answers.elsewhere.rounds import CentresModel, first_question, next_round, read_question

    if joint.exists():
        found = next_round(read_question(joint), files, level=level)
        if isinstance(found, CentresModel):
            typer.echo(str(found))
            return
    else:
        found = first_question(files)
    write_json(joint, found.to_dict())
    typer.echo(f"{joint.name}, {found}: sudeck share STUDY --question {joint.name} --out FILE")
