"""A threshold determination in progress: responses in, one by one; advice out."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from sudeck.core.errors import InputError
from sudeck.tms.thresholds.advice import STOP_SD_MSO, Advice, advise_threshold
from sudeck.tms.thresholds.posterior import ACTIVE_CRITERION_MV, RESTING_CRITERION_MV
from sudeck.tms.thresholds.prior import ACTIVE_HAND, RESTING_HAND, ThresholdPrior

if TYPE_CHECKING:
    from sudeck.tms.thresholds.posterior import Evidence

_YES: Final = {"y", "yes", "+"}
_NO: Final = {"n", "no", "-"}


_SETTINGS: Final = (
    "active", "criterion_mv", "step_mso", "stop_sd_mso", "max_pulses", "limit_mso", "prior_mean_mso",
    "prior_sd_mso",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class TypedPulse:
    """One pulse as it was typed: intensity, amplitude, and whether the amplitude was measured."""

    intensity_mso: float
    amplitude_mv: float
    graded: bool


@dataclass
class ThresholdSession:
    """Keeps the pulses given so far; the one object here that changes.

    Attributes
    ----------
    active : bool
        Whether the muscle contracts: another prior and another criterion.
    criterion_mv : float or None
        Amplitude that counts as a response; 0.05 mV at rest and 0.2 mV active unless given.
    step_mso, stop_sd_mso, max_pulses, limit_mso
        As in `advise_threshold`.
    prior_mean_mso, prior_sd_mso : float or None
        What is believed of the threshold before the first pulse, where something better is known than the
        table of hand muscles.

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
    limit_mso: float = 100.0
    prior_mean_mso: float | None = None
    prior_sd_mso: float | None = None
    pulses: list[TypedPulse] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.advice = self._advised()

    @property
    def intensity_mso(self) -> list[float]:
        """Intensities given so far."""
        return [pulse.intensity_mso for pulse in self.pulses]

    @property
    def name(self) -> str:
        """``"RMT"`` or ``"AMT"``."""
        return "AMT" if self.active else "RMT"

    @property
    def prior(self) -> ThresholdPrior:
        """What is believed before the first pulse."""
        usual = ACTIVE_HAND if self.active else RESTING_HAND
        if self.prior_mean_mso is None and self.prior_sd_mso is None:
            return usual
        mean, sd = self.prior_mean_mso or usual.mean_mso, self.prior_sd_mso or usual.sd_mso
        return replace(usual, mean_mso=mean, sd_mso=sd, source="stated for this session")

    @property
    def evidence(self) -> Evidence:
        """What counts: amplitudes, or with one y or n among them only whether there was a response."""
        return "amplitude" if all(pulse.graded for pulse in self.pulses) else "response"

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
        self.pulses.append(self._read(text))
        self.advice = self._advised()
        return self.advice

    def undo(self) -> Advice:
        """Take the last response back and return what to do next.

        Raises
        ------
        InputError
            If no pulse was given.
        """
        if not self.pulses:
            raise InputError("undo", "no pulse was given yet", "type a response first")
        self.pulses.pop()
        self.advice = self._advised()
        return self.advice

    def to_dict(self) -> dict[str, Any]:
        """Return settings and pulses as plain values, from which `resumed` makes the same session."""
        settings = {name: getattr(self, name) for name in _SETTINGS}
        pulses = [[one.intensity_mso, one.amplitude_mv, one.graded] for one in self.pulses]
        return {"settings": settings, "pulses": pulses}

    @classmethod
    def resumed(cls, content: Mapping[str, Any]) -> ThresholdSession:
        """Return the session that `to_dict` described.

        Raises
        ------
        InputError
            If that is no session.
        """
        try:
            settings = {name: content["settings"][name] for name in _SETTINGS}
            pulses = [TypedPulse(float(i), float(a), bool(graded)) for i, a, graded in content["pulses"]]
            return cls(**settings, pulses=pulses)
        except (KeyError, TypeError, ValueError):
            raise InputError(
                "session file", "it holds no threshold session", "name another file, or begin a new one"
            ) from None

    def conclusion(self) -> str:
        """Return what is known now: the estimate, unless the last advice told it already, and its flags."""
        estimate = self.advice.estimate
        if estimate is None:
            return "No pulse was given."
        n = len(self.pulses)
        known = [] if self.advice.stop else [f"{estimate} after {n} {'pulse' if n == 1 else 'pulses'}."]
        return "\n".join([*known, *map(str, self.advice.flags)])

    def _advised(self) -> Advice:
        return advise_threshold(
            self.intensity_mso,
            [pulse.amplitude_mv for pulse in self.pulses],
            name=self.name,
            prior=self.prior,
            criterion_mv=self.criterion,
            evidence=self.evidence,
            stop_sd_mso=self.stop_sd_mso,
            max_pulses=self.max_pulses,
            step_mso=self.step_mso,
            limit_mso=self.limit_mso,
        )

    def _read(self, text: str) -> TypedPulse:
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
            return TypedPulse(intensity, 2 * self.criterion, graded=False)
        if said in _NO:
            return TypedPulse(intensity, 0.0, graded=False)
        amplitude = _number(said, text)
        if not 0 <= amplitude <= 30:
            raise InputError(text.strip(), f"{amplitude:g} mV is no MEP", "write the amplitude in mV")
        return TypedPulse(intensity, amplitude, graded=True)


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
