"""What is doubtful about the measures of a group, in sentences: no response, no name, no noise to go by."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from sudeck.core.flags import Flag
from sudeck.tms.measures.measured import Trial
from sudeck.tms.measures.paired_pulse import PairedPulse
from sudeck.tms.measures.paired_trials import test_intensity
from sudeck.tms.thresholds.table_noise import FLOOR_OVER_NOISE

if TYPE_CHECKING:
    from sudeck.tms.measures.threshold_tracking import TrackedPair
    from sudeck.tms.thresholds.posterior import ThresholdPosterior

_MOST_NAMES = 4
# Share of trials in which noise alone passes for a response, at most: the search finds 0.02 to 0.12 % a ms.
CHANCE = 0.05
_RARE = 0.025
# A response as many times as large as the noise floor of its own sweep is none of chance.
_PLAIN = 3.0


def nothing_answers(trials: Sequence[Trial]) -> bool:
    """Tell whether no more responses were found in sweeps than chance finds in noise, and none is plain."""
    sweeps = [trial for trial in trials if np.isfinite(trial["noise_floor_mv"])]
    if len(sweeps) < len(trials) or not trials:
        return False
    found = [trial for trial in trials if trial.present]
    if any(trial["amplitude_mv"] > _PLAIN * trial["noise_floor_mv"] for trial in found):
        return len(found) <= CHANCE * len(trials)
    return no_more_than_chance(len(found), len(trials))


def no_more_than_chance(seen: int, n: int) -> bool:
    """Tell whether noise alone passes for `seen` responses in `n` trials more than once in forty times."""
    from scipy.special import bdtrc

    return seen == 0 or float(bdtrc(seen - 1, n, CHANCE)) > _RARE


def never_reached(posterior: ThresholdPosterior, highest_mso: float) -> bool:
    """Tell whether no more pulses than stray ones gave a response, and the threshold lies above them all."""
    stray = posterior.n_responses <= CHANCE * posterior.n_pulses
    return stray and posterior.mean_mso > highest_mso


def graded_left_out(name: str, where: str) -> Flag:
    """Say that amplitudes near the criterion were only taken as yes or no, and why."""
    return Flag(
        "graded-evidence-left-out",
        f"{name} of {where} takes every pulse as yes or no: a table of amplitudes does not say how large the "
        "noise was, and small amplitudes may be nothing else.",
        "info",
        name,
    )


def noise_from_table(name: str, where: str, noise_mv: float, n: int, criterion_mv: float) -> Flag:
    """Say how large the noise of a table was found to be, and from what."""
    text = (
        f"{name} of {where}: amplitudes were freed of {1e3 * noise_mv:.0f} µV of noise, which is what {n} "
        "pulses too weak for a response gave."
    )
    hidden = FLOOR_OVER_NOISE * noise_mv >= criterion_mv
    if hidden:
        text += (
            f" So much noise hides responses of {1e3 * criterion_mv:.0f} µV, the criterion: the threshold is "
            "read from larger ones."
        )
    return Flag(
        "noise-from-table",
        text,
        "caution" if hidden else "info",
        name,
        value=noise_mv,
        unit="mV",
    )


def interval_not_stated(pairs: Sequence[Trial], where: str) -> tuple[Flag, ...]:
    """Say which pairs were not measured because nothing says how far apart their pulses were."""
    flags = []
    for name in dict.fromkeys(trial.pulse.condition for trial in pairs):
        n = sum(trial.pulse.condition == name for trial in pairs)
        called = f" called {name}" if name else ""
        example = f"isi_ms = 2.5 under [conditions.{name}] in" if name.isidentifier() else "isi_ms in"
        text = (
            f"{n} pairs{called} of {where} were not measured: nothing says how far apart their pulses were; "
            f"write {example} the protocol file, or a column isi_ms."
        )
        flags.append(Flag("interval-not-stated", text, "caution", name, float(n), unit="trials"))
    return tuple(flags)


def limit_above_criterion(name: str, where: str, limit_mv: float, criterion_mv: float) -> Flag:
    """Say that a table calls amplitudes below a limit that hides what counts as a response."""
    return Flag(
        "not-measured",
        f"{name} of {where} was not measured: the table says of amplitudes only that they are below "
        f"{limit_mv:g} mV, and {criterion_mv:g} mV counts as a response; give the amplitudes themselves, or "
        f"--criterion {limit_mv:g}.",
        "caution",
        name,
        value=limit_mv,
        limit=criterion_mv,
        unit="mV",
    )


def above_range(name: str, where: str, highest_mso: float) -> Flag:
    """Say that a threshold was never reached: it lies above the highest pulse."""
    return Flag(
        "threshold-above-range",
        f"{name} of {where} is above the highest pulse, {highest_mso:g} %MSO: it was never reached.",
        "caution",
        name,
        value=highest_mso,
        unit="%MSO",
    )


def unnamed_pair(pair: PairedPulse | TrackedPair) -> tuple[Flag, ...]:
    """Say how to have a pair called by the name of its measure."""
    if pair.measure != "paired pulse" or not isinstance(pair, PairedPulse) or pair.conditioning_intensity:
        return ()
    return (
        Flag(
            "measure-not-named",
            f"Nothing says how strong the pulses of the pairs at {pair.isi_ms:g} ms were, so that they have "
            "no name such as SICI or SICF; state conditioning_rmt and test_rmt under [conditions] in the "
            "protocol file, or in the events table.",
            "caution",
            f"{pair.isi_ms:g} ms",
        ),
    )


def assumed_alone(pairs: Sequence[Trial], singles: Sequence[Trial]) -> tuple[Flag, ...]:
    """Flag singles that were taken for the test pulse alone only because the pairs do not say theirs."""
    if not singles or any(map(test_intensity, pairs)):
        return ()
    silent = [trial for trial in singles if not test_intensity(trial)]
    strengths = {test_intensity(trial) for trial in singles}
    if not silent and len(strengths) > 1:
        return ()  # they are refused
    if not silent:
        at = strengths.pop()
        text = (
            f"Nothing says at which intensity the test pulses of {len(pairs)} pairs were given, so that the "
            f"{len(singles)} single pulses at {at} were taken for the test pulse alone; add test_mso or "
            "test_rmt of the pairs to the events table or the protocol file."
        )
        n = float(len(singles))
        return (Flag("test-alone-assumed", text, "caution", "paired pulses", n, unit="trials"),)
    singles = silent
    return (
        Flag(
            "test-alone-assumed",
            f"Nothing says at which intensity the pulses were given, so that all {len(singles)} single "
            "pulses were taken for the test pulse alone; add test_mso or test_rmt to the events table or the "
            "protocol file.",
            "caution",
            "paired pulses",
            value=float(len(singles)),
            unit="trials",
        ),
    )


def names_together(measure: str, where: str, trials: Sequence[Trial]) -> tuple[Flag, ...]:
    """Say that trials of several names are one measure, since nothing that is stated tells them apart."""
    names = Counter(trial.pulse.condition for trial in trials if trial.pulse.condition)
    if len(names) < 2 or len(names) > len(trials) / 2:  # running numbers are no names
        return ()
    shown = ", ".join(f"{name} {n}" for name, n in names.most_common(_MOST_NAMES))
    shown += ", …" if len(names) > _MOST_NAMES else ""
    text = (
        f"{measure} of {where} is of {len(trials)} trials under several names ({shown}), together because "
        "all that is stated of them is alike; where they differ, state in what: a visit, an intensity."
    )
    return (Flag("names-together", text, "info", measure, float(len(names)), 1.0, "names"),)
