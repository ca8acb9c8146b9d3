"""`sudeck circuit`: play with the two-hemisphere circuit."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from sudeck.mechanism.circuit.experiment import Experiment

circuit = typer.Typer(
    help="Two hemispheres of motor cortex under magnetic stimulation.", no_args_is_help=True
)


class ProtocolChoice(StrEnum):
    """A stimulation protocol."""

    rmt = "rmt"
    recruitment = "recruitment"
    sici = "sici"
    icf = "icf"
    lici = "lici"
    csp = "csp"
    isp = "isp"
    ihi = "ihi"
    triple = "triple"


class ArmChoice(StrEnum):
    """A drug or state that comes with Sudeck."""

    nmda_block = "nmda_block"
    gaba_a = "gaba_a"
    gaba_b = "gaba_b"
    midazolam = "midazolam"


def _factor(text: str) -> object:
    return typer.Option(min=0.0, max=10.0, help=f"Multiply {text} by this.", show_default=False)


@circuit.command("simulate")
def simulate(
    protocol: Annotated[ProtocolChoice, typer.Option(help="What is stimulated and read.")],
    arm: Annotated[
        ArmChoice | None, typer.Option(help="A drug or state; the factors below come on top.")
    ] = None,
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
    from sudeck.mechanism.circuit.drugs import ARMS
    from sudeck.mechanism.circuit.experiment import run_experiment

    factors = dict(ARMS[arm.value].factors) if arm else {}
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
    experiment = run_experiment(protocol.value, factors)
    _print(experiment)
    if out is not None:
        from sudeck.report.circuit_figures import draw_experiment

        draw_experiment(experiment, out)
        typer.echo(f"Figure: {out}")


def _product(first: float | None, second: float | None) -> float | None:
    if first is None or second is None:
        return first if second is None else second
    return first * second


def _print(experiment: Experiment) -> None:
    from sudeck.report.circuit_tables import print_experiment

    print_experiment(experiment)


@circuit.command("calibrate")
def calibrate(
    out: Annotated[Path, typer.Argument(help="File of the fitted circuits (JSON).")],
    members: Annotated[int, typer.Option(min=1, max=100, help="Circuits to begin with.")] = 10,
    seed: Annotated[int, typer.Option(min=0, help="Same seed, same circuits.")] = 0,
    iterations: Annotated[int, typer.Option(min=1, help="Gauss-Newton steps.")] = 40,
) -> None:
    """Fit reference circuits anew to the targets and drug effects that come with Sudeck."""
    from sudeck.core.storage import write_json
    from sudeck.mechanism.circuit.calibration import calibrate as fit

    result = fit(members=members, seed=seed, iterations=iterations, progress=typer.echo)
    write_json(out, result.to_dict())
    typer.echo(f"{result}\nCircuits: {out}")
