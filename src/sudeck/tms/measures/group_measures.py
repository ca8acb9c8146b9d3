"""From the trials of one hemisphere and muscle to its measures: threshold, MEP, pairs, silent period."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from sudeck.core.errors import InputError
from sudeck.core.flags import Flag
from sudeck.tms.measures.background import SLOPE, adjust_for_background
from sudeck.tms.measures.group_doubts import (
    CHANCE,
    above_range,
    assumed_alone,
    graded_left_out,
    interval_not_stated,
    limit_above_criterion,
    names_together,
    never_reached,
    noise_from_table,
    nothing_answers,
    unnamed_pair,
)
from sudeck.tms.measures.group_noise import GroupNoise, smallest_of
from sudeck.tms.measures.lognormal import freed_of_noise, geometric_mean, upper_limit
from sudeck.tms.measures.measure_settings import GroupSettings
from sudeck.tms.measures.measured import GroupMeasures, Measured, Trial, column
from sudeck.tms.measures.paired_pulse import PairedPulse
from sudeck.tms.measures.paired_trials import measure_pairs
from sudeck.tms.measures.recruitment import MIN_INTENSITIES, RecruitmentCurve, recruitment_curve
from sudeck.tms.measures.timing import mean_time, typical_duration
from sudeck.tms.measures.trial_kinds import (
    common_intensity,
    kind_of_pair,
    of_known_kind,
    parted,
    strength_of,
    with_intensity,
)
from sudeck.tms.thresholds.classical_rules import five_of_ten_threshold, ml_pest_threshold
from sudeck.tms.thresholds.motor_threshold import Threshold, bayesian_threshold
from sudeck.tms.thresholds.table_noise import FLOOR_OVER_NOISE, table_noise

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sudeck.core.estimate import Estimate

_T = TypeVar("_T")

# Fewer intensities than this locate no threshold: the estimate would be the prior.
_FEWEST_FOR_THRESHOLD = 3


def measure_group(
    trials: Sequence[Trial], *, settings: GroupSettings | None = None, beside: tuple[str, str] = ("", "")
) -> GroupMeasures:
    """Measure everything the trials of one hemisphere and muscle at one visit allow.

    Parameters
    ----------
    trials : sequence of Trial
        All of one person, visit, hemisphere, muscle and channel. Those without an amplitude are left out, and
        those that a person rejected.
    settings : MeasureSettings, optional
    beside : (str, str)
        Channel and file that name the group where the rest does not tell it from another.

    Returns
    -------
    GroupMeasures
        What the trials do not allow is missing; where it was tried, a flag says why.
    """
    group = _Group(trials, settings or GroupSettings(), beside)
    usable = [trial for trial in trials if np.isfinite(trial["amplitude_mv"]) and not trial.rejected]
    if all(trial.rejected for trial in trials):
        return group.measured()
    usable, unstated, flags = of_known_kind(usable, group.measured().name)
    group.flags += flags
    if nothing_answers([*usable, *unstated]):
        return group.without_response(usable)
    group.amplitudes(unstated, "MEP of unstated kind")
    single = [trial for trial in usable if trial.pulse.kind != "paired"]
    resting = [trial for trial in single if trial.pulse.state != "active"]
    active = [trial for trial in single if trial.pulse.state == "active"]
    group.threshold(resting, "RMT")
    group.threshold(active, "AMT")
    group.recruitment(resting)
    group.amplitudes(resting, "MEP")
    group.amplitudes(active, "active MEP")
    group.latency(resting)
    group.pairs_of(usable)
    group.silence(usable)
    return replace(group.measured(), adjusted=_adjusted(usable, settings or GroupSettings(), beside))


def measure_amplitudes(
    trials: Sequence[Trial], settings: GroupSettings, beside: tuple[str, str] = ("", "")
) -> tuple[Measured, ...]:
    """Measure only what rests on amplitudes alone: the MEP by intensity, and paired pulses."""
    group = _Group(trials, settings, beside)
    trials, _, _ = of_known_kind(trials, "")
    single = [trial for trial in trials if trial.pulse.kind != "paired"]
    group.amplitudes([trial for trial in single if trial.pulse.state != "active"], "MEP")
    group.amplitudes([trial for trial in single if trial.pulse.state == "active"], "active MEP")
    group.pairs_of(trials)
    return tuple(group.estimates)


def _adjusted(
    trials: Sequence[Trial], settings: GroupSettings, beside: tuple[str, str]
) -> tuple[Measured, ...]:
    """Measure again with background EMG as covariate, the muscle at rest and contracting each by itself."""
    measure = partial(measure_amplitudes, settings=settings, beside=beside)
    made: list[Measured] = []
    for active in (False, True):
        own = [trial for trial in trials if (trial.pulse.state == "active") == active]
        adjusted = adjust_for_background(own, measure, level=settings.level)
        made += [
            replace(one, measure=f"active {SLOPE}") if active and one.measure == SLOPE else one
            for one in adjusted
        ]
    return tuple(made)


class _Group:
    """Collects the measures of one hemisphere and muscle, and the reasons of those refused."""

    def __init__(
        self, trials: Sequence[Trial], settings: GroupSettings, beside: tuple[str, str] = ("", "")
    ) -> None:
        first = trials[0].pulse
        self.key, (self.channel, self.file) = trials[0].group, beside
        self.participant, self.visit, self.hemisphere = trials[0].participant, first.visit, first.hemisphere
        self.muscle, self.muscle_side = first.muscle or trials[0].channel, first.muscle_side
        self.settings = settings
        self.estimates: list[Measured] = []
        self.thresholds: dict[str, Threshold] = {}
        self.curve: RecruitmentCurve | None = None
        self.pairs: list[PairedPulse] = []
        self.flags: list[Flag] = []
        self.noise = GroupNoise(settings.floor_mv, smallest_of(trials))

    def without_response(self, trials: Sequence[Trial]) -> GroupMeasures:
        """Return a group in which no response stands out of the noise: no amplitude, no ratio, no curve."""
        n, where = len(trials), self.measured().name
        text = (
            f"No response: in {n} trials of {where} nothing stands out of the noise; no amplitude or ratio "
            "is given."
        )
        seen = float(sum(trial.present for trial in trials))
        self.flags.append(Flag("no-response", text, "caution", where, seen, CHANCE * n, "responses"))
        for name, active in (("RMT", False), ("AMT", True)):
            single = [trial for trial in trials if trial.pulse.kind != "paired"]
            own = [trial for trial in single if (trial.pulse.state == "active") == active]
            _, intensity = with_intensity(own)
            if np.unique(intensity).size >= _FEWEST_FOR_THRESHOLD:
                self.flags.append(above_range(name, where, float(intensity.max())))
        self.silence(trials)
        return self.measured()

    def measured(self) -> GroupMeasures:
        return GroupMeasures(
            self.visit,
            self.hemisphere,
            self.muscle,
            tuple(self.estimates),
            self.thresholds,
            self.curve,
            tuple(self.pairs),
            tuple(self.flags),
            participant=self.participant,
            muscle_side=self.muscle_side,
            channel=self.channel,
            file=self.file,
            key=self.key,
        )

    def add(self, measure: str, estimate: Estimate | None, **rest: Any) -> None:
        if estimate is not None:
            named = replace(estimate, name=measure)
            made = Measured(measure, self.hemisphere, self.muscle, named, visit=self.visit, **rest)
            own = {name: getattr(self, name) for name in ("participant", "muscle_side", "channel", "file")}
            self.estimates.append(replace(made, **own))

    def attempt(self, measure: str, make: Callable[[], _T]) -> _T | None:
        """Return what `make` makes, or ``None`` and a flag with its reason to refuse."""
        try:
            return make()
        except InputError as error:
            where = self.measured().name
            text = f"{measure} of {where} was not measured: {error}"
            self.flags.append(Flag("not-measured", text, "caution", measure))
            return None

    def threshold(self, trials: Sequence[Trial], name: str) -> None:
        known, intensity = with_intensity(trials)
        if np.unique(intensity).size < _FEWEST_FOR_THRESHOLD:
            return
        amplitude, chosen = _against_criterion(known), self.settings
        resting = name == "RMT"
        criterion = chosen.resting_criterion_mv if resting else chosen.active_criterion_mv
        limits = column(known, "below_mv")
        if np.isfinite(limits).any() and np.nanmax(limits) > criterion:
            self.flags.append(
                limit_above_criterion(name, self.measured().name, float(np.nanmax(limits)), criterion)
            )
            return
        # What noise adds to a response at the criterion makes a threshold low.
        left, floor = self.noise.left_by_filter(known)
        amplitude, floor, traced = freed_of_noise(amplitude, left), float(freed_of_noise(floor, left)), True
        if not np.isfinite(column(known, "noise_floor_mv")).any() and chosen.floor_mv is None:
            # A table comes without its noise; where that does not show, amplitudes only say yes or no.
            noise = table_noise(intensity, amplitude, criterion_mv=criterion)
            traced = noise is not None
            if noise is not None:
                amplitude = freed_of_noise(amplitude, noise.noise_mv)
                floor = FLOOR_OVER_NOISE * noise.noise_mv
                amplitude = np.where(amplitude > floor, amplitude, 0.0)
                where = self.measured().name
                n_quiet = int(noise.quiet.sum())
                self.flags.append(noise_from_table(name, where, noise.noise_mv, n_quiet, criterion))
                if resting and noise.below_threshold:
                    self.noise = replace(self.noise, table_mv=noise.noise_mv)
        bayes = partial(
            bayesian_threshold,
            intensity,
            amplitude,
            name=name,
            prior=chosen.resting_prior if resting else chosen.active_prior,
            criterion_mv=criterion,
            floor_mv=floor,
            level=chosen.level,
            evidence="amplitude" if traced else "response",
        )
        threshold = self.attempt(name, bayes)
        if threshold is None:
            return
        if never_reached(threshold.posterior, float(intensity.max())):
            self.flags.append(above_range(name, self.measured().name, float(intensity.max())))
            return
        self.thresholds[name] = threshold
        if not traced:
            self.flags.append(graded_left_out(name, self.measured().name))
        self.flags += threshold.flags
        self.add(name, threshold.estimate)
        if floor >= criterion:
            return  # Rules that count responses have none to count where noise alone is as large.
        by_rule = partial(five_of_ten_threshold, intensity, amplitude, name=name, criterion_mv=criterion)
        self.add(f"{name} 5/10 rule", self.attempt(f"{name} 5/10 rule", by_rule))
        pest = partial(
            ml_pest_threshold, intensity, amplitude, name=name, criterion_mv=criterion, level=chosen.level
        )
        self.add(f"{name} ML-PEST", self.attempt(f"{name} ML-PEST", pest))

    def recruitment(self, trials: Sequence[Trial]) -> None:
        known, intensity = with_intensity(trials)
        unit = "%MSO"
        if not known:
            known, intensity = with_intensity(trials, "test_rmt")
            unit = "%RMT"
        if np.unique(intensity).size < MIN_INTENSITIES:
            return
        amplitude, floor = _against_criterion(known), self.noise.floor(known, denoised=True)
        fit = partial(
            recruitment_curve, intensity, amplitude, floor_mv=floor, level=self.settings.level, unit=unit
        )
        self.curve = self.attempt("recruitment curve", fit)
        if self.curve is not None:
            self.flags += self.curve.flags
            for estimate in self.curve.estimates:
                self.add(estimate.name, estimate)

    def amplitudes(self, trials: Sequence[Trial], measure: str) -> None:
        for intensity, own in parted(trials, strength_of(trials)).items():
            if len(own) >= 2:
                amplitude, floor = self.noise.heard(own)
                make = partial(geometric_mean, amplitude, floor_mv=floor, level=self.settings.level)
                mean = self.attempt(measure, make)
                if mean is not None and self.noise.may_be_all(own):
                    mean = upper_limit(mean)
                self.add(measure, mean, intensity=intensity)
                at = f"{measure} at {intensity}" if intensity else measure
                self.flags += names_together(at, self.measured().name, own)

    def latency(self, trials: Sequence[Trial]) -> None:
        latency = column(trials, "latency_ms")
        latency = latency[np.isfinite(latency)]
        # A muscle that hardly ever responds has the latency of chance findings.
        if latency.size >= max(3, len(trials) / 4):
            self.add("MEP latency", mean_time(latency, "MEP latency", level=self.settings.level))

    def pairs_of(self, trials: Sequence[Trial]) -> None:
        paired = [trial for trial in trials if trial.pulse.kind == "paired" and trial.pulse.isi_ms]
        self.flags += interval_not_stated(
            [trial for trial in trials if trial.pulse.kind == "paired" and not trial.pulse.isi_ms],
            self.measured().name,
        )
        single = [trial for trial in trials if trial.pulse.kind == "single"]
        kinds = parted(paired, kind_of_pair(paired, single))
        for (state, other_hemisphere, condition, _), own in kinds.items():
            alike = [trial for trial in single if (trial.pulse.state or "rest") == state]
            self.flags += assumed_alone(own, alike)
            for isi_ms, one in parted(own, lambda trial: trial.pulse.isi_ms).items():
                self.flags += names_together(f"The pair at {isi_ms:g} ms", self.measured().name, one)
            noise, floor = self.noise.beside_pairs(own, alike)
            make = partial(
                measure_pairs,
                own,
                alike,
                floor_mv=float(freed_of_noise(floor, noise)),
                settings=self.settings,
                denoised=partial(_freed, noise_mv=noise),
            )
            for pair in self.attempt("IHI" if other_hemisphere else "paired pulses", make) or ():
                self.flags += pair.flags
                self.flags += unnamed_pair(pair)
                if isinstance(pair, PairedPulse):
                    self.pairs.append(pair)
                    strength = pair.conditioning_intensity
                    given = condition if strength is None else f"{strength:g} {pair.conditioning_unit}"
                    at = common_intensity(own) or ("" if strength is None else condition)
                    where = {"isi_ms": pair.isi_ms, "conditioning": given, "intensity": at}
                    self.add(pair.measure, pair.estimate, **where)
                    self.add(f"{pair.measure} ratio of means", pair.ratio_of_means, **where)
                else:
                    self.add(f"{pair.measure} tracked", pair.estimate, isi_ms=pair.isi_ms)

    def silence(self, trials: Sequence[Trial]) -> None:
        # The ipsilateral pause is too shallow for single sweeps: it comes from their average.
        own = [
            trial
            for trial in trials
            if trial.pulse.kind != "paired" and not trial.ipsilateral and np.isfinite(trial["csp_ms"])
        ]
        # It grows with intensity: pulses of several are a silent period each.
        parts = parted(own, strength_of(own))
        for intensity, alike in parts.items():
            if len(alike) >= 2:
                censored = np.array([trial.csp_censored for trial in alike])
                make = partial(
                    typical_duration, column(alike, "csp_ms"), censored, "CSP", level=self.settings.level
                )
                self.add("CSP", self.attempt("CSP", make), intensity=intensity if len(parts) > 1 else "")


def _against_criterion(trials: Sequence[Trial]) -> NDArray[np.float64]:
    """Return amplitudes with noise held down; as the laboratory gave them where there are no sweeps."""
    denoised = column(trials, "denoised_mv")
    return np.where(np.isfinite(denoised), denoised, column(trials, "amplitude_mv"))


def _freed(trials: Sequence[Trial], noise_mv: float) -> NDArray[np.float64]:
    return freed_of_noise(_against_criterion(trials), noise_mv)
