"""Figures of the treatment: the cohort against the literature, and a simulated course."""

from __future__ import annotations

from importlib.resources import as_file, files
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from sudeck.report.kit.figures import axes_mm, draw_svg
from sudeck.report.kit.palette import AFFECTED_COLOUR, HEALTHY_COLOUR, INK, MUTED, QUIET

if TYPE_CHECKING:
    from markupsafe import Markup
    from matplotlib.figure import Figure

    from sudeck.ketamine.course_simulation import CourseSimulation
    from sudeck.study.answers.study_treatment import StudyTreatment

_ROW_MM: Final = 5.2
_SIZE_INCH: Final = (6.4, 3.4)
_SHARE: Final = {"ketamine": 0.5, "esketamine": 1.0, "arketamine": 0.0}


def literature_figure(described: StudyTreatment) -> Markup | None:
    """Draw the patients of a study against the published regimens; None where no exposure is known.

    The axis is S-ketamine, half of a racemate: nothing else holds racemates and S-ketamine beside each other.
    """
    own = [
        (one.exposure.area, _SHARE[one.treatment.regimen.drug])
        for one in described.exposed
        if one.exposure is not None and one.treatment.regimen is not None
    ]
    own = [(area, share) for area, share in own if share]
    if not own:
        return None
    lines = sorted(described.yardsticks, key=lambda one: one.s_area)
    values = np.sort([share * area.value for area, share in own])
    middle, share = sorted(own, key=lambda one: one[0].value)[len(own) // 2]

    def paint(figure: Figure) -> None:
        height = _ROW_MM * (len(lines) + 2)
        axes = axes_mm(figure, 66, 11, 88, height)
        for row, one in enumerate(lines):
            colour = INK if one.drug == "ketamine" else MUTED
            axes.plot([one.s_area], [row], "o" if one.drug == "ketamine" else "D", color=QUIET, markersize=4)
            axes.text(1.02, row, f"{one.total_mg:,.0f} mg", transform=axes.get_yaxis_transform(), va="center")
            axes.text(
                -0.02,
                row,
                one.title.split(":")[0],
                transform=axes.get_yaxis_transform(),
                ha="right",
                va="center",
                color=colour,
            )
        top = len(lines) + 0.6
        spread = 0.5 * (np.arange(values.size) % 7 - 3) / 3
        axes.plot(values, top + spread, "o", color=AFFECTED_COLOUR, markersize=2.4, alpha=0.5)
        axes.plot([share * middle.low, share * middle.high], [top, top], color=AFFECTED_COLOUR)
        axes.text(
            -0.02,
            top,
            "This study",
            transform=axes.get_yaxis_transform(),
            ha="right",
            va="center",
            color=AFFECTED_COLOUR,
            weight="bold",
        )
        axes.set_xscale("log")
        axes.set_ylim(-0.7, len(lines) + 1.5)
        axes.set_yticks([])
        axes.spines["left"].set_visible(False)
        ticks = [value for value in (0.5, 1, 2, 5, 10, 20, 50, 100) if _shown(value, axes.get_xlim())]
        axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
        axes.minorticks_off()
        axes.set_xlabel("AUC of S-ketamine, mg h/L (half of a racemate)")

    return draw_svg(
        paint,
        size_mm=(178, _ROW_MM * (len(lines) + 2) + 14),
        name="literature",
        description=f"exposure of {len(own)} patients beside {len(lines)} published regimens at 70 kg",
    )


def _shown(value: float, limits: tuple[float, float]) -> bool:
    return limits[0] <= value <= limits[1]


def draw_simulation(simulated: CourseSimulation, path: Path) -> None:
    """Write the curve of a course with its band as a .png, .svg or .pdf file.

    Raises
    ------
    InputError
        If the name ends otherwise.
    """
    import matplotlib as mpl
    from matplotlib.figure import Figure

    from sudeck.core.errors import InputError

    if path.suffix.lower() not in {".png", ".svg", ".pdf"}:
        raise InputError(path.name, "figures are written as .png, .svg or .pdf", "name it so")
    curve = simulated.curve
    days = curve.times_h / 24.0
    with (
        as_file(files("sudeck.report").joinpath("style/figures.mplstyle")) as settings,
        mpl.rc_context(fname=settings),
    ):
        figure = Figure(figsize=_SIZE_INCH, layout="constrained", facecolor="white")
        axes = figure.add_subplot()
        axes.fill_between(
            days,
            curve.low,
            curve.high,
            color=AFFECTED_COLOUR,
            alpha=0.18,
            linewidth=0,
            label="90 % of people",
        )
        axes.plot(days, curve.middle, color=AFFECTED_COLOUR, label=curve.substance)
        axes.plot(days, curve.norketamine, color=HEALTHY_COLOUR, linestyle="--", label="norketamine")
        axes.set_ylim(bottom=0)
        axes.set_xlabel("Days since midnight before the first dose")
        axes.set_ylabel("Plasma, ng/ml")
        axes.set_title(f"{simulated.title}, {simulated.weight_kg:g} kg", loc="left")
        axes.legend(loc="best")
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path, dpi=200)
