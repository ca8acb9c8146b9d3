"""What noise there is in the amplitudes of a group, and whether they hold more than noise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sudeck.tms.measures.group_doubts import no_more_than_chance
from sudeck.tms.measures.lognormal import freed_of_noise
from sudeck.tms.measures.measured import Trial, column
from sudeck.tms.thresholds.table_noise import LARGEST_NOISE

if TYPE_CHECKING:
    from numpy.typing import NDArray

# A floor lies above the noise that makes it; what is left of it is where amplitudes begin to say something.
_NOISE_OF_FLOOR = 0.9


@dataclass(frozen=True, slots=True)
class GroupNoise:
    """Noise of one hemisphere and muscle, from sweeps or from the table.

    Attributes
    ----------
    stated_floor_mv : float or None
        Floor that somebody stated; it beats what the trials say.
    smallest_mv : float
        Smallest amplitude above zero.
    table_mv : float
        Noise that a table of amplitudes at rest was found to hold; 0 where none was found.
    """

    stated_floor_mv: float | None
    smallest_mv: float
    table_mv: float = 0.0

    def floor(self, trials: Sequence[Trial], *, denoised: bool = False) -> float:
        """Return the amplitude at or below which a trial shows no response, in mV; 0 where nothing says."""
        if self.stated_floor_mv is not None:
            return self.stated_floor_mv
        floors = column(trials, "denoised_floor_mv" if denoised else "noise_floor_mv")
        if np.isfinite(floors).any():
            return float(np.nanquantile(floors, 0.95))
        # A table of amplitudes has no baseline; a zero in it means "none seen", below the smallest seen, or
        # below the limit that it states.
        limits = column(trials, "below_mv")
        if np.isfinite(limits).any():
            return float(np.nanmax(limits))
        return self.smallest_mv if (column(trials, "amplitude_mv") == 0).any() else 0.0

    def heard(self, trials: Sequence[Trial]) -> tuple[NDArray[np.float64], float]:
        """Return amplitudes freed of what noise adds to them, and the floor below which they say nothing."""
        floor, noise = self.floor(trials), _rms(column(trials, "noise_floor_mv"))
        if self._of_table(trials):
            noise, floor = self.table_mv, LARGEST_NOISE * self.table_mv
        noise = min(noise, _NOISE_OF_FLOOR * floor)
        return freed_of_noise(column(trials, "amplitude_mv"), noise), float(freed_of_noise(floor, noise))

    def left_by_filter(self, trials: Sequence[Trial]) -> tuple[float, float]:
        """Return the noise in denoised amplitudes, root mean square, and their floor; both in mV."""
        floor = self.floor(trials, denoised=True)
        return min(_rms(column(trials, "denoised_floor_mv")), _NOISE_OF_FLOOR * floor), floor

    def beside_pairs(self, pairs: Sequence[Trial], alone: Sequence[Trial]) -> tuple[float, float]:
        """Return noise and floor of pairs and of the single pulses that they are held against; both in mV."""
        if self._of_table(pairs):
            return self.table_mv, LARGEST_NOISE * self.table_mv
        return self.left_by_filter([*pairs, *alone])

    def may_be_all(self, trials: Sequence[Trial]) -> bool:
        """Tell whether as many responses as were seen are found in noise."""
        if self._of_table(trials):
            seen = int((column(trials, "amplitude_mv") > LARGEST_NOISE * self.table_mv).sum())
        elif np.isfinite(column(trials, "noise_floor_mv")).any() and trials[0].pulse.state != "active":
            seen = sum(trial.present for trial in trials)
        else:
            return False
        return no_more_than_chance(seen, len(trials))

    def _of_table(self, trials: Sequence[Trial]) -> bool:
        traced = np.isfinite(column(trials, "noise_floor_mv")).any()
        return bool(self.table_mv) and not traced and trials[0].pulse.state != "active"


def smallest_of(trials: Sequence[Trial]) -> float:
    """Return the smallest amplitude above zero in mV; 0 where there is none."""
    amplitude = column(trials, "amplitude_mv")
    return float(amplitude[amplitude > 0].min()) if (amplitude > 0).any() else 0.0


def _rms(values: NDArray[np.float64]) -> float:
    known = values[np.isfinite(values)]
    return float(np.sqrt(np.mean(known**2))) if known.size else 0.0
