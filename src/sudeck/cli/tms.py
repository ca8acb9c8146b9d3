"""`sudeck tms`: measure recordings, compare two measurements, and find a threshold at the stimulator."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from typer.core import TyperGroup

from sudeck.core.errors import InputError

if TYPE_CHECKING:
    from sudeck.study.measuring.engine import Progress
    from sudeck.tms.comparison import Comparison
    from sudeck.tms.measurement import TmsSettings
    from sudeck.tms.recordings.companions import ForRecordings
    from sudeck.tms.recordings.protocol import StimulationProtocol
    from sudeck.tms.result import TmsResult
    from sudeck.tms.saved import SavedResult
    from sudeck.tms.thresholds.session import ThresholdSession

_MEASURE = "measure"
_ENDS = {"", "q", "quit", "stop", "end"}
_UNDO = {"u", "undo"}


class MeasuringGroup(TyperGroup):
    """A group in which everything that names no other subcommand is a recording to measure."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Return the subcommand of the first word, else the measuring one with all words."""
        if args and args[0] not in self.commands:
            args = [_MEASURE, *args]
        return super().resolve_command(ctx, args)

    def parse_args(self, ctx: Any, args: list[str]) -> Any:
        """Let options of the measuring subcommand stand before the first recording."""
        if args and args[0] not in self.commands and args[0] not in {"--help", "-h"}:
            args = [_MEASURE, *args]
        return super().parse_args(ctx, args)


app = typer.Typer(
    cls=MeasuringGroup,
    help="Thresholds, MEPs, SICI, ICF, LICI, IHI and silent periods of each hemisphere. "
    "`sudeck tms RECORDING…` measures; see `sudeck tms measure --help` for its options.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

Recordings = Annotated[
    list[Path],
    typer.Argument(help="Recordings, tables of trial amplitudes, folders of them.", show_default=False),
]
EventsOption = Annotated[
    list[str] | None,
    typer.Option(
        help="What each stimulus was: TSV or CSV, one row a stimulus. Of several recordings each its own: "
        "left.cfs=left.tsv, again for the next.",
        show_default=False,
    ),
]
ProtocolOption = Annotated[
    list[str] | None,
    typer.Option(
        help="What the recording does not say: a TOML file, see docs/tms.md; or each its own, as --events.",
        show_default=False,
    ),
]
ChannelOption = Annotated[
    str | None, typer.Option(help="Channel to measure, by its name or muscle; all unless given.")
]
MuscleOption = Annotated[
    str | None, typer.Option(help="Muscle that was recorded; channels that name another are left out.")
]
HemisphereOption = Annotated[
    Literal["left", "right"] | None, typer.Option(help="Hemisphere that was stimulated, where nothing says.")
]


@app.command(_MEASURE)
def measure(
    recordings: Recordings,
    events: EventsOption = None,
    protocol: ProtocolOption = None,
    channel: ChannelOption = None,
    muscle: MuscleOption = None,
    hemisphere: HemisphereOption = None,
    participant: Annotated[str, typer.Option(help="Whose recordings these are, where nothing says.")] = "",
    visit: Annotated[str, typer.Option(help="Visit of the recordings, where nothing says.")] = "",
    window: Annotated[
        tuple[float, float] | None,
        typer.Option(help="Where a response is looked for: begin and end, in ms after the pulse."),
    ] = None,
    criterion: Annotated[
        float | None, typer.Option(min=0.001, help="Amplitude in mV that counts as a response at rest.")
    ] = None,
    level: Annotated[float, typer.Option(min=0.5, max=0.999, help="Coverage of the intervals.")] = 0.95,
    decisions: Annotated[
        Path | None,
        typer.Option(help="Trials rejected or onsets moved: a TSV with trial, decision, onset_ms, who, why."),
    ] = None,
    jobs: Annotated[
        int | None,
        typer.Option(min=1, help="Processes, where there are several people."),
    ] = None,
    participants: Annotated[
        Path | None,
        typer.Option(help="A participants.tsv with affected_side: measures.tsv then says pain or other."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="Folder for tms.json, trials.tsv, measures.tsv, report.html.", show_default=False),
    ] = None,
) -> None:
    """Measure recordings: every measure of each hemisphere with its interval.

    Of a folder with several people each gets a folder of its own under --out; measures.tsv holds them all.
    """
    from sudeck.cli.progress import progress_bar
    from sudeck.report.tms.console import print_tms
    from sudeck.report.tms.people import measure_people
    from sudeck.study.measuring.engine import Progress
    from sudeck.tms.measures_table import read_affected
    from sudeck.tms.recordings.companions import given_for

    with progress_bar("Measuring people") if sys.stderr.isatty() else nullcontext(_silent) as show:
        result = measure_people(
            recordings,
            settings=_settings(level=level, window=window, criterion=criterion),
            out=out,
            jobs=jobs,
            affected=read_affected(participants) if participants is not None else None,
            progress=lambda done, total, left: show(Progress(done, total, 0, left)),
            events=given_for(events or ()),
            protocol=given_for(protocol or ()),
            channel=channel,
            muscle=muscle,
            hemisphere=hemisphere,
            participant=participant,
            visit=visit,
            decisions=decisions,
        )
    _say_refused(result)
    print_tms(result, written=str(out or ""))


@app.command()
def compare(
    pre: Annotated[Path, typer.Argument(help="Before: a tms.json, its folder, or a recording.")],
    post: Annotated[Path, typer.Argument(help="After: the same.")],
    pre_visit: Annotated[
        str | None, typer.Option(help="Visit to take of PRE, where it holds several.")
    ] = None,
    post_visit: Annotated[
        str | None, typer.Option(help="Visit to take of POST, where it holds several.")
    ] = None,
    retest: Annotated[
        Path | None,
        typer.Option(
            help="People measured twice without treatment: a TSV with columns measure, first, second. "
            "Without it no change is called real."
        ),
    ] = None,
    protocol: ProtocolOption = None,
    channel: ChannelOption = None,
    muscle: MuscleOption = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder for comparison.html and comparison.json.", show_default=False)
    ] = None,
) -> None:
    """Compare two measurements of a person: the change of each hemisphere, and what is detectable."""
    from sudeck.report.tms.console import print_comparison
    from sudeck.tms.comparison import compare_results
    from sudeck.tms.recordings.companions import given_for, refuse_unnamed
    from sudeck.tms.recordings.recording_files import recordings_in
    from sudeck.tms.retest import read_retest

    errors = read_retest(retest) if retest else None
    stated = given_for(protocol or ())
    refuse_unnamed(stated, recordings_in((pre, post)))
    before, after = (
        _of_visit(_visit_of(path, protocol=stated, channel=channel, muscle=muscle), visit, path)
        for path, visit in ((pre, pre_visit), (post, post_visit))
    )
    found: Comparison = compare_results(before.estimates, after.estimates, errors=errors)
    page = ""
    if out is not None:
        from sudeck.core.privacy import Redactor
        from sudeck.core.provenance import SourceFile, sha256_of_file
        from sudeck.report.tms.compare_page import write_comparison

        table = None
        if retest is not None:
            table = SourceFile(Redactor().label(retest), sha256_of_file(retest), retest.stat().st_size)
        page = str(write_comparison(found, before, after, out, errors=errors, retest=table))
    print_comparison(found, written=page)


