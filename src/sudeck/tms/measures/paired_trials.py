"""Which trials a paired-pulse measure is made of: the pairs, and the test pulse alone beside them."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from sudeck.core.errors import InputError
from sudeck.tms.measures.paired_pulse import PairedPulse, paired_pulse_measures
from sudeck.tms.measures.paired_pulse_rules import AFFERENT_RULES
from sudeck.tms.measures.threshold_tracking import TrackedPair, tracked_measures

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sudeck.tms.measures.measure_settings import GroupSettings
    from sudeck.tms.measures.measured import Trial

# A test pulse that takes more intensities than this beside conditioning pulses is being tracked.
_MOST_IN_A_BLOCK = 4


def measure_pairs(
    pairs: Sequence[Trial],
    singles: Sequence[Trial],
    *,
    floor_mv: float,
    settings: GroupSettings,
    denoised: Callable[[Sequence[Trial]], NDArray[np.float64]] | None = None,
) -> tuple[PairedPulse, ...] | tuple[TrackedPair, ...]:
    """Measure paired-pulse trials of one kind against the test pulse alone.

    Parameters
    ----------
    pairs : sequence of Trial
        With an interval; the conditioning pulse always to the same hemisphere.
    singles : sequence of Trial
        Single pulses in the same muscle state; those at the test intensity of the pairs are used.
    floor_mv : float
        Noise floor.
    settings : GroupSettings
    denoised : callable, optional
        Gives the amplitudes that ratios are made of and that `floor_mv` is the floor of; those as measured
        unless given.

    Returns
    -------
    tuple of PairedPulse, or of TrackedPair
        The latter where the test intensity took many values: threshold tracking.

    Raises
    ------
    InputError
        If there is no test pulse alone.
    """
    if is_tracked(pairs, singles):
        return tracked_measures(
            np.array([trial.pulse.test_mso for trial in (*pairs, *singles)], dtype=np.float64),
            _amplitudes([*pairs, *singles]),
            np.array([trial.pulse.isi_ms or np.nan for trial in (*pairs, *singles)]),
            floor_mv=floor_mv,
            prior=settings.resting_prior,
            rules=settings.rules,
            level=settings.level,
        )
    alone = unconditioned_trials(pairs, singles)
    afferent = pairs[0].pulse.afferent
    unit, strength = conditioning_intensity(pairs)
    used = [*pairs, *alone]
    return paired_pulse_measures(
        _amplitudes(used) if denoised is None else denoised(used),
        np.array([trial.pulse.isi_ms or np.nan for trial in pairs] + [np.nan] * len(alone)),
        conditioning_intensity=np.concatenate([strength, np.full(len(alone), np.nan)]),
        conditioning_unit=unit,
        other_hemisphere=to_other_hemisphere(pairs[0]),
        rules=AFFERENT_RULES if afferent else settings.rules,
        floor_mv=floor_mv,
        level=settings.level,
        stated={"SAI"} if afferent else _stated_names(pairs, settings),
        raw_mv=_amplitudes(used),
    )


def test_intensity(trial: Trial) -> str:
    """Return the stated intensity of the test pulse, ``120 %RMT`` or ``54 %MSO``; empty where none is."""
    if trial.pulse.test_rmt is not None:
        return f"{trial.pulse.test_rmt:.4g} %RMT"
    return "" if trial.pulse.test_mso is None else f"{trial.pulse.test_mso:.4g} %MSO"


def is_tracked(pairs: Sequence[Trial], singles: Sequence[Trial]) -> bool:
    """Return whether the test pulse took so many intensities that it must have been tracked."""
    known = all(trial.pulse.test_mso is not None for trial in (*pairs, *singles))
    return known and len({trial.pulse.test_mso for trial in pairs}) > _MOST_IN_A_BLOCK


def to_other_hemisphere(trial: Trial) -> bool:
    """Return whether the conditioning pulse went to the hemisphere that the test pulse did not."""
    conditioned = trial.pulse.conditioning_hemisphere
    return conditioned is not None and conditioned != trial.pulse.hemisphere


def _stated_names(pairs: Sequence[Trial], settings: GroupSettings) -> set[str]:
    """Return the measures that the conditions of the pairs name themselves: a block called SICI is one."""
    conditions = " ".join({trial.pulse.condition.upper() for trial in pairs})
    words = set(re.split(r"[^A-Z]+", conditions))
    return {rule.measure for rule in settings.rules.rules if rule.measure.upper() in words}


def unconditioned_trials(pairs: Sequence[Trial], singles: Sequence[Trial]) -> list[Trial]:
    """Return the single pulses at the test intensity of the pairs.

    Where the pairs do not say their test intensity, singles that do not say theirs either; where all of
    these are of one stated intensity, they.

    Raises
    ------
    InputError
        If there is none: pulses at other intensities are no measure of the test pulse.
    """
    for name in ("test_mso", "test_rmt"):
        wanted = {getattr(trial.pulse, name) for trial in pairs}
        chosen = [trial for trial in singles if getattr(trial.pulse, name) in wanted]
        if wanted != {None}:
            if chosen:
                return chosen
            singles = [trial for trial in singles if getattr(trial.pulse, name) is None]
    if not singles:
        raise InputError(
            "paired pulses",
            "no single pulse has the test intensity of the pairs",
            "name the unconditioned trials in the events table or the protocol",
        )
    if not any(map(test_intensity, pairs)):
        singles = [trial for trial in singles if not test_intensity(trial)] or singles
        strengths = dict.fromkeys(test_intensity(trial) for trial in singles)
        if len(strengths) > 1:
            raise InputError(
                "paired pulses",
                f"the pairs do not say their test intensity, and single pulses were given at "
                f"{', '.join(strengths)}: nothing says which of them are the test pulse alone",
                "state test_rmt or test_mso of the pairs in the events table or the protocol",
            )
    names = {trial.pulse.condition for trial in singles}
    if wanted == {None} and 1 < len(names) <= len(singles) / 2:
        raise InputError(
            "paired pulses",
            f"the single pulses have several names ({', '.join(sorted(names))}) and none has an intensity: "
            "nothing says which of them are the test pulse alone",
            "state test_rmt or test_mso of pairs and single pulses in the events table or the protocol",
        )
    return list(singles)


def conditioning_intensity(pairs: Sequence[Trial]) -> tuple[str, NDArray[np.float64]]:
    """Return the unit in which conditioning intensities are known, and each; NaN where one is not."""
    for unit, name in (("%RMT", "conditioning_rmt"), ("%MSO", "conditioning_mso")):
        values = np.array([getattr(trial.pulse, name) for trial in pairs], dtype=np.float64)
        if np.isfinite(values).any():
            return unit, values
    return "%RMT", np.full(len(pairs), np.nan)


def _amplitudes(trials: Sequence[Trial]) -> NDArray[np.float64]:
    return np.array([trial["amplitude_mv"] for trial in trials])
