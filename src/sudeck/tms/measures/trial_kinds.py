"""Which trials are measured together: of one kind of stimulus, one strength, one pair."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from sudeck.core.flags import Flag
from sudeck.tms.measures.measured import Trial
from sudeck.tms.measures.paired_trials import is_tracked, test_intensity, to_other_hemisphere

_Key = TypeVar("_Key", bound=Hashable)


def of_known_kind(trials: Sequence[Trial], where: str) -> tuple[list[Trial], list[Trial], tuple[Flag, ...]]:
    """Keep stimuli of which nothing says whether they were single or paired apart from those of known kind.

    Where nothing says it of any, they are taken for single pulses: tables of a threshold hold no such column.

    Parameters
    ----------
    trials : sequence of Trial
        Of one group.
    where : str
        Its name, for messages.

    Returns
    -------
    known : list of Trial
        What thresholds, amplitudes, latencies and ratios are made of.
    open : list of Trial
        The others.
    flags : tuple of Flag
    """
    unknown = [trial for trial in trials if trial.pulse.kind == "unknown"]
    if not unknown:
        return list(trials), [], ()
    n = len(unknown)
    how = "state kind in the events table, or under [conditions] in the protocol file"
    if n == len(trials):
        text = (
            f"Nothing says whether the {n} stimuli of {where} were single or paired; all were taken for "
            f"single pulses. If some were pairs, {how}."
        )
        return (
            list(trials),
            [],
            (Flag("kind-assumed-single", text, "caution", where, float(n), unit="trials"),),
        )
    text = (
        f"Nothing says whether {n} of {len(trials)} stimuli of {where} were single or paired; they are in no "
        f"threshold, MEP, ratio or silent period, and stand as MEP of unstated kind. To use them, {how}."
    )
    flag = Flag("kind-not-stated", text, "caution", where, float(n), float(len(trials)), "trials")
    return [trial for trial in trials if trial.pulse.kind != "unknown"], unknown, (flag,)


def parted(trials: Sequence[Trial], key: Callable[[Trial], _Key]) -> dict[_Key, list[Trial]]:
    """Return the trials under each key, in the order of their first trials."""
    groups: dict[_Key, list[Trial]] = {}
    for trial in trials:
        groups.setdefault(key(trial), []).append(trial)
    return groups


def with_intensity(
    trials: Sequence[Trial], name: str = "test_mso"
) -> tuple[list[Trial], NDArray[np.float64]]:
    """Return the trials whose intensity is stated, and those intensities."""
    known = [trial for trial in trials if getattr(trial.pulse, name) is not None]
    return known, np.array([getattr(trial.pulse, name) for trial in known], dtype=np.float64)


def strength_of(trials: Sequence[Trial]) -> Callable[[Trial], str]:
    """Return what keeps single pulses apart: the intensity, else the name of the condition.

    The name counts where it comes back, as those of conditions do and running numbers do not.
    """
    unknown = [trial for trial in trials if not test_intensity(trial)]
    names = {trial.pulse.condition for trial in unknown}
    named = len(names) > 1 and len(names) <= len(unknown) / 2
    return lambda trial: test_intensity(trial) or (trial.pulse.condition if named else "")


def common_intensity(trials: Sequence[Trial]) -> str:
    """Return the test intensity that all trials have, empty where they differ."""
    given = {test_intensity(trial) for trial in trials}
    return given.pop() if len(given) == 1 else ""


def kind_of_pair(
    pairs: Sequence[Trial], singles: Sequence[Trial] = ()
) -> Callable[[Trial], tuple[str, bool, str, str]]:
    """Return what keeps pairs apart: state, hemisphere of the first pulse, name, and test intensity.

    The name counts where an intensity is not stated and what else is alike has several names, which come back
    as those of conditions do: whoever named them knows a difference that nothing else says. The test
    intensity counts unless it was tracked: each pair is held against the test pulse alone of its own.
    """

    def block(trial: Trial) -> tuple[str, bool]:
        return trial.pulse.state or "rest", to_other_hemisphere(trial)

    tracked = {
        place
        for place, own in parted(pairs, block).items()
        if is_tracked(own, [trial for trial in singles if (trial.pulse.state or "rest") == place[0]])
    }
    several_names = {
        alike
        for alike, own in parted(pairs, _strengths_of_pair).items()
        if 1 < len({trial.pulse.condition for trial in own}) <= len(own) / 2
    }

    def kind(trial: Trial) -> tuple[str, bool, str, str]:
        alike = _strengths_of_pair(trial)
        unstated = "" in alike[1:]
        name = trial.pulse.condition if unstated and alike in several_names else ""
        name = f"afferent {name}".strip() if trial.pulse.afferent else name
        return *block(trial), name, "" if block(trial) in tracked else test_intensity(trial)

    return kind


def _strengths_of_pair(trial: Trial) -> tuple[float | None, str, str]:
    """Return interval and intensities of a pair, as far as they are stated."""
    pulse = trial.pulse
    first = pulse.conditioning_mso if pulse.conditioning_rmt is None else pulse.conditioning_rmt
    return pulse.isi_ms, test_intensity(trial), "" if first is None else f"{first:g}"
