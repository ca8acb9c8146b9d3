"""The settings of a measurement of magnetic stimulation in words, with their units."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any, Final

# Name of each setting, and what it means where none is stated.
_NAMES: Final[dict[str, tuple[str, str]]] = {
    "responses.search_ms": ("Window in which a response is looked for", "that of the muscle"),
    "responses.oversample": ("Spline points a sample, for the amplitude", ""),
    "responses.highpass_hz": ("High-pass against drift", "none"),
    "responses.take_out_hum": ("Mains hum taken out where found", ""),
    "responses.take_out_decay": ("Decay of the artefact taken out where found", ""),
    "responses.mains_hz": ("Frequency of the mains", "found in the recording"),
    "responses.silent_period": ("Silent period measured", ""),
    "responses.silent_period_from": ("Silent period begins", ""),
    "responses.active_mv": ("A muscle of unstated state contracts above, RMS", ""),
    "responses.limits.background_mv": ("Flagged: background above, RMS", ""),
    "responses.limits.artefact_mv": ("Flagged: artefact in the window above", ""),
    "responses.limits.hum_mv": ("Flagged: mains hum above", ""),
    "responses.limits.drift": ("Flagged: amplitude drifting over a block by a factor above", ""),
    "responses.limits.marker_delay_ms": ("Flagged: marker off the artefact by more than", ""),
    "measures.resting_prior": ("Resting threshold expected before the first pulse", ""),
    "measures.active_prior": ("Active threshold expected before the first pulse", ""),
    "measures.resting_criterion_mv": ("Response at rest, from", ""),
    "measures.active_criterion_mv": ("Response during contraction, from", ""),
    "measures.floor_mv": (
        "No response can be told from noise below",
        "95 % quantile before the pulse",
    ),
    "measures.level": ("Coverage of the intervals", ""),
}
_UNITS: Final = {"_ms": "ms", "_mv": "mV", "_hz": "Hz"}
_CHOICES: Final = {
    ("responses.silent_period", "auto"): "where the muscle contracted",
    ("responses.silent_period_from", "mep"): "at the onset of the MEP",
    ("responses.silent_period_from", "pulse"): "at the pulse",
    ("responses.silent_period_from", "silence"): "where the EMG falls silent",
}


def settings_rows(settings: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """Return what each setting is called, and its value with its unit.

    Parameters
    ----------
    settings : Mapping
        Of `sudeck.tms.measurement.TmsSettings`, as provenance or a tms.json holds them.

    Examples
    --------
    >>> settings_rows({"responses": {"active_mv": 0.02, "highpass_hz": None}})
    (('A muscle of unstated state contracts above, RMS', '0.02 mV'), ('High-pass against drift', 'none'))
    """
    return tuple(_rows("", settings))


def _rows(path: str, settings: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for key, value in settings.items():
        name = f"{path}.{key}".removeprefix(".")
        if isinstance(value, Mapping):
            yield from _rows(name, value)
        elif key == "rules":
            yield from (_rule(rule) for rule in value)
        else:
            title, unstated = _NAMES.get(name, (name.replace(".", ", ").replace("_", " "), "not stated"))
            yield title, unstated if value is None else _value(name, value)


def _value(name: str, value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str):
        return _CHOICES.get((name, value), value)
    if name == "measures.level":
        return f"{100 * value:g} %"
    unit = next((unit for end, unit in _UNITS.items() if name.endswith(end)), "")
    text = " to ".join(f"{one:g}" for one in value) if isinstance(value, list | tuple) else f"{value:g}"
    return f"{text} {unit}".strip()


def _rule(rule: Mapping[str, Any]) -> tuple[str, str]:
    """Return which pair counts as a measure: interval and strength of its first pulse."""
    text = f"{rule['isi_low_ms']:g} to {rule['isi_high_ms']:g} ms"
    low, high = rule.get("conditioning_low_rmt") or 0.0, rule.get("conditioning_high_rmt")
    high = math.inf if high is None else high
    if low > 0:
        text += f", conditioning from {low:g} %RMT"
    if math.isfinite(high):
        text += f"{' to' if low > 0 else ', conditioning'} below {high:g} %RMT"
    if rule.get("other_hemisphere"):
        text += ", conditioning of the other hemisphere"
    return f"A pair counts as {rule['measure']}", text
