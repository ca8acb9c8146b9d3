"""What `sudeck ketamine` prints: doses and exposures, what was on board, what contradicts itself."""

from __future__ import annotations

import statistics
from collections import Counter
from typing import TYPE_CHECKING, Final

from sudeck.report.kit.printing import (
    SEVERITY_STYLE,
    ConsoleColumn,
    console_table,
    numbers,
    open_console,
    print_heading,
    print_item,
    print_note,
)
from sudeck.report.kit.text import interval_text, value_text

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from sudeck.core.estimate import Estimate
    from sudeck.ketamine.course_simulation import CourseSimulation
    from sudeck.study.answers.study_treatment import StudyTreatment

_MOST: Final = 12


def print_treatment(described: StudyTreatment, *, console: Console | None = None) -> None:
    """Print what a study's patients were given.

    Parameters
    ----------
    described : StudyTreatment
    console : rich.console.Console, optional
        Where to print; standard output unless given.
    """
    console = open_console(console)
    print_heading(console, f"{described.name}: what was given", first=True)
    print_note(console, f"{described.given}." if described.given else "No ketamine is recorded.", style="")
    if described.exposed:
        console.print(_cohort_table(described))
        print_note(
            console,
            "Over patients; then the interval of the patient in the middle, over people and models. Doses "
            "are base. Norketamine: one model, in S-ketamine.",
        )
    for reason, n in Counter(one.reason for one in described.courses if one.reason).items():
        print_item(console, "no exposure", f"{n} of {len(described.courses)} patients: {reason}.", "yellow")
    for flag in described.flags:
        print_item(console, flag.severity, flag.message, SEVERITY_STYLE[flag.severity])
    if described.findings:
        print_heading(console, "Where the record contradicts itself")
        for one in described.findings[:_MOST]:
            line = "" if one.line is None else f", line {one.line}"
            label = f"{one.table}.tsv{line}, {one.patient}"
            print_item(console, label, f"{one.message}.", "bold red" if one.serious else "yellow")
        if len(described.findings) > _MOST:
            print_note(console, f"{len(described.findings) - _MOST} more in ketamine.json.")


def print_simulation(simulated: CourseSimulation, *, console: Console | None = None) -> None:
    """Print what models make of a course.

    Parameters
    ----------
    simulated : CourseSimulation
    console : rich.console.Console, optional
        Where to print; standard output unless given.
    """
    console = open_console(console)
    found = simulated.exposure
    print_heading(console, f"{simulated.title}, at {simulated.weight_kg:g} kg", first=True)
    print_note(
        console,
        f"{found.total_mg:.0f} mg of base over {found.hours:.3g} h of infusion; concentrations of "
        f"{found.substance}.",
        style="",
    )
    table = console_table("", *numbers("typical", "90 % of people", "people", "models"))
    for name, one in (
        ("AUC", found.area),
        ("Cmax", found.peak),
        (f"above {found.level_ng_per_ml:g} ng/ml", found.hours_above),
        ("norketamine AUC", found.norketamine_area),
        ("norketamine Cmax", found.norketamine_peak),
        (f"norketamine above {found.level_ng_per_ml:g} ng/ml", found.norketamine_hours_above),
    ):
        table.add_row(name, value_text(one), interval_text(one), *_parts(one))
    console.print(table)
    print_note(
        console,
        "People, models: standard deviations between people and between models, of the logarithm; in h: of "
        "the hours.",
    )
    table = console_table(
        "model", *numbers("AUC mg h/L", "Cmax ng/ml", "error"), ConsoleColumn("", fold=True)
    )
    for model in simulated.models:
        table.add_row(
            model.title, f"{model.area:.3g}", f"{model.peak:.0f}", f"{model.error:.2f}-fold", model.remark
        )
    console.print(table)
    print_note(
        console,
        "Error: root mean square of predicted over observed, on eight published concentrations, six of "
        "them in arterial blood: unfair to models of venous blood.",
    )
    relief = simulated.relief
    listed = "; ".join(
        f"day {day:.3g}: {100 * low:.0f} to {100 * high:.0f} %"
        for day, low, high in zip(relief.days, relief.low, relief.high, strict=True)
    )
    print_item(
        console,
        "scenario of relief",
        f"share of the largest effect if relief leaves slowly, {listed} ({relief.source}). Four patients "
        "without relief and a slow first day contradict it: docs/ketamine.md.",
        "bold",
    )
    low, high = simulated.block
    print_item(
        console,
        "scenario of block",
        f"{100 * low:.0f} to {100 * high:.0f} % of NMDA receptors at the highest concentration, by three "
        "sets of published constants. Neither forecasts a patient.",
        "bold",
    )


def print_regimens(*, console: Console | None = None) -> None:
    """Print the published regimens at 70 kg, each with its source and what was assumed."""
    from sudeck.ketamine.published_regimens import PUBLISHED
    from sudeck.ketamine.yardsticks import yardsticks

    console = open_console(console)
    print_heading(console, "Published regimens at 70 kg, typical person of Kamp 2020", first=True)
    table = console_table(
        "regimen", ConsoleColumn("drug", fold=True), *numbers("mg of base", "hours", "AUC mg h/L", "AUC of S")
    )
    for one in yardsticks():
        table.add_row(
            one.key,
            one.drug,
            f"{one.total_mg:.0f}",
            f"{one.hours:.3g}",
            f"{one.area:.3g}",
            f"{one.s_area:.3g}",
        )
    console.print(table)
    print_note(console, "A racemate is half S-ketamine: only the last column compares both. None is advice.")
    for each in PUBLISHED:
        assumed = f" Assumed: {'; '.join(each.assumed)}." if each.assumed else ""
        print_item(console, each.key, f"{each.source}. Read: {each.read}.{assumed}", "bold")


def _cohort_table(described: StudyTreatment) -> Table:
    exposed = sorted(described.exposed, key=lambda one: one.exposure.area.value if one.exposure else 0.0)
    middle = exposed[len(exposed) // 2].exposure
    assert middle is not None
    rows: dict[str, tuple[list[float], Estimate | None]] = {
        "dose, mg": ([one.treatment.mg or 0.0 for one in exposed], None),
        "dose, mg/kg": ([one.treatment.mg_per_kg or 0.0 for one in exposed], None),
        "AUC, mg h/L": ([one.exposure.area.value for one in exposed if one.exposure], middle.area),
        "Cmax, ng/ml": ([one.exposure.peak.value for one in exposed if one.exposure], middle.peak),
        f"hours above {middle.level_ng_per_ml:g} ng/ml": (
            [one.exposure.hours_above.value for one in exposed if one.exposure],
            middle.hours_above,
        ),
        "norketamine AUC, mg h/L": (
            [one.exposure.norketamine_area.value for one in exposed if one.exposure],
            middle.norketamine_area,
        ),
        "norketamine Cmax, ng/ml": (
            [one.exposure.norketamine_peak.value for one in exposed if one.exposure],
            middle.norketamine_peak,
        ),
    }
    table = console_table(
        f"{len(exposed)} patients", *numbers("median", "lowest", "highest", "90 % of people")
    )
    for name, (values, one) in rows.items():
        table.add_row(
            name,
            *(f"{value:.3g}" for value in (statistics.median(values), min(values), max(values))),
            "" if one is None else interval_text(one),
        )
    return table


def _parts(one: Estimate) -> tuple[str, str]:
    people, models = (
        (f"{size:.2f}" if one.scale == "log" else f"{size:.3g} h") if (size := one.components[part]) else "–"
        for part in ("people", "models")
    )
    return people, models
