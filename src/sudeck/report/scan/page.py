"""The report of one measured bone scan: numbers first, then the images, then everything that opens them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sudeck.core.estimate import Estimate
from sudeck.core.flags import Severity
from sudeck.core.storage import write_json, write_text
from sudeck.core.vocabulary import PHASE_RATIOS, RATIOS_OF_RATIOS, SCAN_PHASES, ScanPhase
from sudeck.report.kit.interval_bars import IntervalAxis, share_bar
from sudeck.report.kit.page import render_page
from sudeck.report.kit.text import (
    clock_text,
    group_thousands,
    interval_text,
    number,
    percent,
    value_text,
)
from sudeck.report.scan import meaning, words
from sudeck.report.scan.delayed import delayed_caption, delayed_rows
from sudeck.report.scan.figures import curve_figure, shift_mm
from sudeck.report.scan.phase_svg import phase_figure, refused_figure
from sudeck.scan.drivers import drivers
from sudeck.scan.limbs.registration import UNLIKE_RESIDUAL
from sudeck.scan.result import PhaseMeasurement, ScanResult
from sudeck.scan.tables import write_estimates

if TYPE_CHECKING:
    from markupsafe import Markup

_SEVERITIES: tuple[Severity, ...] = ("serious", "caution", "info")
_NO_SPACING = "no-pixel-size"


@dataclass(frozen=True)
class RatioRow:
    """One of the six ratios as the table prints it; `reason` stands where it was refused."""

    name: str
    meaning: str
    starts_group: bool
    value: str = ""
    interval: str = ""
    bar: Markup | None = None
    cutoff: str = ""
    exceeded: str = ""
    probability: str = ""
    reason: str = ""
    driver: str = ""


@dataclass(frozen=True)
class UptakeRatioRow:
    """One ratio of uptake per area beside that of the image."""

    name: str
    value: str = ""
    interval: str = ""
    bar: Markup | None = None
    image: str = ""
    reason: str = ""


@dataclass(frozen=True)
class BudgetRow:
    """Where the error of one ratio comes from, each part as a share of the ratio."""

    name: str
    counting: str
    placement: str
    together: str
    bar: Markup
    counts: str


@dataclass(frozen=True)
class PhasePanel:
    """One phase: its image and caption, and the reason where it was not measured."""

    title: str
    caption: str = ""
    image: Markup | None = None
    reason: str = ""


@dataclass(frozen=True)
class UptakeRow:
    """One region in one phase."""

    phase: str
    side: str
    counts: str
    area: str
    uptake: str
    interval: str
    unit: str


@dataclass(frozen=True)
class PoseRow:
    """How the affected limb was laid over the healthy one in one phase."""

    phase: str
    rotation: str
    size: str
    shift: str
    residual: str
    overlap: str
    remark: str


@dataclass(frozen=True)
class CurveRow:
    """Arrival and slope of one curve."""

    side: str
    arrival: str
    slope: str


def write_scan(result: ScanResult, folder: Path) -> None:
    """Write ``scan.json``, ``scan.tsv`` and ``report.html`` into a folder, each atomically."""
    write_json(folder / "scan.json", result.to_dict())
    write_estimates(result, folder / "scan.tsv")
    write_text(folder / "report.html", scan_report(result))


def scan_report(result: ScanResult) -> str:
    """Render the report of a measured scan as one self-contained HTML page.

    Parameters
    ----------
    result : ScanResult
        From `sudeck.scan.measurement.measure_scan`.

    Returns
    -------
    str
        HTML that needs no network and no other file; the same for the same result.
    """
    flags = sorted(result.flags, key=lambda flag: _SEVERITIES.index(flag.severity))
    rows, axis = _ratio_rows(result)
    dynamic = [phase for phase in result.phases.values() if phase.curves]
    return render_page(
        "scan.html.j2",
        title="Three-phase bone scan",
        provenance=result.provenance,
        facts=_facts(result),
        stops=[flag for flag in flags if flag.severity == "serious"],
        level=words.level_text(result),
        ratio_rows=rows,
        ratio_axis=axis,
        uptake_rows=_uptake_ratio_rows(result, axis),
        delayed_rows=delayed_rows(result, axis),
        delayed_flags=[(other.time, other.flags) for other in result.other_delayed if other.flags],
        camera=words.camera_words(result),
        meanings=meaning.meanings(result),
        sentences=words.sentences(result),
        caveats=words.caveats(result),
        warnings=[flag for flag in flags if flag.severity == "caution"],
        panels=[*(_panel(result, phase) for phase in SCAN_PHASES), *_delayed_panels(result)],
        curves=[(phase.phase, curve_figure(phase), _curve_rows(phase)) for phase in dynamic],
        budget=[
            _budget_row(result.estimates[name]) for name in words.SIX_RATIOS if _has_budget(result, name)
        ],
        uptake=[row for phase in result.phases.values() for row in _uptake_rows(phase)],
        poses=[_pose_row(result, phase) for phase in result.phases.values()],
        residual_limit=f"{100 * UNLIKE_RESIDUAL:.0f} %",
        reference=result.reference,
        flags=flags,
        skipped=result.skipped,
    )


def spacing_known(result: ScanResult, phase: ScanPhase) -> bool:
    """Say whether lengths in mm hold in a phase."""
    return not any(flag.code == _NO_SPACING and flag.subject == phase for flag in result.flags)


def _facts(result: ScanResult) -> list[tuple[str, str]]:
    views = sorted({phase.pose.view for phase in result.phases.values()})
    return [
        ("Measured", words.subject_words(result)),
        ("Time", words.time_words(result)),
        ("Injection site", words.site_words(result)),
        ("Limb size", words.size_words(result)),
        ("View", ", ".join(views)),
        ("Region set on", f"{result.reference} phase"),
        ("Background", str(result.provenance.settings.get("background", "none"))),
    ]


def _ratio_rows(result: ScanResult) -> tuple[list[RatioRow], IntervalAxis]:
    verdicts = result.verdicts()
    marks = [verdict.cutoff for verdict in verdicts.values()]
    of_others = [one for other in result.other_delayed for one in other.estimates.values()]
    shown = (*result.estimates.values(), *result.uptake_estimates.values(), *of_others)
    axis = IntervalAxis.around(shown, marks=marks, reference=1.0, scale="log")
    driven = drivers(result.estimates, result.uptake_estimates)
    rows = []
    for name in words.SIX_RATIOS:
        first = name == next(iter(RATIOS_OF_RATIOS))
        estimate, verdict = result.estimates.get(name), verdicts.get(name)
        if estimate is None:
            rows.append(RatioRow(name, words.meaning(name), first, reason=words.reason_words(name, result)))
            continue
        rows.append(
            RatioRow(
                name,
                words.meaning(name),
                first,
                value=value_text(estimate, words.RATIO_DECIMALS),
                interval=interval_text(estimate, words.RATIO_DECIMALS),
                bar=axis.bar(estimate, mark=verdict.cutoff if verdict else None),
                cutoff=number(verdict.cutoff, words.RATIO_DECIMALS) if verdict else "",
                exceeded=("yes" if verdict.exceeded else "no") if verdict else "",
                probability=percent(verdict.probability) if verdict else "",
                driver=driven.get(name, ""),
            )
        )
    return rows, axis


def _uptake_ratio_rows(result: ScanResult, axis: IntervalAxis) -> list[UptakeRatioRow]:
    rows = []
    for name in words.SIX_RATIOS:
        estimate, image = result.uptake_estimates.get(name), result.estimates.get(name)
        if image is None:
            continue
        shown = value_text(image, words.RATIO_DECIMALS)
        if estimate is None:
            reason = result.uptake_refused.get(name, "It needs both of its phases.")
            rows.append(UptakeRatioRow(name, image=shown, reason=reason))
            continue
        rows.append(
            UptakeRatioRow(
                name,
                value_text(estimate, words.RATIO_DECIMALS),
                interval_text(estimate, words.RATIO_DECIMALS),
                axis.bar(estimate),
                shown,
            )
        )
    return rows


def _panel(result: ScanResult, name: ScanPhase) -> PhasePanel:
    title = words.PHASE_NAMES[name].capitalize()
    phase = result.phases.get(name)
    if phase is None:
        series = result.unmeasured.get(name)
        image = None if series is None else refused_figure(series, affected=result.affected)
        return PhasePanel(title, image=image, reason=words.reason_words(PHASE_RATIOS[name], result))
    known = spacing_known(result, name)
    image = phase_figure(phase, affected=result.affected, spacing_known=known, others=result.phases.values())
    return PhasePanel(title, _caption(result, phase, known), image)


def _delayed_panels(result: ScanResult) -> list[PhasePanel]:
    panels = []
    for other in result.other_delayed:
        title, phase = f"Delayed image at {other.time}", other.measurement
        if phase is None:
            panels.append(PhasePanel(title, reason=" ".join(other.refused.values())))
            continue
        known = not any(flag.code == _NO_SPACING for flag in other.flags) and spacing_known(result, "bone")
        image = phase_figure(phase, affected=result.affected, spacing_known=known)
        panels.append(PhasePanel(title, delayed_caption(other, phase), image))
    return panels


def _caption(result: ScanResult, phase: PhaseMeasurement, known: bool) -> str:
    rows, columns = phase.pose.grid.shape
    height, width = phase.pose.grid.spacing_mm
    size = f"{height:.2f}" if math.isclose(height, width, rel_tol=1e-3) else f"{height:.2f} × {width:.2f}"
    parts = [
        words.start_words(phase, result),
        f"during {clock_text(phase.duration_s)}" if phase.duration_s else "duration not stated",
        f"{group_thousands(float(phase.pose.image.sum()))} counts",
        f"{rows} × {columns} pixels of {size} mm" if known else f"{rows} × {columns} pixels, size not stated",
    ]
    if phase.geometric_mean:
        parts.append("ratio from both detectors, the first is shown")
    return ", ".join(parts) + "."


def _has_budget(result: ScanResult, name: str) -> bool:
    estimate = result.estimates.get(name)
    return estimate is not None and {"counting", "placement"} <= set(estimate.components)


def _budget_row(estimate: Estimate) -> BudgetRow:
    counting, placement = estimate.components["counting"], estimate.components["placement"]
    return BudgetRow(
        estimate.name,
        f"{100 * counting:.1f} %",
        f"{100 * placement:.1f} %",
        f"{100 * math.hypot(counting, placement):.1f} %",
        share_bar(counting**2, placement**2),
        group_thousands(estimate.n) if estimate.n is not None else "",
    )


def _uptake_rows(phase: PhaseMeasurement) -> list[UptakeRow]:
    rows = []
    for side, region in (("affected", phase.affected), ("healthy", phase.healthy)):
        uptake = phase.uptake[side]
        places = 4 if uptake.value < 1 else 2
        rows.append(
            UptakeRow(
                phase.phase,
                side,
                group_thousands(region.counts),
                group_thousands(region.area_px),
                number(uptake.value, places),
                interval_text(uptake, places),
                uptake.unit,
            )
        )
    return rows


def _pose_row(result: ScanResult, phase: PhaseMeasurement) -> PoseRow:
    mirror = phase.pose.mirror
    error = mirror.standard_errors()
    across, down = shift_mm(phase)
    unit = "mm" if spacing_known(result, phase.phase) else "pixels"
    return PoseRow(
        phase.phase,
        f"{number(mirror.transform.rotation_deg, 1)} ± {math.degrees(error['rotation_rad']):.1f}°",
        f"{100 * mirror.transform.scale:.1f} ± {100 * error['log_scale']:.1f} %",
        f"{number(across, 1)} ± {error['shift_x_mm']:.1f}, "
        f"{number(down, 1)} ± {error['shift_y_mm']:.1f} {unit}",
        f"{100 * mirror.residual:.0f} %",
        f"{100 * mirror.overlap:.0f} %",
        "by a person" if mirror.set_sd else "by outline, equal size" if mirror.equal_size else "by uptake",
    )


def _curve_rows(phase: PhaseMeasurement) -> list[CurveRow]:
    return [
        CurveRow(
            curve.side,
            _with_interval(curve.arrival, 1.0, "s", 1),
            _with_interval(curve.slope, 100.0, "% per s", 1),
        )
        for curve in phase.curves
    ]


def _with_interval(estimate: Estimate | None, factor: float, unit: str, decimals: int) -> str:
    if estimate is None:
        return "no clear rise"
    low, value, high = (number(factor * x, decimals) for x in (estimate.low, estimate.value, estimate.high))
    return f"{value} {unit} ({low} to {high})"
