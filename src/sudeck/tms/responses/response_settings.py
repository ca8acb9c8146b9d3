"""How responses are measured: every choice in one place, with its default."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from sudeck.core.record import Record
from sudeck.tms.responses.sweep_quality import DEFAULT_LIMITS, QualityLimits

if TYPE_CHECKING:
    from sudeck.tms.responses.windows import Window


@dataclass(frozen=True, slots=True)
class ResponseSettings(Record):
    """How responses are measured.

    Attributes
    ----------
    search_ms : (float, float) or None
        Where the response is looked for, in ms after the test pulse; unless given by muscle, see
        `search_window`.
    oversample : int
        Spline points a sample for the amplitude; 1 takes the samples as they are.
    highpass_hz : float or None
        Cut-off of a zero-phase high-pass against slow drift, at most 5 Hz; none unless given.
    take_out_hum, take_out_decay : bool
        Whether mains hum and the decay of the artefact are subtracted where they are found.
    mains_hz : float or None
        50 or 60; found unless given.
    silent_period : {"auto", "always", "never"}
        ``"auto"`` measures it where the muscle was told to contract, or, where nobody says, if the median
        RMS before the pulse is above `active_mv`.
    silent_period_from : {"mep", "pulse", "silence"}
        Where its duration begins: at the onset of the MEP, at the pulse, or where the EMG falls silent.
        Without an MEP (as on the ipsilateral side) ``"mep"`` means ``"silence"``.
    active_mv : float
        RMS before the pulse above which a muscle of unknown state counts as contracting.
    limits : QualityLimits
        What flags are held against.
    """

    search_ms: Window | None = None
    oversample: int = 1
    highpass_hz: float | None = None
    take_out_hum: bool = True
    take_out_decay: bool = True
    mains_hz: float | None = None
    silent_period: Literal["auto", "always", "never"] = "auto"
    silent_period_from: Literal["mep", "pulse", "silence"] = "mep"
    active_mv: float = 0.020
    limits: QualityLimits = field(default=DEFAULT_LIMITS)
