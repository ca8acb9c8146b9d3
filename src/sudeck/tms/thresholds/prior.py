"""What is believed of a motor threshold before the first pulse."""

from __future__ import annotations

from dataclasses import dataclass

from sudeck.core.errors import InputError


@dataclass(frozen=True, slots=True)
class ThresholdPrior:
    """What is believed of a threshold before the first pulse; replace it where something better is known.

    Attributes
    ----------
    mean_mso, sd_mso : float
        Normal prior of the threshold, in percent of maximum stimulator output.
    low_mso, high_mso : float
        Thresholds outside are taken as impossible; above 100 means out of reach of the stimulator.
    relative_spread, relative_spread_log_sd : float
        Log-normal prior of the spread of the probit as a fraction of the threshold: its median and the
        standard deviation of its logarithm. Awiszus (2003) fixed it at 0.07.
    log_amplitude_sd, log_amplitude_sd_log_sd : float
        Log-normal prior of the trial-to-trial SD of ln amplitude at threshold; used by graded evidence only.
    source : str
        Where the numbers come from.

    Examples
    --------
    >>> RESTING_HAND.mean_mso
    54.0
    """

    mean_mso: float = 54.0
    sd_mso: float = 13.0
    low_mso: float = 10.0
    high_mso: float = 130.0
    relative_spread: float = 0.07
    relative_spread_log_sd: float = 0.5
    log_amplitude_sd: float = 1.2
    log_amplitude_sd_log_sd: float = 0.5
    source: str = ""

    def __post_init__(self) -> None:
        if not 0 < self.low_mso < self.high_mso or self.sd_mso <= 0:
            raise InputError(
                "threshold prior", "its bounds or its SD are not positive and ordered", "correct the prior"
            )

    def __str__(self) -> str:
        return (
            f"normal {self.mean_mso:g} ± {self.sd_mso:g} %MSO, relative spread {self.relative_spread:g} "
            f"times or over e^{self.relative_spread_log_sd:g}"
        )


# TMSMultiLab's HandLab table: 455 resting thresholds of FDI, mean 54.3, SD 11.9 %MSO; 69 of the isometrically
# contracting FDI, mean 37.4, SD 10.6 (visible or EMG criterion, several stimulators: hence a little wider).
RESTING_HAND = ThresholdPrior(source="TMSMultiLab HandLab table, FDI at rest, n = 455")
ACTIVE_HAND = ThresholdPrior(
    mean_mso=38.0, sd_mso=12.0, source="TMSMultiLab HandLab table, FDI active, n = 69"
)
