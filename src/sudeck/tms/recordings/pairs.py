"""Single or paired: look for a second artefact around stimuli whose markers do not say."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from sudeck.core.flags import Flag
from sudeck.tms.signals.artefact_times import (
    BRIEF_S,
    RINGING_S,
    artefact_ratio,
    artefacts_in,
    lag_of,
    sharpness,
)
from sudeck.tms.signals.recording import Recording, Section, Signal

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sudeck.tms.recordings.pulses import FoundPulse
    from sudeck.tms.signals.trials import PulseKind, TrialSet

# The artefact must be this much sharper than quiet EMG for its absence to mean that there was no pulse.
CLEAR_ARTEFACT = 8.0
# A conditioning pulse at half the intensity of the test pulse has half its artefact; some margin below that.
_COMPANION_SHARE = 0.3
# After a marker the response hides artefacts; before it, only the response to a conditioning pulse does.
_BEFORE_S, _AFTER_S = 0.32, 0.0155
_AT_MARKER_S = 3e-3
_SAME_INTERVAL_MS = 0.45
# A kind shown by more than this share of the stimuli of one name is the kind of all of them.
_MOST = 1 / 2
# As many that look otherwise are worth a caution.
_NOTABLE = 1 / 4
# Where one name is all there is it tells no conditions apart: as many that look alike are another one.
_ANOTHER, _ANOTHER_SHARE = 3, 1 / 10
_ENOUGH_TO_AVERAGE = 3


def look_for_pairs(
    recording: Recording,
    pulses: Sequence[FoundPulse],
    names: Sequence[str] = (),
    *,
    before_ms: float = _BEFORE_S * 1e3,
) -> tuple[tuple[FoundPulse, ...], tuple[Flag, ...]]:
    """Tell single from paired stimuli by their artefacts, where these are clear.

    Stimuli of one name are of one kind and one interval: what most of them show. A single odd trial is a
    response or a spike that looks like an artefact, not another condition. Where all stimuli have one name,
    as those of a bare trigger do, and several kinds are seen in it, all stay unknown.

    Parameters
    ----------
    recording : Recording
    pulses : sequence of FoundPulse
        Those of kind ``"unknown"`` are looked at. A pulse with one artefact becomes single; one with two
        becomes paired, its interval is measured, and its time becomes that of the later artefact. Where
        artefacts are not clear, or there are three, it stays unknown.
    names : sequence of str, optional
        Condition of each, as marker, state or events table name it; each is judged by itself unless given.
    before_ms : float
        How much signal there is before each stimulus, where it is little.

    Returns
    -------
    pulses : tuple of FoundPulse
        Of one that stays unknown because its name holds several kinds, `FoundPulse.seems` is its look.
    flags : tuple of Flag
    """
    unknown = [pulse.time_s for pulse in pulses if pulse.kind == "unknown"]
    ratio, lag_ms, signal = artefact_ratio(recording, unknown, before_ms=before_ms)
    marked = iter(_snapped([pulse for pulse in pulses if pulse.kind == "paired"]))
    pulses = [next(marked) if pulse.kind == "paired" else pulse for pulse in pulses]
    if signal is None or not ratio >= CLEAR_ARTEFACT:
        return tuple(pulses), ()
    looked = [
        _look(recording, signal, pulse, lag_ms / 1e3) if pulse.kind == "unknown" else pulse
        for pulse in pulses
    ]
    mixed: list[Flag] = []
    if names:
        together = partial(_look_together, recording, signal, lag_s=lag_ms / 1e3)
        looked, mixed = _one_kind_a_name(looked, pulses, names, together)
    seen = iter(
        _snapped([new for new, old in zip(looked, pulses, strict=True) if old.kind == "unknown"], within=True)
    )
    known = {pulse.isi_ms for pulse in pulses if pulse.isi_ms is not None}
    looked = [_as_known(next(seen), known) if old.kind == "unknown" else old for old in pulses]
    judged = [new.kind for new, old in zip(looked, pulses, strict=True) if old.kind == "unknown"]
    counts = [f"{judged.count(kind)} {kind}" for kind in ("single", "paired") if kind in judged]
    if not counts:
        return tuple(looked), tuple(mixed)
    flag = Flag(
        "kind-from-artefact",
        f"Judged by the artefacts in {signal.name}: {' and '.join(counts)} stimuli; "
        "events table or protocol go before this.",
        "info",
        value=ratio,
        limit=CLEAR_ARTEFACT,
    )
    return tuple(looked), (flag, *mixed)


def look_in_sweeps(
    sets: Sequence[TrialSet], found: Sequence[FoundPulse], names: Sequence[str]
) -> tuple[tuple[FoundPulse, ...], tuple[Flag, ...]]:
    """Tell single from paired stimuli in sweeps that are cut already, as `look_for_pairs` does.

    Parameters
    ----------
    sets : sequence of TrialSet
        The channels of one file: the same trials, of one length.
    found : sequence of FoundPulse
        What is known of the stimuli.
    names : sequence of str
        Condition of each.

    Returns
    -------
    pulses : tuple of FoundPulse
        With the times that they had. A pair that the sweeps hold by its conditioning pulse has a
        `FoundPulse.late_s` above zero.
    flags : tuple of Flag
    """
    first = sets[0]
    length_s, late_s = first.emg_mv.shape[1] / first.rate_hz, first.pulse_sample / first.rate_hz
    signals = tuple(Signal(one.channel, one.emg_mv.ravel(), one.rate_hz, 0.0, "mV") for one in sets)
    sections = tuple(Section(i * length_s, (i + 1) * length_s) for i in range(first.n_trials))
    recording = Recording(first.source, "sweeps", signals, (), sections)
    placed = [replace(pulse, time_s=i * length_s + late_s) for i, pulse in enumerate(found)]
    pulses, flags = look_for_pairs(recording, placed, names, before_ms=1e3 * late_s)
    back = [
        replace(
            new,
            time_s=old.time_s,
            late_s=max(0.0, new.time_s - put.time_s),
            seems=None if new.seems is None else replace(new.seems, time_s=old.time_s),
        )
        for new, put, old in zip(pulses, placed, found, strict=True)
    ]
    return tuple(back), flags


def _one_kind_a_name(
    looked: Sequence[FoundPulse],
    before: Sequence[FoundPulse],
    names: Sequence[str],
    together: Callable[[Sequence[FoundPulse]], tuple[PulseKind, float]],
) -> tuple[list[FoundPulse], list[Flag]]:
    """Give the stimuli of one name the kind and the interval that their average shows, else most of them."""
    made, flags = list(looked), []
    for name in dict.fromkeys(names):
        own = [i for i, other in enumerate(names) if other == name and before[i].kind == "unknown"]
        single = [i for i in own if looked[i].kind == "single"]
        paired = [i for i in own if looked[i].kind == "paired"]
        alike = _alike(looked, paired)
        n_seen = len(single) + len(paired)
        if len(set(names)) == 1 and _several_kinds(single, paired, alike, looked):
            for i in own:
                made[i] = replace(before[i], seems=looked[i])
            flags.append(_mixed(name, len(own), len(single), len(paired)))
            continue
        kind, gap_s = together([before[i] for i in own])
        share = sum(looked[i].kind == kind for i in own)
        if kind != "unknown" and share >= len(own) / 3 and share > _MOST * n_seen:
            other = n_seen - share
            flags += [_unlike(name, len(own), other)] if other >= _NOTABLE * len(own) else []
            for i in own:
                made[i] = _classified(before[i], kind, round(gap_s, 4))
            continue
        minority = n_seen - max(len(alike), len(single))
        if max(len(alike), len(single)) > _MOST * n_seen and minority >= _NOTABLE * n_seen:
            flags.append(_unlike(name, len(own), minority))
        if len(alike) > _MOST * n_seen:
            isi_ms = float(np.median([looked[i].isi_ms or 0.0 for i in alike]))
            shift_s = float(np.median([looked[i].time_s - before[i].time_s for i in alike]))
            for i in own:
                seen = looked[i].time_s if i in alike else before[i].time_s + shift_s
                made[i] = replace(before[i], kind="paired", isi_ms=round(isi_ms, 1), time_s=seen)
        elif len(single) > _MOST * n_seen:
            for i in own:
                made[i] = replace(before[i], kind="single")
        else:
            for i in own:
                made[i] = replace(before[i], seems=looked[i]) if n_seen else before[i]
            if n_seen:
                flags.append(_mixed(name, len(own), len(single), len(paired)))
    return made, flags


def _several_kinds(
    single: Sequence[int], paired: Sequence[int], alike: Sequence[int], looked: Sequence[FoundPulse]
) -> bool:
    """Tell whether more than one kind of stimulus is seen: single and paired, or several intervals."""
    rest = [i for i in paired if i not in alike]
    sizes = sorted((len(single), len(alike), len(_alike(looked, rest))))
    return sizes[-2] >= max(_ANOTHER, _ANOTHER_SHARE * (len(single) + len(paired)))


def _alike(looked: Sequence[FoundPulse], pairs: Sequence[int]) -> list[int]:
    """Return the largest set of pairs whose intervals differ by no more than the sampling."""
    best: list[int] = []
    for i in pairs:
        centre = looked[i].isi_ms or 0.0
        near = [j for j in pairs if abs((looked[j].isi_ms or 0.0) - centre) <= _SAME_INTERVAL_MS]
        best = near if len(near) > len(best) else best
    return best


def _unlike(name: str, n: int, n_other: int) -> Flag:
    which = f"called {name}" if name else "without a name"
    return Flag(
        "kind-not-alike",
        f"Of {n} stimuli {which}, {n_other} look otherwise than most by their artefacts; they were taken for "
        "the same, because they have one name.",
        "caution",
        name,
        value=float(n_other),
        unit="stimuli",
    )


def _mixed(name: str, n: int, n_single: int, n_paired: int) -> Flag:
    which = f"called {name}" if name else "without a name"
    return Flag(
        "kind-open",
        f"Of {n} stimuli {which}, {n_single} look single and {n_paired} paired by their artefacts; a name is "
        "taken for one kind, so that these were left open. Name each condition in an events table.",
        "caution",
        name,
        value=float(n_paired),
        unit="stimuli",
    )


def _look(recording: Recording, signal: Signal, pulse: FoundPulse, lag_s: float) -> FoundPulse:
    """Classify one stimulus by the artefacts around it."""
    stretch = _stretch(recording, signal, pulse.time_s, lag_s)
    if stretch is None:
        return pulse
    return _classified(pulse, *_artefacts_of(*stretch, signal.rate_hz))


def _look_together(
    recording: Recording, signal: Signal, pulses: Sequence[FoundPulse], lag_s: float
) -> tuple[PulseKind, float]:
    """Classify stimuli of one condition by the average of what surrounds them.

    Noise and responses differ from trial to trial, artefacts do not.
    """
    found = [_stretch(recording, signal, pulse.time_s, lag_s) for pulse in pulses]
    stretches = [item for item in found if item is not None]
    if len(stretches) < _ENOUGH_TO_AVERAGE:
        return "unknown", 0.0
    peaks = []
    for samples, expected in stretches:
        reach = round(_AT_MARKER_S * signal.rate_hz)
        first = max(0, expected - reach)
        near = sharpness(samples, signal.rate_hz)[first : expected + reach + 1]
        peaks.append(first + _nearest_peak(near, expected - first) if near.size else expected)
    before = min(peaks)
    after = min(len(samples) - peak for (samples, _), peak in zip(stretches, peaks, strict=True))
    if after <= 0:
        return "unknown", 0.0
    aligned = [s[peak - before : peak + after] for (s, _), peak in zip(stretches, peaks, strict=True)]
    return _artefacts_of(np.median(aligned, axis=0), before - lag_of(signal.rate_hz), signal.rate_hz)


def _nearest_peak(sharp: NDArray[np.float64], expected: int) -> int:
    """Return the peak nearest to where the artefact should be, of those half as sharp as the sharpest.

    Of two pulses alike that are close, noise would decide which is the sharper.
    """
    padded = np.pad(sharp, 1, constant_values=-np.inf)
    peaks = (sharp >= padded[:-2]) & (sharp >= padded[2:]) & (sharp >= 0.5 * sharp.max())
    places = np.flatnonzero(peaks)
    return int(places[np.abs(places - expected).argmin()])


def _stretch(
    recording: Recording, signal: Signal, time_s: float, lag_s: float
) -> tuple[NDArray[np.float64], int] | None:
    """Return the signal around a stimulus, and where in it its artefact should begin."""
    centre, section = recording.sample_at(signal, time_s), recording.section_at(time_s)
    if centre is None or section is None:
        return None
    rate_hz = signal.rate_hz
    first, last = recording.bounds(signal, section)
    start = max(first, centre - round(_BEFORE_S * rate_hz))
    samples = signal.samples_mv[start : min(last, centre + round((max(lag_s, 0) + _AFTER_S) * rate_hz))]
    # The sharpest sample lies a little behind the onset.
    return samples, centre - start + round(lag_s * rate_hz) - lag_of(rate_hz)


def _artefacts_of(samples: NDArray[np.float64], expected: int, rate_hz: float) -> tuple[PulseKind, float]:
    """Return whether one artefact or two are seen, and from the expected one to the other, in seconds."""
    sharp = sharpness(samples, rate_hz)
    reach = round(_AT_MARKER_S * rate_hz)
    near = sharp[max(0, expected - reach) : expected + reach + 1]
    quiet = float(np.median(sharp[sharp > 0])) if np.any(sharp > 0) else 0.0
    height = float(near.max()) if near.size else 0.0
    if height < CLEAR_ARTEFACT * quiet or quiet == 0:
        return "unknown", 0.0
    onsets, ends, _ = artefacts_in(samples, rate_hz, max(_COMPANION_SHARE * height, 4.0 * quiet), sharp=sharp)
    if onsets.size == 0:
        return "unknown", 0.0
    own = int(np.abs(onsets - expected).argmin())
    others = onsets[np.abs(onsets - onsets[own]) > round(RINGING_S * rate_hz)]
    if others.size == 0:
        # Two close pulses at a low rate run together into one long artefact.
        runs_on = ends[own] - onsets[own] > round(BRIEF_S * rate_hz)
        return ("unknown" if runs_on else "single"), 0.0
    if others.size > 1:
        return "unknown", 0.0
    return "paired", float(others[0] - onsets[own]) / rate_hz


def _classified(pulse: FoundPulse, kind: PulseKind, gap_s: float) -> FoundPulse:
    if kind != "paired":
        return pulse if kind == "unknown" else replace(pulse, kind=kind)
    isi_ms = round(1e3 * abs(gap_s), 2)
    return replace(pulse, kind="paired", isi_ms=isi_ms, time_s=pulse.time_s + max(gap_s, 0.0))


def _as_known(pulse: FoundPulse, known: Collection[float]) -> FoundPulse:
    """Give a pair the interval that markers show, where they differ by no more than the sampling."""
    if pulse.isi_ms is None or not known:
        return pulse
    nearest = min(known, key=lambda isi_ms: abs(isi_ms - (pulse.isi_ms or 0.0)))
    return replace(pulse, isi_ms=nearest) if abs(nearest - pulse.isi_ms) <= _SAME_INTERVAL_MS else pulse


def _snapped(pulses: Sequence[FoundPulse], *, within: bool = False) -> list[FoundPulse]:
    """Give intervals that differ by no more than the sampling one value: the median of their kind.

    Measured intervals scatter by a sample or two; the stimulator's did not. They are one kind where each is
    as near to the next, or, `within`, where all are as near to the smallest.
    """
    measured = sorted(pulse.isi_ms for pulse in pulses if pulse.isi_ms is not None)
    if not measured:
        return list(pulses)
    groups: list[list[float]] = []
    for isi_ms in measured:
        if groups and isi_ms - groups[-1][0 if within else -1] <= _SAME_INTERVAL_MS:
            groups[-1].append(isi_ms)
        else:
            groups.append([isi_ms])
    centre = {isi_ms: round(float(np.median(group)), 1) for group in groups for isi_ms in group}
    return [p if p.isi_ms is None else replace(p, isi_ms=centre[p.isi_ms]) for p in pulses]
