"""`sudeck circuit`: play with the two-hemisphere circuit."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from sudeck.core.errors import InputError

if TYPE_CHECKING:
    from sudeck.mechanism.measure_table import MeasureTable

circuit = typer.Typer(
    help="Two hemispheres of motor cortex under magnetic stimulation.", no_args_is_help=True
)


Protocol = Literal[
    "rmt", "recruitment", "sici", "icf", "lici", "csp", "isp", "ihi", "sicf", "disinhibition", "triple"
]
Arm = Literal[
    "nmda_block", "gaba_a", "gaba_b", "acute_ketamine", "post_course", "midazolam", "baclofen", "tiagabine",
    "s44819", "benzodiazepine", "anaesthetic", "sodium_block", "riluzole", "gabapentin", "alpha_2",
    "noradrenaline", "ethanol",
]  # fmt: skip


def _factor(text: str) -> object:
    return typer.Option(min=0.0, max=10.0, help=f"Multiply {text} by this.", show_default=False)


@circuit.command("simulate")
def simulate(
    protocol: Annotated[Protocol, typer.Option(help="What is stimulated and read.")],
    arm: Annotated[Arm | None, typer.Option(help="A drug or state; the factors below come on top.")] = None,
    nmda: Annotated[float | None, _factor("all NMDA synapses")] = None,
    nmda_pyramids: Annotated[float | None, _factor("NMDA synapses on pyramidal cells")] = None,
    nmda_interneurons: Annotated[float | None, _factor("NMDA synapses on interneurons")] = None,
    gaba_a: Annotated[float | None, _factor("GABA-A synapses")] = None,
    gaba_b: Annotated[float | None, _factor("GABA-B synapses")] = None,
    ampa: Annotated[float | None, _factor("AMPA synapses")] = None,
    callosum: Annotated[float | None, _factor("callosal synapses")] = None,
    out: Annotated[
        Path | None, typer.Option(help="Figure: a .png, .svg or .pdf file.", show_default=False)
    ] = None,
) -> None:
    """Run a protocol on the reference circuits, without and with a change of their synapses.

    The motor threshold is found anew after the change. Ranges are those over the reference circuits.
    """
    from sudeck.circuit.drugs import ARMS
    from sudeck.circuit.experiment import run_experiment
    from sudeck.report.circuit.console import print_experiment

    factors = dict(ARMS[arm].factors) if arm else {}
    given = {
        "nmda_pyramids": _product(nmda, nmda_pyramids),
        "nmda_interneurons": _product(nmda, nmda_interneurons),
        "gaba_a": gaba_a,
        "gaba_b": gaba_b,
        "ampa": ampa,
        "callosum": callosum,
    }
    for name, factor in given.items():
        if factor is not None:
            factors[name] = factors.get(name, 1.0) * factor
    experiment = run_experiment(protocol, factors)
    print_experiment(experiment)
    if arm:
        typer.echo(f"{arm}: {ARMS[arm].source}.")
    if out is not None:
        from sudeck.report.circuit.figures import draw_experiment

        draw_experiment(experiment, out)
        typer.echo(f"Figure: {out}")


def _product(first: float | None, second: float | None) -> float | None:
    if first is None or second is None:
        return first if second is None else second
    return first * second


@circuit.command("calibrate")
def calibrate(
    out: Annotated[Path, typer.Argument(help="File of the fitted circuits (JSON).")],
    members: Annotated[int, typer.Option(min=1, max=100, help="Circuits to begin with.")] = 32,
    seed: Annotated[int, typer.Option(min=0, help="Same seed, same circuits.")] = 0,
    iterations: Annotated[
        int, typer.Option(min=1, help="Gauss-Newton steps before depression is added.")
    ] = 12,
) -> None:
    """Fit reference circuits anew to the targets and drug effects that come with Sudeck."""
    from sudeck.circuit.calibration import calibrate as fit
    from sudeck.core.storage import write_json

    result = fit(members=members, rng=seed, iterations=iterations, progress=typer.echo)
    write_json(out, {"seed": seed, **result.to_dict()})
    typer.echo(f"{result}\nCircuits: {out}")


Measured = Annotated[
    Path,
    typer.Argument(
        help="A study that was run; or measures as TSV: participant_id, visit, hemisphere (pain or other), "
        "measure, value, low, high."
    ),
]
PatientOption = Annotated[str | None, typer.Option(help="One patient; all unless given.", show_default=False)]


BaselineOption = Annotated[
    str | None,
    typer.Option(help="Visit before treatment; the first of the table unless given.", show_default=False),
]


@circuit.command("fit")
def fit(
    measured: Measured,
    patient: PatientOption = None,
    baseline: BaselineOption = None,
    group: Annotated[
        bool, typer.Option("--group", help="Also how treatment moves the whole group (a hierarchy).")
    ] = False,
    seed: Annotated[int, typer.Option(min=0, help="Same seed, same numbers.")] = 0,
    out: Annotated[Path | None, typer.Option(help="Results as JSON.", show_default=False)] = None,
) -> None:
    """Infer from a patient's measures which synapses differ from health, and what can not be known.

    Of a whole study, sudeck explain does the same on several processes, and keeps every fit.
    """
    from sudeck.study.measuring.engine import use_one_thread

    use_one_thread()
    table, names = _gather(measured, patient, baseline)
    from sudeck.circuit.engines import require_engine
    from sudeck.core.errors import SudeckError
    from sudeck.core.storage import write_json
    from sudeck.mechanism.circuit_fit.patient_data import gather_patient
    from sudeck.mechanism.circuit_fit.patient_fit import explain_patient
    from sudeck.report.mechanism.console import print_circuit, print_group

    require_engine()
    explained, failures = [], []
    for name in names:
        try:
            explanation = explain_patient(gather_patient(table, name), rng=seed)
        except SudeckError as error:  # one patient that can not be fitted stops no other
            if len(names) == 1:
                raise
            failures.append({"participant_id": name, "reason": str(error)})
            typer.echo(error, err=True)
            continue
        print_circuit(explanation)
        explained.append(explanation)
    results: dict[str, object] = {
        "circuit": [row for explanation in explained for row in explanation.rows()],
        "circuit_patients": [explanation.to_dict() for explanation in explained],
        "circuit_failures": failures,
    }
    if group:
        from sudeck.mechanism.circuit_fit.hierarchy import infer_group_from

        shares = {one.patient: one.share for one in explained if one.share is not None}
        try:
            together = infer_group_from(shares, rng=seed)
        except InputError as error:  # the patients' own results are not lost with it
            typer.echo(error, err=True)
        else:
            print_group(together)
            results["circuit_group"] = together.to_dict()
    if out is not None:
        write_json(out, results)
        typer.echo(f"Results: {out}")


@circuit.command("next")
def next_(measured: Measured, patient: PatientOption = None, baseline: BaselineOption = None) -> None:
    """Say which measurement before treatment would tell most about a patient's circuit."""
    from sudeck.study.measuring.engine import use_one_thread

    use_one_thread()
    table, names = _gather(measured, patient, baseline)
    from sudeck.mechanism.circuit_fit.emulator import load_emulator
    from sudeck.mechanism.circuit_fit.next_measurement import rank_measurements
    from sudeck.mechanism.circuit_fit.patient_data import gather_patient
    from sudeck.mechanism.circuit_fit.patient_fit import fit_patient
    from sudeck.mechanism.circuit_fit.posterior_summary import explain
    from sudeck.report.mechanism.circuit_words import next_text

    for name in names:
        data = gather_patient(table, name)
        typer.echo(f"{name}, at {data.visits[0]}:")
        posterior = fit_patient(data)
        if not (explained := explain(posterior)).factors:
            typer.echo(f"  {explained.verdict}")
            continue
        ranked = rank_measurements(posterior, load_emulator())
        for candidate in ranked:
            typer.echo(f"  {next_text(candidate)}")
        if not ranked:
            typer.echo("  Everything the circuit could ask for was measured.")


