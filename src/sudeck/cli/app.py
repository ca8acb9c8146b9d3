"""The `sudeck` command and its families of subcommands."""

from __future__ import annotations

import typer

from sudeck.cli import (
    circuit,
    decide,
    demo,
    explain,
    inspect,
    ketamine,
    other_studies,
    review,
    scan,
    study,
    study_setup,
    tms,
    truth,
)

app = typer.Typer(
    name="sudeck",
    help="Measure bone scans and magnetic stimulation in complex regional pain syndrome, every number with "
    "its interval. Research software, not a medical device.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _version(value: bool) -> None:
    if value:
        from sudeck.core.provenance import SOFTWARE

        typer.echo(SOFTWARE)
        raise typer.Exit


@app.callback()
def _root(
    version: bool = typer.Option(
        False, "--version", callback=_version, is_eager=True, help="Print the version and leave."
    ),
) -> None:
    pass


app.command("scan")(scan.scan)
app.add_typer(tms.app, name="tms")
app.add_typer(circuit.circuit, name="circuit")
app.add_typer(ketamine.app, name="ketamine")
app.command("inspect")(inspect.inspect)
app.command("demo")(demo.demo)
app.command("run")(study.run)
app.command("predict")(study.predict)
app.command("explain")(explain.explain)
app.command("calculate")(study.calculate)
app.command("plan")(study.plan)
app.command("validate")(other_studies.validate)
app.command("update")(other_studies.update)
app.command("share")(other_studies.share)
app.command("pool")(other_studies.pool)
app.command("init")(study_setup.init)
app.command("import")(study_setup.import_)
app.command("check")(study_setup.check)
app.command("decide")(decide.decide)
app.command("review")(review.review)
app.command("truth")(truth.truth)
app.command("who")(study_setup.who)
