"""What the page of a scan shows of delayed images of other times than that of the bone phase."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sudeck.core.vocabulary import PHASE_RATIOS
from sudeck.report.kit.interval_bars import IntervalAxis
from sudeck.report.kit.text import clock_text, group_thousands, interval_text, value_text
from sudeck.report.scan import words
from sudeck.scan.result import OtherDelayed, PhaseMeasurement, ScanResult

if TYPE_CHECKING:
    from markupsafe import Markup

_BPR = PHASE_RATIOS["bone"]


@dataclass(frozen=True)
class DelayedRow:
    """BPr of one delayed image: of the image and of uptake; `reason` stands where it was refused."""

    name: str
    image: str = ""
    interval: str = ""
    bar: Markup | None = None
    uptake: str = ""
    uptake_interval: str = ""
    reason: str = ""


def delayed_rows(result: ScanResult, axis: IntervalAxis) -> list[DelayedRow]:
    """Return a row for each further delayed image."""
    rows = []
    for other in result.other_delayed:
        name = f"{_BPR} at {other.time}"
        estimate, uptake = other.estimates.get(_BPR), other.uptake_estimates.get(_BPR)
        if estimate is None:
            rows.append(DelayedRow(name, reason=other.refused.get(_BPR, "Nothing says why.")))
            continue
        rows.append(
            DelayedRow(
                name,
                value_text(estimate, words.RATIO_DECIMALS),
                interval_text(estimate, words.RATIO_DECIMALS),
                axis.bar(estimate),
                value_text(uptake, words.RATIO_DECIMALS) if uptake else "",
                interval_text(uptake, words.RATIO_DECIMALS) if uptake else "",
            )
        )
    return rows


def delayed_caption(other: OtherDelayed, phase: PhaseMeasurement) -> str:
    """Return what stands below its image."""
    since = "after injection" if other.clock == "injection" else "after the start of the flow"
    lasting = f", during {clock_text(phase.duration_s)}" if phase.duration_s else ""
    counts = group_thousands(float(phase.pose.image.sum()))
    return f"From {clock_text(other.start_s)} {since}{lasting}, {counts} counts ({', '.join(other.files)})."
