"""Which interval and conditioning pulse counts as SICI, ICF, LICI, SICF or IHI: a setting, not a fact."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sudeck.core.errors import InputError


@dataclass(frozen=True, slots=True)
class PairedPulseRule:
    """One measure: its intervals and its conditioning pulse.

    Attributes
    ----------
    measure : str
        Name, e.g. ``"SICI"``.
    isi_low_ms, isi_high_ms : float
        Intervals that count, ends included.
    conditioning_low_rmt, conditioning_high_rmt : float
        Conditioning intensities that count, in percent of resting motor threshold; low included, high not.
        A trial whose conditioning intensity is unknown meets either.
    other_hemisphere : bool
        Whether the conditioning pulse goes to the other hemisphere.
    """

    measure: str
    isi_low_ms: float
    isi_high_ms: float
    conditioning_low_rmt: float = 0.0
    conditioning_high_rmt: float = float("inf")
    other_hemisphere: bool = False

    def __post_init__(self) -> None:
        if not 0 < self.isi_low_ms <= self.isi_high_ms:
            raise InputError(
                f"rule for {self.measure}",
                f"intervals from {self.isi_low_ms:g} to {self.isi_high_ms:g} ms are not ordered",
                "give a positive lower end and an upper end above it",
            )

    def matches(self, isi_ms: float, conditioning_rmt: float | None, other_hemisphere: bool) -> bool:
        """Return whether a pair of pulses falls under this rule."""
        strong_enough = conditioning_rmt is None or (
            self.conditioning_low_rmt <= conditioning_rmt < self.conditioning_high_rmt
        )
        return (
            self.isi_low_ms <= isi_ms <= self.isi_high_ms
            and strong_enough
            and self.other_hemisphere == other_hemisphere
        )


@dataclass(frozen=True, slots=True)
class PairedPulseRules:
    """The rules of a study, first match first.

    Examples
    --------
    >>> DEFAULT_RULES.measure(2.5), DEFAULT_RULES.measure(10), DEFAULT_RULES.measure(7)
    ('SICI', 'ICF', None)
    >>> DEFAULT_RULES.measure(1.5, conditioning_rmt=110)
    'SICF'
    """

    rules: Sequence[PairedPulseRule]

    def measure(
        self, isi_ms: float, *, conditioning_rmt: float | None = None, other_hemisphere: bool = False
    ) -> str | None:
        """Return the name of the measure of a pair of pulses, or ``None`` where no rule claims it."""
        for rule in self.rules:
            if rule.matches(isi_ms, conditioning_rmt, other_hemisphere):
                return rule.measure
        return None

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for provenance; an open upper end becomes ``None`` in JSON."""
        return {"rules": [asdict(rule) for rule in self.rules]}


# Intervals: SICI 1-6 ms and ICF 10 and 15 ms (Kujirai 1993, J Physiol 471:501-519), ICF widened to what later
# work uses; IHI has maxima near 10 and 50 ms (Ni 2009). A conditioning pulse at or above threshold makes SICF
# of a short and LICI of a long interval.
DEFAULT_RULES = PairedPulseRules(
    (
        PairedPulseRule("SICI", 1.0, 6.0, conditioning_high_rmt=100.0),
        PairedPulseRule("ICF", 8.0, 30.0, conditioning_high_rmt=100.0),
        PairedPulseRule("SICF", 0.8, 5.0, conditioning_low_rmt=100.0),
        PairedPulseRule("LICI", 50.0, 250.0, conditioning_low_rmt=100.0),
        PairedPulseRule("IHI", 6.0, 60.0, other_hemisphere=True),
    )
)

# A stimulus to the median nerve or a finger, 2 to 30 ms before: inhibition is deepest about 2 ms after its
# volley reaches the cortex (Tokimura 2000, J Physiol 523:503-513).
AFFERENT_RULES = PairedPulseRules((PairedPulseRule("SAI", 2.0, 30.0),))
