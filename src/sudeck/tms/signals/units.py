"""Volts, millivolts, microvolts: what a file says, held against what EMG can be."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sudeck.core.errors import InputError
from sudeck.core.flags import Flag
from sudeck.tms.signals.neutral_labels import reduced

if TYPE_CHECKING:
    from numpy.typing import NDArray

MILLIVOLTS_PER_UNIT = {"v": 1e3, "mv": 1.0, "uv": 1e-3, "nv": 1e-6}
_SPELLED_OUT = {
    "volt": "v", "volts": "v", "millivolt": "mv", "millivolts": "mv",
    "microvolt": "uv", "microvolts": "uv", "nanovolt": "nv", "nanovolts": "nv",
}  # fmt: skip

# Noise is the SD between neighbouring samples over the square root of two, by median absolute deviation.
# Electrode and amplifier add 0.2 to 5 uV rms; strong contraction stays below 1 mV rms. A factor of four
# below the least noise a real amplifier has is impossible: the unit is then wrong.
IMPOSSIBLE_NOISE_MV = (5e-5, 1.0)
# Where the stated unit is impossible, another must land well inside what recordings show.
USUAL_NOISE_MV = (2e-4, 0.15)
# Largest deflection of a recording with stimuli in it: artefact or response, and the rails of amplifiers.
USUAL_PEAK_MV = (0.02, 60.0)


def plain_text(text: str) -> str:
    """Return a text field as written: up to the NUL that ends it in C, and without control characters.

    Examples
    --------
    >>> plain_text("mV" + chr(0) * 2), plain_text(" F" + chr(27) + "DI")
    ('mV', 'FDI')
    """
    return "".join(letter for letter in text.split("\0", 1)[0] if letter.isprintable()).strip()


def voltage_unit(text: str) -> str | None:
    """Return ``"v"``, ``"mv"``, ``"uv"`` or ``"nv"`` for a unit as written, ``None`` if it is no voltage.

    Examples
    --------
    >>> voltage_unit("µV"), voltage_unit(" Volt"), voltage_unit("bpm")
    ('uv', 'v', None)
    """
    plain = plain_text(text).strip("[]()").lower().replace("\u00b5", "u").replace("\u03bc", "u")
    plain = plain.replace("\u00e2", "").replace("\ufffd", "u")  # UTF-8 read as Latin-1, and lost bytes
    plain = _SPELLED_OUT.get(plain, plain)
    return plain if plain in MILLIVOLTS_PER_UNIT else None


def noise_and_peak(samples: NDArray[np.float64]) -> tuple[float, float]:
    """Return the noise (robust SD) and the largest deflection from the median, in the unit of `samples`.

    Both are NaN when no two neighbouring samples are finite or nothing ever changes.
    """
    finite = samples[np.isfinite(samples)]
    if finite.size < 2 or finite.min() == finite.max():
        return float("nan"), float("nan")
    steps = np.abs(np.diff(finite))
    moving = steps[steps > 0]
    noise = float(np.median(moving) / 0.6745 / np.sqrt(2)) if moving.size else float("nan")
    return noise, float(np.abs(finite - np.median(finite)).max())


def to_millivolts(
    samples: NDArray[np.float64],
    unit_in_file: str,
    *,
    channel: str,
    file: str,
    stated: str | None = None,
) -> tuple[NDArray[np.float64], tuple[Flag, ...]]:
    """Convert a channel to millivolts, and doubt the unit where EMG could not look like that.

    Parameters
    ----------
    samples : ndarray
        As the file scales them.
    unit_in_file : str
        Unit the file states; may be empty. A unit that is no voltage leaves the samples as they are.
    channel, file : str
        For messages.
    stated : str, optional
        Unit a person stated; goes before the file and is not doubted.

    Raises
    ------
    InputError
        If the unit is missing or impossible and the samples do not settle it.

    Examples
    --------
    Noise of 4 uV and a response of 3 mV, in a channel that calls itself uV but counts millivolts:

    >>> x = np.random.default_rng(0).normal(0, 0.004, 2000); x[900] = 3.0
    >>> mv, flags = to_millivolts(x, "uV", channel="FDI", file="a.cfs")
    >>> float(mv[900]), flags[0].code
    (3.0, 'unit-implausible')
    """
    if stated is not None:
        unit = voltage_unit(stated)
        if unit is None:
            raise InputError(
                file, f"the unit {stated!r} given for {reduced(channel)} is no voltage", "give V, mV or uV"
            )
        return samples * MILLIVOLTS_PER_UNIT[unit], ()
    unit = voltage_unit(unit_in_file)
    if unit is None and unit_in_file.strip():
        return samples, ()
    noise, peak = noise_and_peak(samples)
    if unit is not None:
        factor = MILLIVOLTS_PER_UNIT[unit]
        low, high = IMPOSSIBLE_NOISE_MV
        if not np.isfinite(noise) or low <= noise * factor <= high:
            return samples * factor, ()
    candidates = [
        name
        for name, factor in MILLIVOLTS_PER_UNIT.items()
        if name != unit
        and USUAL_NOISE_MV[0] <= noise * factor <= USUAL_NOISE_MV[1]
        and USUAL_PEAK_MV[0] <= peak * factor <= USUAL_PEAK_MV[1]
    ]
    said = f"says {unit_in_file.strip()}" if unit else "states no unit"
    if len(candidates) != 1:
        raise InputError(
            file,
            f"channel {reduced(channel)} {said}; noise of {noise:.3g} and a peak of {peak:.3g} do not settle "
            "its unit",
            "state it in the protocol file, for example unit = 'mV' under [recording]",
        )
    chosen = candidates[0]
    factor = MILLIVOLTS_PER_UNIT[chosen]
    name = {"v": "V", "mv": "mV", "uv": "uV", "nv": "nV"}[chosen]
    flag = Flag(
        "unit-implausible" if unit else "unit-inferred",
        f"Channel {channel} {said}; noise of {noise:.3g} and a peak of {peak:.3g} fit {name} alone "
        f"({1e3 * noise * factor:.2g} uV and {peak * factor:.2g} mV), so the numbers were taken as {name}.",
        "serious" if unit else "caution",
        channel,
        value=noise,
        unit=unit_in_file.strip(),
    )
    return samples * factor, (flag,)
