"""One patient's course on one axis of time: concentration, dose, co-medication, recordings and pain."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final

from sudeck.report.kit.palette import AFFECTED_COLOUR, FRAME, HEALTHY_COLOUR, INK, MUTED, QUIET, WASH
from sudeck.report.kit.text import printable

if TYPE_CHECKING:
    from markupsafe import Markup

    from sudeck.ketamine.exposure import CourseCurve
    from sudeck.ketamine.regimen import Regimen
    from sudeck.study.answers.study_treatment import PatientCourse

_WIDTH, _LEFT, _RIGHT = 760.0, 92.0, 12.0
_PLASMA, _RATE, _LINE, _PAIN, _GAP = 116.0, 34.0, 13.0, 46.0, 9.0
_LATER_SHARE: Final = 0.16  # of the width, for what lies beyond the axis of the course
_BEFORE_D, _AFTER_D = 1.5, 4.0
_MOST_PAIN: Final = 10.0
_BOLUS_H: Final = 0.5  # after a bolus, cut off where it is higher than the rest
_APART: Final = 12.0  # between two labels of an axis


def backdrop_definitions(backdrop: Sequence[CourseCurve]) -> Markup:
    """Return the published curves once, in hours and ng/ml, for every drawing of the page to refer to."""
    from markupsafe import Markup

    paths = [
        f'<path id="published-{number}" d="{_path(zip(curve.times_h, curve.middle, strict=True))}" '
        f'fill="none" stroke="{FRAME}" stroke-width="1" vector-effect="non-scaling-stroke"/>'
        for number, curve in enumerate(backdrop)
    ]
    return Markup(
        '<svg width="0" height="0" style="position:absolute" aria-hidden="true"><defs>{}</defs></svg>'
    ).format(Markup("".join(paths)))


def course_drawing(course: PatientCourse, backdrop: Sequence[CourseCurve], level: float) -> Markup | None:
    """Draw one patient's treatment; None where no exposure is known.

    Parameters
    ----------
    course : PatientCourse
    backdrop : sequence of CourseCurve
        Published regimens; those of the same drug stand behind, from the first dose on.
    level : float
        ng/ml, drawn as a line.
    """
    from markupsafe import Markup

    curve, regimen = course.curve, course.treatment.regimen
    if curve is None or regimen is None:
        return None
    axis = _Axis(course)
    drugs = sorted({d.drug for d in course.treatment.doses if not d.is_ketamine and d.drug != "placebo"})
    parts: list[str] = []
    top = _GAP
    parts += _plasma(course, curve, backdrop, axis, top, level)
    top += _PLASMA + _GAP
    parts += _rates(course, axis, top)
    top += _RATE + _GAP
    for drug in drugs:
        parts += _co_medication(course, drug, axis, top)
        top += _LINE
    parts += _recordings(course, axis, top)
    top += _LINE + _GAP
    parts += _pain(course, axis, top)
    top += _PAIN
    parts += axis.ticks(top)
    height = top + 18
    words = (
        f"{course.patient}: plasma concentration with its band, dose rate, co-medication, recordings and "
        "pain by day"
    )
    return Markup('<svg class="course" viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>').format(
        f"{_WIDTH:g}", f"{height:g}", words, Markup("".join(parts))
    )


class _Axis:
    """Days of the course to places; what lies beyond stands at the right, one place each."""

    def __init__(self, course: PatientCourse) -> None:
        regimen = course.treatment.regimen
        assert regimen is not None
        first, last = regimen.doses[0].start_h / 24.0 + 1, regimen.end_h / 24.0 + 1
        self.low, self.high = math.floor(first - _BEFORE_D), math.ceil(last + _AFTER_D)
        days = {moment.day for moment in course.moments}
        self.before = any(day < self.low for day in days)
        self.beyond = sorted(day for day in days if day >= self.high)
        width = _WIDTH - _LEFT - _RIGHT
        self.width = width * (1 - _LATER_SHARE) if self.beyond else width

    def at(self, day: float) -> float:
        """Return the place of a moment, in days (1.5: noon of day 1)."""
        if day < self.low:
            return _LEFT + 2
        if day < self.high or math.floor(day) not in self.beyond:
            return _LEFT + self.width * min((day - self.low) / (self.high - self.low), 1.0)
        later = _WIDTH - _LEFT - _RIGHT - self.width
        return _LEFT + self.width + later * (self.beyond.index(math.floor(day)) + 0.6) / len(self.beyond)

    def hours(self, hours: float) -> float:
        """Return the place of a moment in hours since midnight before day 1."""
        return self.at(hours / 24.0 + 1)

    def ticks(self, top: float) -> list[str]:
        parts = [_text(self.at(day), top + 12, f"{day}", MUTED, "middle") for day in self._days()]
        parts += [_text(self.at(day + 0.4), top + 12, f"{day}", MUTED, "middle") for day in self.beyond]
        parts.append(_text(_LEFT - 8, top + 12, "day, or before" if self.before else "day", MUTED, "end"))
        if self.beyond:
            at = _LEFT + self.width + 4
            parts.append(_line(at, _GAP, at, top, QUIET, dash="2 3"))
        return parts

    def _days(self) -> range:
        return range(self.low, self.high, max(1, (self.high - self.low) // 14))


def _plasma(
    course: PatientCourse,
    curve: CourseCurve,
    backdrop: Sequence[CourseCurve],
    axis: _Axis,
    top: float,
    level: float,
) -> list[str]:
    regimen = course.treatment.regimen
    assert regimen is not None
    samples = [
        (one.at_h, one.ng_per_ml, one.clock_known)
        for one in course.samples
        if one.substance == regimen.drug and one.ng_per_ml is not None
    ]
    highest = 1.08 * max(
        _highest(curve, regimen), float(curve.norketamine.max()), *(level for _, level, _ in samples), 1e-9
    )
    bottom = top + _PLASMA

    def y(value: float) -> float:
        return bottom - _PLASMA * min(max(value / highest, 0.0), 1.0)

    parts = [f'<rect x="{_LEFT}" y="{top}" width="{axis.width:.1f}" height="{_PLASMA}" fill="{WASH}"/>']
    clip = f"clip-{re.sub('[^A-Za-z0-9]', '-', course.patient)}"
    parts.append(
        f'<clipPath id="{clip}"><rect x="{_LEFT}" y="{top}" width="{axis.width:.1f}" '
        f'height="{_PLASMA}"/></clipPath>'
    )
    x0 = axis.hours(regimen.doses[0].start_h)
    sx = axis.width / (24.0 * (axis.high - axis.low))
    sy = _PLASMA / highest
    parts += [
        f'<g clip-path="url(#{clip})"><use href="#published-{number}" '
        f'transform="translate({x0:.1f} {bottom:.1f}) scale({sx:.5f} {-sy:.5f})"/></g>'
        for number, one in enumerate(backdrop)
        if one.substance == curve.substance
    ]
    inside = [n for n, hour in enumerate(curve.times_h) if hour / 24.0 + 1 <= axis.high]
    xs = [axis.hours(float(curve.times_h[n])) for n in inside]
    upper = [(x, y(float(curve.high[n]))) for x, n in zip(xs, inside, strict=True)]
    lower = [(x, y(float(curve.low[n]))) for x, n in zip(xs, inside, strict=True)]
    middle = [(x, y(float(curve.middle[n]))) for x, n in zip(xs, inside, strict=True)]
    band = _path([*upper, *reversed(lower)])
    parts.append(f'<path d="{band}Z" fill="{AFFECTED_COLOUR}" fill-opacity="0.2"/>')
    parts.append(f'<path d="{_path(middle)}" fill="none" stroke="{AFFECTED_COLOUR}" stroke-width="1.4"/>')
    nor = [(x, y(float(curve.norketamine[n]))) for x, n in zip(xs, inside, strict=True)]
    parts.append(
        f'<path class="norketamine" d="{_path(nor)}" fill="none" stroke="{INK}" stroke-width="0.9" '
        f'stroke-dasharray="3 2"/>'
    )
    for at, measured, known in samples:
        fill = INK if known else "white"
        x = min(axis.hours(at), _LEFT + axis.width + 4)  # what lies beyond stands at the right edge
        parts.append(
            f'<circle class="sample" cx="{x:.1f}" cy="{y(measured):.1f}" r="3" fill="{fill}" '
            f'stroke="{INK}"><title>{measured:.3g} ng/ml measured</title></circle>'
        )
    if level < highest:
        parts.append(_line(_LEFT, y(level), _LEFT + axis.width, y(level), QUIET, dash="1 3"))
        if y(level) < bottom - _APART:
            parts.append(_text(_LEFT - 4, y(level) + 3, f"{level:g}", MUTED, "end"))
    parts.append(_text(_LEFT - 8, top + 9, "plasma, ng/ml", INK, "end"))
    parts.append(_text(_LEFT - 4, bottom, "0", MUTED, "end"))
    shown = _round_below(highest)
    parts.append(
        _text(_LEFT - 4, y(shown) + 12 if y(shown) < top + 18 else y(shown) + 3, f"{shown:g}", MUTED, "end")
    )
    return parts


def _highest(curve: CourseCurve, regimen: Regimen) -> float:
    """Return the highest concentration to draw: that of a bolus lasts minutes and would flatten all else."""
    boluses = [dose.start_h for dose in regimen.doses if not dose.duration_h]
    kept = [
        float(high)
        for hour, high in zip(curve.times_h, curve.high, strict=True)
        if not any(0 <= hour - start < _BOLUS_H for start in boluses)
    ]
    return max(kept, default=0.0) or float(curve.high.max())


def _rates(course: PatientCourse, axis: _Axis, top: float) -> list[str]:
    regimen = course.treatment.regimen
    assert regimen is not None
    rates = [dose.mg / dose.duration_h for dose in regimen.doses if dose.duration_h]
    largest = max(rates, default=1.0)
    bottom = top + _RATE
    parts = [_line(_LEFT, bottom, _LEFT + axis.width, bottom, QUIET)]
    for dose in regimen.doses:
        x = axis.hours(dose.start_h)
        if dose.duration_h:
            width = max(axis.hours(dose.end_h) - x, 1.0)
            height = _RATE * dose.mg / dose.duration_h / largest
            parts.append(
                f'<rect x="{x:.1f}" y="{bottom - height:.1f}" width="{width:.1f}" height="{height:.1f}" '
                f'fill="{HEALTHY_COLOUR}" fill-opacity="0.75"/>'
            )
        else:
            parts.append(
                f'<path d="M{x - 3:.1f} {bottom:.1f}L{x + 3:.1f} {bottom:.1f}L{x:.1f} {bottom - 9:.1f}Z" '
                f'fill="{HEALTHY_COLOUR}"/>'
            )
    parts.append(_text(_LEFT - 8, top + 9, "dose, mg/h", INK, "end"))
    parts.append(_text(_LEFT - 8, top + 22, f"highest {largest:.3g}", MUTED, "end"))
    return parts


def _co_medication(course: PatientCourse, drug: str, axis: _Axis, top: float) -> list[str]:
    parts = [_text(_LEFT - 8, top + 9, drug, INK, "end")]
    for dose in course.treatment.doses:
        if dose.drug != drug:
            continue
        day = dose.day + (dose.start_h if dose.start_h is not None else 9.0) / 24.0
        if not axis.low <= day <= axis.high:
            continue
        filled = INK if dose.start_h is not None else "white"
        amount = "" if dose.dose_mg is None else f"{dose.dose_mg:g}"
        parts.append(
            f'<circle cx="{axis.at(day):.1f}" cy="{top + 6:.1f}" r="2.6" fill="{filled}" stroke="{INK}"/>'
        )
        parts.append(_text(axis.at(day) + 5, top + 9, amount, MUTED, "start"))
    return parts


def _recordings(course: PatientCourse, axis: _Axis, top: float) -> list[str]:
    parts = [_text(_LEFT - 8, top + 9, "recorded", INK, "end")]
    for moment in course.moments:
        if moment.kind == "recording":
            day = moment.day + (9.0 if moment.clock_h is None else moment.clock_h) / 24.0
            x = axis.at(day)
            fill = "white" if moment.clock_h is None else INK
            parts.append(f'<path d="M{x:.1f} {top + 1:.1f}l5 5l-5 5l-5 -5Z" fill="{fill}" stroke="{INK}"/>')
            parts.append(_text(x + 8, top + 9, moment.name.removeprefix("ses-"), MUTED, "start"))
    return parts


def _pain(course: PatientCourse, axis: _Axis, top: float) -> list[str]:
    bottom = top + _PAIN
    parts = [
        _line(_LEFT, bottom, _WIDTH - _RIGHT, bottom, QUIET),
        _text(_LEFT - 8, top + 9, "pain", INK, "end"),
        _text(_LEFT - 4, bottom, "0", MUTED, "end"),
        _text(_LEFT - 4, top + 20, "10", MUTED, "end"),
    ]
    points = [
        (axis.at(moment.day + 0.4), bottom - (_PAIN - 6) * moment.score / _MOST_PAIN)
        for moment in course.moments
        if moment.kind == "pain" and moment.score is not None
    ]
    parts.append(f'<path d="{_path(points)}" fill="none" stroke="{INK}" stroke-width="1" opacity="0.5"/>')
    parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.4" fill="{INK}"/>' for x, y in points]
    return parts


def _round_below(value: float) -> float:
    step = 10.0 ** math.floor(math.log10(value))
    return max(round_ for round_ in (step, 2 * step, 5 * step) if round_ <= value)


def _path(points: Iterable[tuple[float, float]]) -> str:
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points)


def _text(x: float, y: float, text: str, colour: str, anchor: str) -> str:
    from markupsafe import escape

    return (
        f'<text x="{x:.1f}" y="{y:.1f}" fill="{colour}" font-size="10" text-anchor="{anchor}">'
        f"{escape(printable(text))}</text>"
    )


def _line(x1: float, y1: float, x2: float, y2: float, colour: str, *, dash: str = "") -> str:
    dashed = f' stroke-dasharray="{dash}"' if dash else ""
    return (
        f'<path d="M{x1:.1f} {y1:.1f}L{x2:.1f} {y2:.1f}" stroke="{colour}" stroke-width="0.8" '
        f'fill="none"{dashed}/>'
    )