@app.command()
def threshold(
    state: Annotated[
        Literal["rest", "active"], typer.Option(help="Threshold of the resting or active muscle.")
    ] = ("rest"),
    criterion: Annotated[
        float | None, typer.Option(min=0.001, help="Amplitude in mV that counts as a response.")
    ] = None,
    step: Annotated[float, typer.Option(min=0.1, help="Step of the stimulator's scale, in %MSO.")] = 1.0,
    stop_sd: Annotated[float, typer.Option(min=0.1, help="Stop at this posterior SD, in %MSO.")] = 1.5,
    max_pulses: Annotated[int, typer.Option(min=1, help="Stop after so many pulses in any case.")] = 60,
    limit: Annotated[
        float, typer.Option(min=1, max=100, help="Highest intensity the stimulator gives, in %MSO.")
    ] = 100.0,
    prior_mean: Annotated[
        float | None, typer.Option(min=10, max=130, help="Threshold expected before the first pulse, %MSO.")
    ] = None,
    prior_sd: Annotated[
        float | None, typer.Option(min=1, max=60, help="How far the threshold may lie from that, as an SD.")
    ] = None,
    session: Annotated[
        Path | None,
        typer.Option(help="File that keeps the session after each pulse; where it exists, it goes on."),
    ] = None,
    hemisphere: HemisphereOption = None,
    muscle: Annotated[str, typer.Option(help="Muscle that is recorded.")] = "",
    participant: Annotated[str, typer.Option(help="Pseudonym of the person.")] = "",
    visit: Annotated[str, typer.Option(help="Visit.")] = "",
    out: Annotated[
        Path | None, typer.Option(help="Folder for tms.json and trials.tsv.", show_default=False)
    ] = None,
) -> None:
    """Find a motor threshold at the stimulator: type each response, get the next intensity.

    A response is its amplitude in mV (0.12), or y or n. If another intensity was given than advised, write it
    first: 48 0.12. undo takes the last one back. An empty line, q or the end of the input stops.
    """
    from sudeck.tms.threshold_result import session_result
    from sudeck.tms.thresholds.session import ThresholdSession

    if session is not None and session.is_file():
        going = _resumed(session)
        n = len(going.pulses)
        typer.echo(f"Goes on after {n} pulse{'' if n == 1 else 's'}, with the settings of {session.name}.")
    else:
        going = ThresholdSession(
            active=state == "active",
            criterion_mv=criterion,
            step_mso=step,
            stop_sd_mso=stop_sd,
            max_pulses=max_pulses,
            limit_mso=limit,
            prior_mean_mso=prior_mean,
            prior_sd_mso=prior_sd,
        )
    typer.echo(str(going.advice))
    _type_responses(going, session)
    if conclusion := going.conclusion():
        typer.echo(conclusion)
    if out is not None and going.pulses:
        session_result(
            going, hemisphere=hemisphere, muscle=muscle, participant=participant, visit=visit
        ).write(out)
        typer.echo(f"Results: {out}")


