"""Stretches of a sweep in milliseconds after the pulse, and where the response of a muscle is looked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from sudeck.core.errors import InputError
from sudeck.tms.signals.muscles import muscle_and_side

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

Window = tuple[float, float]

# Below this rate the sharp turns of an MEP fall between samples.
LOWEST_RATE_HZ: Final = 500.0

# Where the response of a muscle is looked for, in ms after the pulse. Our setting, from the normal latencies
# of the textbooks with room on both sides; every function takes another window.
SEARCH_WINDOWS_MS: Final[dict[str, Window]] = {
    "hand": (15.0, 60.0),
    "forearm": (12.0, 55.0),
    "arm": (8.0, 45.0),
    "leg": (20.0, 90.0),
    "foot": (28.0, 100.0),
}
# An MEP of the hand begins by 25 ms and lasts some 15 ms: less than this holds none whole.
LEAST_SEARCH_MS: Final = 25.0
DEFAULT_SEARCH_MS: Final[Window] = (15.0, 60.0)

_GROUP_OF_MUSCLE: Final[dict[str, str]] = {
    **dict.fromkeys(("FDI", "APB", "ADM", "OPP", "FPB"), "hand"),
    **dict.fromkeys(("ECR", "ECRL", "ECRB", "FCR", "FCU", "EDC", "EIP", "FDS", "FDP"), "forearm"),
    **dict.fromkeys(("BB", "BIC", "BICEPS", "TB", "TRI", "TRICEPS", "DELT", "DELTOID", "TRAP"), "arm"),
    **dict.fromkeys(("TA", "SOL", "SOLEUS", "GAS", "MG", "LG", "VL", "VM", "RF", "BF"), "leg"),
    **dict.fromkeys(("AH", "EDB"), "foot"),
}


def search_window(muscle: str | None) -> Window:
    """Return the window in which the response of a muscle is looked for, in ms after the pulse.

    Unknown muscles get the window of the hand.

    Parameters
    ----------
    muscle : str or None
        Abbreviation of the muscle, or the label of its channel.

    Examples
    --------
    >>> search_window("TA"), search_window("RFDI"), search_window(None)
    ((20.0, 90.0), (15.0, 60.0), (15.0, 60.0))
    """
    group = _GROUP_OF_MUSCLE.get(muscle_and_side(muscle or "")[0] or "")
    return DEFAULT_SEARCH_MS if group is None else SEARCH_WINDOWS_MS[group]


def as_sweeps(emg_mv: ArrayLike, rate_hz: float, pulse_sample: int) -> NDArray[np.float64]:
    """Return sweeps as a two-dimensional array of floats, or refuse what is none.

    Raises
    ------
    InputError
        If there are no sweeps, the rate is too low for an MEP, or the pulse lies outside the sweep.
    """
    sweeps = np.asarray(emg_mv, dtype=np.float64)
    if sweeps.ndim != 2 or sweeps.size == 0:
        raise InputError(
            "sweeps", f"the array has shape {sweeps.shape}", "give one row a trial and one column a sample"
        )
    if not rate_hz >= LOWEST_RATE_HZ:
        raise InputError(
            "sweeps",
            f"{rate_hz:g} samples a second are too few to measure an MEP",
            f"record at {LOWEST_RATE_HZ:g} Hz or more, or correct the stated rate",
        )
    if not 0 <= pulse_sample < sweeps.shape[1]:
        raise InputError(
            "sweeps",
            f"the pulse at sample {pulse_sample} lies outside the {sweeps.shape[1]} samples of the sweep",
            "check where the pulse is in the sweep",
        )
    return sweeps


def window_slice(
    window_ms: Window, *, rate_hz: float, pulse_sample: int, n_samples: int, name: str = "window"
) -> slice:
    """Return the columns from the first to the last millisecond of a window, both ends included.

    Raises
    ------
    InputError
        If the window is empty or not wholly inside the sweep.

    Examples
    --------
    >>> window_slice((15.0, 50.0), rate_hz=1000.0, pulse_sample=100, n_samples=300)
    slice(115, 151, None)
    """
    first = pulse_sample + round(window_ms[0] * rate_hz / 1e3)
    last = pulse_sample + round(window_ms[1] * rate_hz / 1e3)
    if not 0 <= first < last < n_samples:
        begin, end = (-pulse_sample * 1e3 / rate_hz, (n_samples - 1 - pulse_sample) * 1e3 / rate_hz)
        raise InputError(
            name,
            f"{window_ms[0]:g} to {window_ms[1]:g} ms is not inside the sweep ({begin:g} to {end:g} ms)",
            "choose another window or cut longer sweeps",
        )
    return slice(first, last + 1)


def clip_window(window_ms: Window, *, rate_hz: float, pulse_sample: int, n_samples: int) -> Window:
    """Return the part of a window that the sweep holds; it may be empty (end not after begin)."""
    begin = -pulse_sample * 1e3 / rate_hz
    end = (n_samples - 1 - pulse_sample) * 1e3 / rate_hz
    return max(window_ms[0], begin), min(window_ms[1], end)


def shortened_window(wanted_ms: Window, *, rate_hz: float, pulse_sample: int, n_samples: int) -> Window:
    """Return a search window as far as the sweep holds it; as it is where too little would be left.

    At least `LEAST_SEARCH_MS` must remain, enough for a whole response.

    Examples
    --------
    >>> shortened_window((15.0, 60.0), rate_hz=5000.0, pulse_sample=100, n_samples=350)
    (15.0, 49.8)
    """
    clipped = clip_window(wanted_ms, rate_hz=rate_hz, pulse_sample=pulse_sample, n_samples=n_samples)
    return clipped if clipped[1] - clipped[0] >= LEAST_SEARCH_MS else wanted_ms


def mirror_window(
    window_ms: Window, *, rate_hz: float, pulse_sample: int, guard_ms: float = 1.0
) -> Window | None:
    """Return a window of the same length before the pulse: mirrored, or moved later where that does not fit.

    Parameters
    ----------
    window_ms : (float, float)
        Window after the pulse.
    guard_ms : float
        Time kept free before the pulse, so that its artefact stays out.

    Returns
    -------
    (float, float) or None
        ``None`` where the sweep begins too late to hold a window of that length before the pulse.

    Examples
    --------
    >>> mirror_window((15.0, 60.0), rate_hz=5000.0, pulse_sample=500)
    (-60.0, -15.0)
    >>> mirror_window((15.0, 60.0), rate_hz=3000.0, pulse_sample=150)
    (-50.0, -5.0)
    """
    length = window_ms[1] - window_ms[0]
    begin = max(-window_ms[1], -pulse_sample * 1e3 / rate_hz)
    if begin + length > -guard_ms:
        return None
    return begin, begin + length
