"""What measuring gives, piece by piece: a trial with its columns, an estimate with its place, a group."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sudeck.core.estimate import Estimate
    from sudeck.core.flags import Flag
    from sudeck.core.vocabulary import Side
    from sudeck.tms.measures.paired_pulse import PairedPulse
    from sudeck.tms.measures.recruitment import RecruitmentCurve
    from sudeck.tms.recordings.trial_decisions import TrialDecision
    from sudeck.tms.signals.trials import Pulse
    from sudeck.tms.thresholds.motor_threshold import Threshold

# Columns of trials.tsv. Later readers rely on the first ten and their order.
TRIAL_COLUMNS: Final[dict[str, str]] = {
    "file": "Recording the trial comes from, identifying words masked",
    "trial": "Number of the trial in its file and channel, from 1",
    "time_s": "Time of the test pulse after the first sample, as an events table counts, in seconds",
    "condition": "Condition as the laboratory named it",
    "hemisphere": "Hemisphere under the coil of the test pulse",
    "muscle": "Recorded muscle",
    "amplitude_mv": "Peak-to-peak amplitude in the search window, in millivolts",
    "latency_ms": "Onset of the response after the test pulse, median of three rules, in milliseconds",
    "baseline_rms_mv": "Root mean square of the EMG in the 100 ms before the first pulse, in millivolts",
    "flags": "Codes of the quality flags of this trial, separated by commas",
    "visit": "Visit",
    "channel": "Channel of the recording",
    "muscle_side": "Side of the body of the muscle",
    "state": "Whether the muscle was at rest or active",
    "kind": "Single or paired pulse",
    "isi_ms": "Interval from conditioning to test pulse, in milliseconds",
    "test_mso": "Test intensity in percent of maximum stimulator output",
    "test_rmt": "Test intensity in percent of the resting motor threshold",
    "conditioning_mso": "Conditioning intensity in percent of maximum stimulator output",
    "conditioning_rmt": "Conditioning intensity in percent of the resting motor threshold",
    "latency_spread_ms": "Distance between the onsets by the three rules, in milliseconds",
    "area_mv_ms": "Area of the rectified response from onset to end, in millivolt milliseconds",
    "duration_ms": "Time from onset to end of the response, in milliseconds",
    "noise_floor_mv": "Peak-to-peak amplitude in as long a window before the first pulse, in millivolts",
    "denoised_mv": "Peak-to-peak amplitude with noise held down, for comparison with a criterion",
    "denoised_floor_mv": "Peak-to-peak noise floor of denoised_mv",
    "csp_ms": "Duration of the silent period, in milliseconds",
    "csp_censored": "Whether the EMG had not returned when the sweep ended",
    "participant": "Whose trial it is, where anything says so",
    "conditioning_hemisphere": "Hemisphere of the conditioning pulse, where it is another one",
    "conditioning_kind": "What the conditioning stimulus was: magnetic or afferent",
    "decision": "What a person decided about the trial: reject or keep",
    "onset_ms": "Onset of the response where a person moved it, in milliseconds after the test pulse",
    "who": "Who decided",
    "why": "Why",
    "below_mv": "Limit below which a table says the amplitude is, in millivolts; the amplitude is zero there",
}


@dataclass(frozen=True, slots=True)
class Trial:
    """One row of the table of trials: what the pulse was, what was measured, what is doubtful.

    `values` holds the measured columns of `TRIAL_COLUMNS` by name; NaN where there is none.
    """

    file: str
    number: int
    channel: str
    pulse: Pulse
    values: Mapping[str, float]
    present: bool
    csp_censored: bool
    flags: tuple[str, ...] = ()
    participant: str = ""
    decision: TrialDecision | None = None

    def __getitem__(self, name: str) -> float:
        return self.values.get(name, float("nan"))

    @property
    def group(self) -> tuple[str, ...]:
        """What the trial is measured with: person, visit, hemisphere, muscle, its side, channel and file.

        The file is empty where person, visit, hemisphere and muscle are all stated: only then are trials of
        several files known to be of one thing.
        """
        pulse = self.pulse
        stated = self.participant and pulse.visit and pulse.hemisphere and pulse.muscle
        return (
            self.participant,
            pulse.visit,
            pulse.hemisphere or "",
            pulse.muscle or self.channel,
            pulse.muscle_side or "",
            "".join(self.channel.lower().split()),
            "" if stated else self.file,
        )

    @property
    def rejected(self) -> bool:
        """Whether a person took the trial out of the measures."""
        return self.decision is not None and self.decision.rejected

    @property
    def onset_moved(self) -> bool:
        """Whether a person gave the response another onset, in a trial that counts."""
        decision = self.decision
        return decision is not None and decision.onset_ms is not None and not decision.rejected

    @property
    def ipsilateral(self) -> bool:
        """Whether the muscle is on the side of the stimulated hemisphere."""
        return self.pulse.hemisphere is not None and self.pulse.hemisphere == self.pulse.muscle_side

    def to_row(self) -> dict[str, Any]:
        """Return the row of trials.tsv."""
        given = [n for n in TRIAL_COLUMNS if n in self.pulse.__dataclass_fields__ and n != "participant"]
        return {
            "file": self.file,
            "trial": self.number,
            "channel": self.channel,
            "flags": ",".join(self.flags),
            "participant": self.participant or None,
            **(self.decision.cells if self.decision else {}),
            "csp_censored": self.csp_censored if np.isfinite(self["csp_ms"]) else None,
            **{name: getattr(self.pulse, name) for name in given},
            **self.values,
        }


def column(trials: Sequence[Trial], name: str) -> NDArray[np.float64]:
    """Return one measured column of many trials, shape (n,)."""
    return np.array([trial[name] for trial in trials], dtype=np.float64)


@dataclass(frozen=True, slots=True)
class Measured:
    """One estimate and what it is of.

    Attributes
    ----------
    measure : str
        ``"RMT"``, ``"MEP"``, ``"SICI"`` …; a second method of the same measure has its own name
        (``"RMT 5/10 rule"``, ``"SICI ratio of means"``).
    hemisphere : {"left", "right"} or None
        Stimulated hemisphere; ``None`` where nobody says.
    muscle : str
        Muscle, or the channel where nobody says.
    estimate : Estimate
    isi_ms : float or None
        Interval of a paired-pulse measure.
    intensity, conditioning : str
        Test and conditioning intensity with their unit, e.g. ``"120 %RMT"``; empty where not one.
    visit : str
    participant : str
        Whose measure it is, where a table holds several people; else empty.
    muscle_side : {"left", "right"} or None
        Side of the body of the muscle.
    channel, file : str
        Channel and file, where the rest does not tell a group from another; else empty.
    """

    measure: str
    hemisphere: Side | None
    muscle: str
    estimate: Estimate
    isi_ms: float | None = None
    intensity: str = ""
    conditioning: str = ""
    visit: str = ""
    participant: str = ""
    muscle_side: Side | None = None
    channel: str = ""
    file: str = ""

    def __str__(self) -> str:
        where = place_text(self)
        how = f"ISI {self.isi_ms:g} ms" if self.isi_ms is not None else self.intensity
        return f"{where}: {self.estimate}" + (f" at {how}" if how else "")

    def to_dict(self) -> dict[str, Any]:
        """Return the entry of tms.json."""
        plain = self.estimate.to_dict()
        n = plain["n"]
        return {
            "measure": self.measure,
            "hemisphere": self.hemisphere,
            "muscle": self.muscle,
            "isi_ms": self.isi_ms,
            **{name: plain[name] for name in ("value", "low", "high", "level", "unit")},
            "n": int(n) if n is not None else None,
            "method": plain["method"],
            "n_unit": plain["n_unit"],
            "scale": plain["scale"],
            "se": plain["se"],
            "intensity": self.intensity or None,
            "conditioning": self.conditioning or None,
            "visit": self.visit or None,
            "participant": self.participant or None,
            "muscle_side": self.muscle_side,
            "channel": self.channel or None,
            "file": self.file or None,
        }


def place_text(of: Measured | GroupMeasures) -> str:
    """Return person, visit, hemisphere and muscle in words, as far as they are known.

    The side of the muscle is told where it is not the usual one, opposite to the hemisphere.
    """
    if of.hemisphere is None:
        side: str | None = of.muscle_side
    else:
        side = "ipsilateral" if of.muscle_side == of.hemisphere else None
    given = (of.file, of.participant, of.visit, of.hemisphere, side, of.muscle)
    return " ".join(filter(None, (*given, f"({of.channel})" if of.channel else "")))


@dataclass(frozen=True)
class GroupMeasures:
    """What was measured on one hemisphere and muscle at one visit, with what a report draws.

    Attributes
    ----------
    visit, hemisphere, muscle, participant, muscle_side
        What the group is.
    channel, file : str
        Channel and file, where the rest does not tell the group from another; else empty.
    key : tuple of str
        `Trial.group` of its trials.
    estimates : tuple of Measured
    thresholds : dict of str to Threshold
        ``"RMT"`` and ``"AMT"``, with their posteriors.
    curve : RecruitmentCurve or None
    pairs : tuple of PairedPulse
    flags : tuple of Flag
    adjusted : tuple of Measured
        Amplitudes and ratios with background EMG as covariate, and its slope; empty where there is no
        background or too few trials.
    """

    visit: str
    hemisphere: Side | None
    muscle: str
    estimates: tuple[Measured, ...]
    thresholds: Mapping[str, Threshold]
    curve: RecruitmentCurve | None
    pairs: tuple[PairedPulse, ...]
    flags: tuple[Flag, ...]
    adjusted: tuple[Measured, ...] = ()
    participant: str = ""
    muscle_side: Side | None = None
    channel: str = ""
    file: str = ""
    key: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Person, visit, hemisphere, muscle and its side in words, as far as they are known."""
        return place_text(self)