def _type_responses(going: ThresholdSession, kept: Path | None) -> None:
    """Take in typed responses until the threshold is known or the person stops; keep each at once."""
    from sudeck.core.storage import write_json

    prompting = sys.stdin.isatty()
    while not going.advice.stop:
        if prompting:
            typer.echo(f"Response at {going.advice.next_intensity_mso:g} %MSO: ", nl=False)
        line = sys.stdin.readline()
        word = line.strip().lower()
        if word in _ENDS:
            return
        try:
            typer.echo(str(going.undo() if word in _UNDO else going.respond(line)))
        except InputError as error:
            if not prompting:
                raise
            typer.echo(f"  {error}")
            continue
        if kept is not None:
            write_json(kept, going.to_dict())


def _resumed(kept: Path) -> ThresholdSession:
    from sudeck.core.storage import parse_json
    from sudeck.tms.thresholds.session import ThresholdSession

    content = parse_json(kept.read_bytes(), subject=kept.name)
    return ThresholdSession.resumed(content if isinstance(content, dict) else {})


def _silent(_: Progress) -> None:
    """Stand for a progress bar where nobody looks."""


def _settings(
    *,
    level: float = 0.95,
    window: tuple[float, float] | None = None,
    criterion: float | None = None,
) -> TmsSettings:
    from sudeck.tms.measurement import TmsSettings
    from sudeck.tms.measures.measure_settings import GroupSettings
    from sudeck.tms.responses.response_settings import ResponseSettings

    measures = GroupSettings(level=level)
    if criterion is not None:
        measures = replace(measures, resting_criterion_mv=criterion)
    return TmsSettings(ResponseSettings(search_ms=window), measures)


def _say_refused(result: TmsResult) -> None:
    """Say on standard error which recordings were refused."""
    for flag in result.flags:
        if flag.code == "recording-refused":
            typer.echo(f"sudeck: {flag.message}", err=True)


def _visit_of(
    path: Path, *, protocol: Path | Mapping[str, Path] | None, channel: str | None, muscle: str | None
) -> SavedResult:
    from sudeck.tms.recordings.companions import own_companions
    from sudeck.tms.recordings.recording_files import recordings_in
    from sudeck.tms.saved import SavedResult, is_saved_result, read_saved

    if is_saved_result(path):
        return read_saved(path)
    from sudeck.tms.measurement import measure_recordings

    paths = recordings_in([path])
    own: ForRecordings[StimulationProtocol] = protocol
    own = own_companions(own, paths)
    result = measure_recordings(paths, settings=_settings(), protocol=own, channel=channel, muscle=muscle)
    _say_refused(result)
    return SavedResult(result.estimates, result.trials, result.flags, result.provenance)


def _of_visit(measured: SavedResult, visit: str | None, path: Path) -> SavedResult:
    if visit is None:
        return measured
    chosen = tuple(one for one in measured.estimates if one.visit == visit)
    if not chosen:
        there = ", ".join(sorted({one.visit for one in measured.estimates if one.visit})) or "none is named"
        raise InputError(path.name, f"no visit is called {visit} (there are: {there})", "name one of those")
    trials = tuple(trial for trial in measured.trials if trial.pulse.visit == visit)
    return replace(measured, estimates=chosen, trials=trials)
