"""The 30-item checklist of what a report on magnetic stimulation must say: answered, or asked.

Items after Chipchase L. et al. (2012), Clin Neurophysiol 123:1698-1704, doi 10.1016/j.clinph.2012.05.003:
27 for single pulses, three more for pairs. What the recording shows is filled in; the rest is taken from the
table ``[reporting]`` of the protocol file, and stays a question where that is silent too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from sudeck.tms.recordings.reporting_items import ITEMS, Part

if TYPE_CHECKING:
    from sudeck.tms.result import TmsResult

Origin = Literal["recording", "protocol", "open"]


@dataclass(frozen=True, slots=True)
class ChecklistItem:
    """One item of the checklist.

    Attributes
    ----------
    number : int
        1 to 30.
    key : str
        Its name in the table ``[reporting]`` of a protocol file.
    part : {"participants", "method", "paired pulses", "analysis"}
    question : str
    answer : str
        Empty where nothing answers it.
    origin : {"recording", "protocol", "open"}
        What the answer comes from.
    """

    number: int
    key: str
    part: Part
    question: str
    answer: str
    origin: Origin

    def __str__(self) -> str:
        return f"{self.number}. {self.question} {self.answer or '(open)'}"

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON-ready values."""
        return {
            name: getattr(self, name) or None
            for name in ("number", "key", "part", "question", "answer", "origin")
        }


def reporting_checklist(result: TmsResult) -> tuple[ChecklistItem, ...]:
    """Fill the checklist as far as the recordings and the protocol go.

    The protocol's own words go before what the recording shows. Without paired pulses, the three items on
    them are left out.
    """
    shown = _shown(result)
    paired = any(trial.pulse.kind == "paired" for trial in result.trials)
    items = []
    for number, (key, part, question) in enumerate(ITEMS, start=1):
        if part == "paired pulses" and not paired:
            continue
        stated = result.reporting.get(key, "")
        answer = stated or shown.get(key, "")
        origin: Origin = "protocol" if stated else "recording" if answer else "open"
        items.append(ChecklistItem(number, key, part, question, answer, origin))
    return tuple(items)


def _shown(result: TmsResult) -> dict[str, str]:
    """Return the answers that the recordings themselves give."""
    pulses = [trial.pulse for trial in result.trials]
    pairs = [pulse for pulse in pulses if pulse.kind == "paired"]
    states = {pulse.state for pulse in pulses if pulse.state}
    rms = np.array([trial["baseline_rms_mv"] for trial in result.trials])
    contraction = " and ".join(sorted(states))
    if contraction and np.isfinite(rms).any():
        contraction += f"; median EMG before the pulse {1e3 * float(np.nanmedian(rms)):.2g} µV RMS"
    thresholds = [name for group in result.groups for name in group.thresholds]
    unconditioned = [
        str(one.estimate) + (f" at {one.intensity}" if one.intensity else "")
        for group in result.groups
        if group.pairs
        for one in group.estimates
        if one.measure in {"MEP", "active MEP"}
    ]
    windows = {responses.search_ms for _, responses in result.sweeps}
    size = "peak to peak"
    if windows:
        size += " " + " or ".join(f"{low:g} to {high:g} ms" for low, high in sorted(windows))
        size += " after the pulse, geometric mean"
    else:
        size = "as the table gives it, geometric mean"
    return {
        "contraction": contraction,
        "intensity": "; ".join(
            filter(None, (_values(pulses, "test_mso", "%MSO"), _values(pulses, "test_rmt", "%RMT")))
        ),
        "time_between_trials": _apart(result),
        "threshold_method": (
            "Bayesian probit from every pulse; 5/10 rule and ML-PEST beside it" if thresholds else ""
        ),
        "number_of_meps": f"{len(pulses)} trials",
        "test_intensity": _values(pairs, "test_rmt", "%RMT") or _values(pairs, "test_mso", "%MSO"),
        "conditioning_intensity": (
            _values(pairs, "conditioning_rmt", "%RMT") or _values(pairs, "conditioning_mso", "%MSO")
        ),
        "isi": _values(pairs, "isi_ms", "ms"),
        "size_method": size,
        "unconditioned_size": "; ".join(unconditioned),
    }


def _values(pulses: list[Any], field: str, unit: str) -> str:
    """Return the values of a field as a list, or as a range where they are many."""
    values = sorted({float(getattr(pulse, field)) for pulse in pulses if getattr(pulse, field) is not None})
    if not values:
        return ""
    if len(values) > 8:
        return f"{values[0]:g} to {values[-1]:g} {unit}"
    return f"{', '.join(f'{value:g}' for value in values)} {unit}"


def _apart(result: TmsResult) -> str:
    """Return the usual time between trials and its range, from the clock of each recording."""
    times: dict[tuple[str, str, str], list[float]] = {}
    for trial in result.trials:
        times.setdefault((trial.file, trial.channel, trial.participant), []).append(trial.pulse.time_s)
    gaps = np.concatenate([np.diff(np.sort(own)) for own in times.values()] or [np.empty(0)])
    gaps = gaps[np.isfinite(gaps) & (gaps > 0)]
    if not gaps.size:
        return ""
    return f"median {np.median(gaps):.1f} s ({gaps.min():.1f} to {gaps.max():.1f} s)"
