"""The `sudeck` command and its families of subcommands."""

from __future__ import annotations

import inspect as python_inspect
import re
from collections.abc import Iterable, Iterator
from typing import Any, Final

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


_WITH_COMMA: Final = re.compile(r"[-+]?[0-9]+,[0-9]+")
_NUMBER: Final = re.compile(r"[-+]?[0-9]+([.,][0-9]+)?")


def with_decimal_points(words: list[str]) -> list[str]:
    """Return what was typed, decimal commas behind options that take such numbers as points.

    The tables of a study may be written so; 1,31 behind another option stays as it is.
    """
    if not any(_WITH_COMMA.fullmatch(word.rpartition("=")[2]) for word in words):
        return words
    numeric, said, follows = set(_numeric_options(app)), [], False
    for word in words:
        name, equals, value = word.partition("=")
        if equals and name in numeric and _WITH_COMMA.fullmatch(value):
            word = f"{name}={value.replace(',', '.')}"
        elif follows and _WITH_COMMA.fullmatch(word):
            word = word.replace(",", ".")
        follows = word in numeric or (follows and bool(_NUMBER.fullmatch(word)))  # some options take two
        said.append(word)
    return said


def _numeric_options(family: typer.Typer) -> Iterator[str]:
    for group in family.registered_groups:
        if group.typer_instance is not None:
            yield from _numeric_options(group.typer_instance)
    for command in family.registered_commands:
        assert command.callback is not None
        for name, given in python_inspect.signature(command.callback, eval_str=True).parameters.items():
            if float in _parts(given.annotation):
                named = [word for one in _options_in(given.annotation) for word in one.param_decls or ()]
                yield from named or [f"--{name.replace('_', '-')}"]


def _parts(annotation: Any) -> Iterable[Any]:
    """Return the types that an annotation is made of."""
    parts = getattr(annotation, "__args__", ())
    return [annotation, *(one for part in parts for one in _parts(part))]


def _options_in(annotation: Any) -> Iterable[Any]:
    return [one for one in getattr(annotation, "__metadata__", ()) if hasattr(one, "param_decls")]
