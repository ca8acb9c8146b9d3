"""A threshold determination in progress: responses in, one by one; advice out."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from sudeck.core.errors import InputError
from sudeck.tms.thresholds.advice import STOP_SD_MSO, Advice, advise_threshold
from sudeck.tms.thresholds.posterior import ACTIVE_CRITERION_MV, RESTING_CRITERION_MV
from sudeck.tms.thresholds.prior import ACTIVE_HAND, RESTING_HAND

if TYPE_CHECKING:
    from sudeck.tms.thresholds.posterior import Evidence

_YES: Final = {"y", "yes", "+"}
_NO: Final = {"n", "no", "-"}


@dataclass
class ThresholdSession:
    """Keeps the pulses given so far; the one object here that changes.

    Attributes
    ----------
    active : bool
        Whether the muscle contracts: another prior and another criterion.
    criterion_mv : float or None
        Amplitude that counts as a response; 0.05 mV at rest and 0.2 mV active unless given.
    step_mso, stop_sd_mso, max_pulses
        As in `advise_threshold`.

    Examples
    --------
    >>> session = ThresholdSession()
    >>> print(session.respond("0.9"))
    Next pulse: 45 %MSO. Posterior SD 8.7 %MSO after 1 pulse; stop at 1.5.
    """

    active: bool = False
    criterion_mv: float | None = None
    step_mso: float = 1.0
    stop_sd_mso: float = STOP_SD_MSO
    max_pulses: int = 60
    intensity_mso: list[float] = field(default_factory=list)
    amplitude_mv: list[float] = field(default_factory=list)
    graded: bool = True

    def __post_init__(self) -> None:
        self.advice = self._advised()

    @property
    def criterion(self) -> float:
        """Amplitude in mV that counts as a response."""
        return self.criterion_mv or (ACTIVE_CRITERION_MV if self.active else RESTING_CRITERION_MV)

    def respond(self, text: str) -> Advice:
        """Take in one response as it was typed and return what to do next.

        Parameters
        ----------
        text : str
            ``"0.12"`` (mV), ``"y"``, ``"n"``; ``"48 0.12"`` where 48 %MSO was given instead of what was
            advised.

        Raises
        ------
        InputError
            If the text is none of these; nothing has changed then.
        """
        intensity, amplitude, graded = self._read(text)
        self.intensity_mso.append(intensity)
        self.amplitude_mv.append(amplitude)
        self.graded = self.graded and graded
        self.advice = self._advised()
        return self.advice

    def conclusion(self) -> str:
        """Return what is known now: the estimate, unless the last advice told it already, and its flags."""
        estimate = self.advice.estimate
        if estimate is None:
            return "No pulse was given."
        n = len(self.intensity_mso)
        known = [] if self.advice.stop else [f"{estimate} after {n} {'pulse' if n == 1 else 'pulses'}."]
        return "\n".join([*known, *map(str, self.advice.flags)])

    def _advised(self) -> Advice:
        evidence: Evidence = "amplitude" if self.graded else "response"
        return advise_threshold(
            self.intensity_mso,
            self.amplitude_mv,
            name="AMT" if self.active else "RMT",
            prior=ACTIVE_HAND if self.active else RESTING_HAND,
            criterion_mv=self.criterion,
            evidence=evidence,
            stop_sd_mso=self.stop_sd_mso,
            max_pulses=self.max_pulses,
            step_mso=self.step_mso,
        )

    def _read(self, text: str) -> tuple[float, float, bool]:
        words = re.split(r"[\s;]+", text.strip().lower())
        if not 1 <= len(words) <= 2 or not words[0]:
            raise _unclear(text)
        intensity = self.advice.next_intensity_mso
        if len(words) == 2:
            intensity = _number(words[0], text)
            if not 0 < intensity <= 100:
                raise InputError(text.strip(), f"{intensity:g} is no intensity in %MSO", "write 1 to 100")
        said = words[-1]
        if said in _YES:
            return intensity, 2 * self.criterion, False
        if said in _NO:
            return intensity, 0.0, False
        amplitude = _number(said, text)
        if not 0 <= amplitude <= 30:
            raise InputError(text.strip(), f"{amplitude:g} mV is no MEP", "write the amplitude in mV")
        return intensity, amplitude, True


def _number(word: str, text: str) -> float:
    try:
        return float(word.replace(",", "."))
    except ValueError:
        raise _unclear(text) from None


def _unclear(text: str) -> InputError:
    return InputError(
        text.strip()[:40] or "the response",
        "it is no response",
        "write its amplitude in mV (0.12), or y or n; after another intensity than advised: 48 0.12",
    )