def _gather(measured: Path, patient: str | None, baseline: str | None) -> tuple[MeasureTable, list[str]]:
    """Return the measures of a study or of a table, and the patients asked for."""
    measures = _of_study(measured) if measured.is_dir() else _of_table(measured)
    if baseline is not None:
        if baseline not in measures.visits:
            problem = f"no visit is called {baseline}"
            raise InputError(measured.name, problem, f"use one of {', '.join(measures.visits)}")
        others = (visit for visit in measures.visits if visit != baseline)
        measures = replace(measures, visits=(baseline, *others))
    if len(measures.visits) > 1:
        typer.echo(f"Visits: {', '.join(measures.visits)}; the first is taken as before treatment.", err=True)
    names = [patient] if patient else list(dict.fromkeys(str(o.patient) for o in measures.observations))
    return measures, names


def _of_study(root: Path) -> MeasureTable:
    from sudeck.study.answers.why import assemble_stimulation
    from sudeck.study.folder.layout import open_study

    return assemble_stimulation(open_study(root)).circuit_measures()


def _of_table(table: Path) -> MeasureTable:
    from sudeck.mechanism.measure_table import read_rows, tabulate_measures

    rows = read_rows(table)
    if "used_for" in rows.columns:  # a measures.tsv of a study holds named measures beside their intervals
        rows = rows[rows["used_for"] != "group"]
    return tabulate_measures(rows)
