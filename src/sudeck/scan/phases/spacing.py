"""Pixel sizes that files do not state: taken from a phase of the same matrix, or the phase is left out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from sudeck.core.flags import Flag
from sudeck.core.vocabulary import ScanPhase
from sudeck.scan.phases.phase_series import PhaseSeries

# Where no file states a pixel size, lengths are counted in pixels.
PIXEL_UNITS: Final[tuple[float, float]] = (1.0, 1.0)


@dataclass(frozen=True)
class SettledSpacing:
    """Phases that all have a pixel size, those that could not get one, and what was assumed.

    `in_pixels` tells that no file states a pixel size, so that lengths in mm are not known at all.
    """

    phases: Mapping[ScanPhase, PhaseSeries]
    refused: Mapping[ScanPhase, str]
    flags: tuple[Flag, ...]
    in_pixels: bool


def settle_spacing(phases: Mapping[ScanPhase, PhaseSeries]) -> SettledSpacing:
    """Give every phase a pixel size, since regions are carried between phases in millimetres.

    A phase without one takes that of a phase of the same matrix, with a flag; one of another matrix cannot
    be related to the rest and is refused. When no file states any, phases of one matrix are measured in
    pixels: ratios do not depend on the unit.
    """
    stated = {name: series for name, series in phases.items() if series.spacing_mm is not None}
    silent = [name for name in phases if name not in stated]
    models = dict(stated) or _most_common_matrix(phases)
    settled: dict[ScanPhase, PhaseSeries] = {}
    refused: dict[ScanPhase, str] = {}
    flags: list[Flag] = []
    for name, series in phases.items():
        if name in stated:
            settled[name] = series
            continue
        alike = [other for other in models.values() if other.counts.shape[1:] == series.counts.shape[1:]]
        if not alike:
            refused[name] = (
                f"{name} phase: it states no pixel size and its matrix differs from that of the others, "
                "so no region can be carried to it; export it with its pixel size."
            )
            continue
        spacing = alike[0].spacing_mm or PIXEL_UNITS
        settled[name] = replace(series, spacing_mm=spacing)
        flags.append(_flag(name, alike[0], known=bool(stated)))
    return SettledSpacing(settled, refused, tuple(flags), in_pixels=not stated and bool(silent))


def _most_common_matrix(phases: Mapping[ScanPhase, PhaseSeries]) -> dict[ScanPhase, PhaseSeries]:
    shapes = [series.counts.shape[1:] for series in phases.values()]
    common = max(shapes, key=shapes.count)
    return {name: series for name, series in phases.items() if series.counts.shape[1:] == common}


def _flag(name: ScanPhase, model: PhaseSeries, *, known: bool) -> Flag:
    if known:
        text = (
            f"The {name} phase states no pixel size; that of the {model.name} phase, of the same matrix, is "
            "taken: another zoom would make its ratio wrong."
        )
        return Flag("pixel-size-assumed", text, "serious", name)
    text = (
        f"The {name} phase states no pixel size: ratios do not depend on it while all phases have one zoom, "
        "but lengths are in pixels."
    )
    return Flag("no-pixel-size", text, "caution", name)
