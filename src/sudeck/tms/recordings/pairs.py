"""Single or paired: look for a second artefact around stimuli whose markers do not say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
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

if TYPE_CHECKING:
    from sudeck.tms.recordings.pulses import FoundPulse
    from sudeck.tms.signals.recording import Recording, Signal

# The artefact must be this much sharper than quiet EMG for its absence to mean that there was no pulse.
CLEAR_ARTEFACT = 8.0
# A conditioning pulse at half the intensity of the test pulse has half its artefact; some margin below that.
_COMPANION_SHARE = 0.3
# After a marker the response hides artefacts; before it, only the response to a conditioning pulse does.
_BEFORE_S, _AFTER_S = 0.32, 0.0155
_AT_MARKER_S = 3e-3
_SAME_INTERVAL_MS = 0.45


def look_for_pairs(
    recording: Recording, pulses: Sequence[FoundPulse]
) -> tuple[tuple[FoundPulse, ...], tuple[Flag, ...]]:
    """Tell single from paired stimuli by their artefacts, where these are clear.

    Parameters
    ----------
    recording : Recording
    pulses : sequence of FoundPulse
        Those of kind ``"unknown"`` are looked at. A pulse with one artefact becomes single; one with two
        becomes paired, its interval is measured, and its time becomes that of the later artefact. Where
        artefacts are not clear, or there are three, it stays unknown.

    Returns
    -------
    pulses : tuple of FoundPulse
    flags : tuple of Flag
    """
    unknown = [pulse.time_s for pulse in pulses if pulse.kind == "unknown"]
    ratio, lag_ms, signal = artefact_ratio(recording, unknown)
    if signal is None or not ratio >= CLEAR_ARTEFACT:
        return tuple(pulses), ()
    looked = [
        _look(recording, signal, pulse, lag_ms / 1e3) if pulse.kind == "unknown" else pulse
        for pulse in pulses
    ]
    looked = _snapped(looked)
    n_single = sum(new.kind == "single" for new in looked)
    n_paired = sum(
        new.kind == "paired" and old.kind == "unknown" for new, old in zip(looked, pulses, strict=True)
    )
    if n_single + n_paired == 0:
        return tuple(looked), ()
    flag = Flag(
        "kind-from-artefact",
        f"By their artefacts in {signal.name}, {n_single} stimuli were single and {n_paired} paired; "
        "events table or protocol go before this.",
        "info",
        value=ratio,
        limit=CLEAR_ARTEFACT,
    )
    return tuple(looked), (flag,)


def _snapped(pulses: Sequence[FoundPulse]) -> list[FoundPulse]:
    """Give intervals that differ by no more than the sampling one value: the median of their kind.

    Measured intervals scatter by a sample or two; the stimulator's did not.
    """
    measured = sorted(pulse.isi_ms for pulse in pulses if pulse.isi_ms is not None)
    if not measured:
        return list(pulses)
    breaks = np.flatnonzero(np.diff(measured) > _SAME_INTERVAL_MS) + 1
    centre = {
        isi_ms: round(float(np.median(group)), 1)
        for group in np.split(np.array(measured), breaks)
        for isi_ms in group
    }
    return [p if p.isi_ms is None else replace(p, isi_ms=centre[p.isi_ms]) for p in pulses]


def _look(recording: Recording, signal: Signal, pulse: FoundPulse, lag_s: float) -> FoundPulse:
    """Classify one stimulus by the artefacts around it."""
    centre, section = recording.sample_at(signal, pulse.time_s), recording.section_at(pulse.time_s)
    if centre is None or section is None:
        return pulse
    rate_hz = signal.rate_hz
    first, last = recording.bounds(signal, section)
    start = max(first, centre - round(_BEFORE_S * rate_hz))
    samples = signal.samples_mv[start : min(last, centre + round((max(lag_s, 0) + _AFTER_S) * rate_hz))]
    sharp = sharpness(samples, rate_hz)
    # The sharpest sample lies a little behind the onset.
    expected = centre - start + round(lag_s * rate_hz) - lag_of(rate_hz)
    reach = round(_AT_MARKER_S * rate_hz)
    near = sharp[max(0, expected - reach) : expected + reach + 1]
    quiet = float(np.median(sharp[sharp > 0])) if np.any(sharp > 0) else 0.0
    height = float(near.max()) if near.size else 0.0
    if height < CLEAR_ARTEFACT * quiet or quiet == 0:
        return pulse
    onsets, ends, _ = artefacts_in(samples, rate_hz, max(_COMPANION_SHARE * height, 4.0 * quiet), sharp=sharp)
    if onsets.size == 0:
        return pulse
    own = int(np.abs(onsets - expected).argmin())
    others = onsets[np.abs(onsets - onsets[own]) > round(RINGING_S * rate_hz)]
    if others.size == 0:
        # Two close pulses at a low rate run together into one long artefact.
        runs_on = ends[own] - onsets[own] > round(BRIEF_S * rate_hz)
        return pulse if runs_on else replace(pulse, kind="single")
    if others.size > 1:
        return pulse
    gap_s = float(others[0] - onsets[own]) / rate_hz
    isi_ms = round(1e3 * abs(gap_s), 2)
    return replace(pulse, kind="paired", isi_ms=isi_ms, time_s=pulse.time_s + max(gap_s, 0.0))
