"""Pictures of the circuit: what a protocol shows, without and with a change of its synapses."""

from __future__ import annotations

from importlib.resources import as_file, files
from pathlib import Path
from textwrap import fill
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from sudeck.core.errors import InputError
from sudeck.report.circuit.words import change_text, shown_text
from sudeck.report.kit.figures import AFFECTED_LINE, HEALTHY_LINE
from sudeck.report.kit.palette import AFFECTED_COLOUR, GREY, HEALTHY_COLOUR

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from sudeck.circuit.experiment import Experiment, Row
    from sudeck.core.estimate import Estimate

_FORMATS: Final = (".png", ".svg", ".pdf")
_SIZE_INCH: Final = (4.4, 2.9)
_TICK_LETTERS: Final = 11
_LEGEND_LETTERS: Final = 40  # a longer text leaves no room for the axes
_X_LABEL: Final = {"recruitment": "Intensity (RMT)", "triple": ""}
_Y_LABEL: Final = {
    "recruitment": "MEP (mV)",
    "csp": "Silent period (ms)",
    "isp": "Ipsilateral silent period (ms of full silence)",
    "rmt": "RMT (reference = 1)",
}


def draw_experiment(experiment: Experiment, path: Path) -> None:
    """Write a figure of an experiment: curves where the protocol has an axis, points where it has none.

    Parameters
    ----------
    experiment : Experiment
    path : Path
        Ends in ``.png``, ``.svg`` or ``.pdf``.

    Raises
    ------
    InputError
        If the path ends in anything else.
    """
    if path.suffix.lower() not in _FORMATS:
        raise InputError(path.name, "a figure can not be written so", f"end it in {', '.join(_FORMATS)}")
    import matplotlib as mpl
    from matplotlib.figure import Figure

    style = files("sudeck.report").joinpath("style/figures.mplstyle")
    with as_file(style) as settings, mpl.rc_context(fname=settings):
        figure = Figure(figsize=_SIZE_INCH, layout="constrained", facecolor="white")
        axes = figure.add_subplot()
        # The threshold and the spread of trials have axes of their own, so they stand in the table alone.
        drawn = [row for row in experiment.rows if row.name != "RMT" and not row.name.startswith("CV_")]
        rows = drawn or list(experiment.rows)
        _paint(axes, experiment, rows)
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path, dpi=200)


def _paint(axes: Axes, experiment: Experiment, rows: list[Row]) -> None:
    at, continuous = _positions(rows)
    factors = change_text(experiment.factors)
    series: list[tuple[str, str, Any, list[Estimate], float]] = [
        ("reference", HEALTHY_COLOUR, HEALTHY_LINE, [row.baseline for row in rows], -0.08)
    ]
    if factors:
        label = factors if len(factors) <= _LEGEND_LETTERS else "changed"
        series.append((label, AFFECTED_COLOUR, AFFECTED_LINE, [row.changed for row in rows], 0.08))
    for label, colour, line, estimates, shift in series:
        middle = [e.value for e in estimates]
        low, high = [e.low for e in estimates], [e.high for e in estimates]
        if continuous:
            axes.fill_between(at, low, high, color=colour, alpha=0.18, linewidth=0)
            axes.plot(at, middle, color=colour, linestyle=line, marker="o", label=label)
        else:
            axes.vlines(at + shift, low, high, color=colour)
            axes.plot(at + shift, middle, "o", color=colour, label=label)
    ratios = all(not row.unit for row in rows) and experiment.protocol != "rmt"
    if ratios:
        axes.axhline(1.0, color=GREY, linewidth=0.6, zorder=0)
    if not continuous:
        axes.set_xticks(at, [fill(shown_text(row.name), _TICK_LETTERS) for row in rows])
        axes.set_xlim(-0.6, len(rows) - 0.4)
    axes.set_ylim(bottom=0)
    axes.set_xlabel(
        _X_LABEL.get(experiment.protocol, "Interval between the pulses (ms)" if continuous else "")
    )
    axes.set_ylabel(_Y_LABEL.get(experiment.protocol, "Conditioned / unconditioned MEP"))
    count = experiment.rows[0].baseline.n
    axes.set_title(f"{experiment.protocol.upper()}, median and range of {count:g} circuits", loc="left")
    axes.legend(loc="best")


def _positions(rows: list[Row]) -> tuple[np.ndarray, bool]:
    """Return where rows stand on the x axis, and whether the axis is one of intervals or intensities."""
    try:
        return np.array([float(row.name.split("_")[1]) for row in rows]), len(rows) > 1
    except (IndexError, ValueError):
        return np.arange(len(rows), dtype=float), False
