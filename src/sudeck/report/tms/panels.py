"""What stands side by side in a report: the hemispheres of one person, visit and muscle, with trials."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sudeck.tms.measures.measured import GroupMeasures, Measured, Trial
from sudeck.tms.result import TmsResult

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sudeck.tms.responses.responses import TrialResponses
    from sudeck.tms.signals.trials import Pulse, TrialSet


# What names a group, and each of its estimates.
_NAMED_BY = ("participant", "visit", "hemisphere", "muscle", "muscle_side", "channel", "file")


@dataclass(frozen=True)
class PanelSweeps:
    """The sweeps of one condition of one group, ready to draw.

    Attributes
    ----------
    name, detail : str
        The condition, the same for both hemispheres, and the intensities of this one.
    active : bool
        Whether the muscle contracted.
    time_ms : ndarray, shape (n_samples,)
    emg_mv : ndarray, shape (n_trials, n_samples)
        Each sweep about its own level before the pulse.
    latency_ms, return_ms : ndarray, shape (n_trials,)
        Onset of the MEP and end of the silent period; NaN where there is none.
    search_ms : (float, float)
    n_flagged : int
        Trials that carry a flag.
    """

    name: str
    detail: str
    active: bool
    time_ms: NDArray[np.float64]
    emg_mv: NDArray[np.float64]
    latency_ms: NDArray[np.float64]
    return_ms: NDArray[np.float64]
    search_ms: tuple[float, float]
    n_flagged: int


@dataclass(frozen=True)
class Side:
    """One hemisphere of a panel: its measures, its trials, its sweeps by condition."""

    group: GroupMeasures
    trials: tuple[Trial, ...]
    sweeps: tuple[PanelSweeps, ...]
    without_flagged: tuple[Measured, ...]
    undecided: tuple[Measured, ...] = ()


@dataclass(frozen=True)
class Panel:
    """One person, visit and muscle: left hemisphere first, as far as there are both."""

    title: str
    sides: tuple[Side, ...]


def panels_of(result: TmsResult) -> tuple[Panel, ...]:
    """Return the panels of a result, in the order of its groups."""
    panels: dict[tuple[str, ...], list[GroupMeasures]] = {}
    for group in result.groups:
        relation = ""
        if group.hemisphere is None:
            relation = group.muscle_side or ""
        elif group.muscle_side == group.hemisphere:
            relation = "ipsilateral"
        muscle = f"{group.muscle} ({group.channel})" if group.channel else group.muscle
        panels.setdefault((group.file, group.participant, group.visit, relation, muscle), []).append(group)
    order = ("left", "right", None)
    made = []
    for key, groups in panels.items():
        sides = [_side(result, group) for group in sorted(groups, key=lambda g: order.index(g.hemisphere))]
        made.append(Panel(", ".join(filter(None, (*key[:3], " ".join(filter(None, key[3:]))))), tuple(sides)))
    return tuple(made)


def condition_of(
    pulse: Pulse, tests: frozenset[float | None], contracting: frozenset[float | None]
) -> tuple[str, str]:
    """Return the condition of a pulse, the same for both hemispheres, and its intensities in words.

    Parameters
    ----------
    pulse : Pulse
    tests : frozenset of float or None
        Test intensities of the pairs of the same hemisphere: singles at one of them are *test alone*.
    contracting : frozenset of float or None
        Intensities of its single pulses during contraction: one alone needs no name.
    """
    unit, test, conditioning = "%RMT", pulse.test_rmt, pulse.conditioning_rmt
    if test is None and conditioning is None:
        unit, test, conditioning = "%MSO", pulse.test_mso, pulse.conditioning_mso
    strength = "" if test is None else f"{test:g} {unit}"
    if conditioning is not None:
        strength = f"{conditioning:g} before {strength}" if strength else f"after {conditioning:g} {unit}"
    if not strength:
        # What no intensity tells apart, its name does: the measures of them stay apart too.
        strength = pulse.condition
    state = "active, " if pulse.state == "active" else ""
    if pulse.kind == "paired":
        other = ", other hemisphere" if pulse.conditioning_hemisphere not in {None, pulse.hemisphere} else ""
        isi = "pair" if pulse.isi_ms is None else f"pair {pulse.isi_ms:g} ms"
        return f"{state}{isi}{other}", strength
    if pulse.state == "active" and len(contracting) == 1:
        return "active", strength
    if tests and pulse.test_mso in tests:
        return f"{state}test alone", strength
    # Some files label a sweep by nothing but its intensity.
    named = pulse.condition not in {"", strength, f"{test:g}" if test is not None else ""}
    label = pulse.condition if named and pulse.kind != "single" else "single"
    return f"{state}{label}{' ' if strength else ''}{strength}", ""


def _side(result: TmsResult, group: GroupMeasures) -> Side:
    trials = tuple(trial for trial in result.trials if trial.group == group.key)
    own_sweeps = {(trial.file, trial.channel, trial.number) for trial in trials if not trial.rejected}
    tests = frozenset(trial.pulse.test_mso for trial in trials if trial.pulse.kind == "paired")
    contracting = frozenset(
        trial.pulse.test_mso
        for trial in trials
        if trial.pulse.kind != "paired" and trial.pulse.state == "active"
    )
    sweeps: dict[tuple[str, str], list[tuple[TrialSet, TrialResponses, int]]] = {}
    for item, responses in result.sweeps:
        for index, pulse in enumerate(item.pulses):
            if (item.source.label, item.channel, index + 1) in own_sweeps:
                sweeps.setdefault(condition_of(pulse, tests, contracting), []).append(
                    (item, responses, index)
                )

    def own(estimates: tuple[Measured, ...]) -> tuple[Measured, ...]:
        return tuple(one for one in estimates if all(getattr(one, x) == getattr(group, x) for x in _NAMED_BY))

    # A row of the figure goes by its name: where several intensities have one, each needs its own.
    several = Counter(name for name, _ in sweeps)
    drawn = tuple(
        _drawn(f"{name}, {detail}", "", rows) if several[name] > 1 and detail else _drawn(name, detail, rows)
        for (name, detail), rows in sweeps.items()
    )
    return Side(group, trials, drawn, own(result.estimates_without_flagged), own(result.estimates_undecided))


def _drawn(name: str, detail: str, own: list[tuple[TrialSet, TrialResponses, int]]) -> PanelSweeps:
    """Gather the sweeps of one condition on the time axis of the first recording."""
    first, responses, _ = own[0]
    pulse = first.pulses[own[0][2]]
    active = pulse.state == "active" or bool(np.isfinite([r.csp_ms[i] for _, r, i in own]).mean() > 0.5)
    wanted = first.time_ms[(first.time_ms >= -25.0) & (first.time_ms <= (260.0 if active else 85.0))]
    lines, codes = [], 0
    for item, found, index in own:
        sweep = np.nan_to_num(item.emg_mv[index])
        level = float(np.median(sweep[: max(item.pulse_sample, 2)]))
        lines.append(np.interp(wanted, item.time_ms, sweep) - level)
        codes += bool(found.flag_codes[index])
    return PanelSweeps(
        name,
        detail,
        active,
        wanted,
        np.array(lines),
        np.array([r.latency_ms[i] for _, r, i in own]),
        np.array([r.csp_return_ms[i] for _, r, i in own]),
        responses.search_ms,
        codes,
    )
