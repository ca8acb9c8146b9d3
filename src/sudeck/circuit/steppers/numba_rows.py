"""Where the Numba kernel keeps what, what it is given, and how it is compiled.

A tile of `LANES` trials keeps everything it needs in one small block of memory: rows of one number per trial,
parameters first, then what changes. Every constant of the model arrives as an argument.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from hashlib import blake2b
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeVar, cast

import numba

LANES: Final = 16

# Rows of parameters, in this order; the release threshold and spread are kept ready for a power of two.
PARAMETERS: Final = (
    *("ampa_on_e_mv", "nmda_on_e_mv", "gabaa_on_e_mv", "gabab_on_e_mv"),
    *("ampa_on_p_mv", "nmda_on_p_mv", "gabaa_on_p_mv", "gabab_on_p_mv"),
    *("ampa_on_a_mv", "nmda_on_a_mv", "gabaa_on_a_mv"),
    *("ampa_on_b_mv", "nmda_on_b_mv", "gabaa_on_b_mv"),
    *("callosal_ampa_on_a_mv", "callosal_ampa_on_b_mv", "callosal_nmda_on_b_mv"),
    *("callosal_ampa_on_e_mv", "callosal_nmda_on_e_mv"),
    *("callosal_direct_share", "presynaptic_gabab"),
    *("release_threshold_mv", "release_spread_mv", "release_max_per_ms"),
    *("tonic_on_e_mv", "tonic_on_p_mv", "tonic_on_a_mv", "tonic_on_b_mv"),
    *("gabab_agonist", "depression_of_e"),
)
ROWS: Final = len(PARAMETERS)
# Needed once a pulse, and therefore in no row: thresholds, then spreads, of the axons of the populations.
AXONS: Final = tuple(f"axon_{part}_{p}_rmt" for part in ("threshold", "spread") for p in "epab")
(AMPA_E, NMDA_E, GABAA_E, GABAB_E, AMPA_P, NMDA_P, GABAA_P, GABAB_P, AMPA_A, NMDA_A, GABAA_A) = range(
    0, 11 * LANES, LANES
)
(AMPA_B, NMDA_B, GABAA_B, X_AMPA_A, X_AMPA_B, X_NMDA_B, X_AMPA_E, X_NMDA_E, SHARE, PRESYNAPTIC) = range(
    11 * LANES, 21 * LANES, LANES
)
(THRESHOLD, SPREAD, RELEASE, TONIC_E, TONIC_P, TONIC_A, TONIC_B, AGONIST, DEPRESSION) = range(
    21 * LANES, 30 * LANES, LANES
)

# What changes, of one hemisphere: potentials, refractoriness, the two exponentials of every synapse, drive
# by a pulse, spikes. Offsets count numbers, not rows.
E, P, A, B = range(0, 4 * LANES, LANES)
V, READY, DIRECT, SPIKES = (offset * LANES for offset in (ROWS, ROWS + 4, ROWS + 8, ROWS + 12))
(AMPA, NMDA, X_AMPA, X_NMDA, GABAA, GABAB, MOTO) = range((ROWS + 16) * LANES, (ROWS + 30) * LANES, 2 * LANES)
HAZARD = (ROWS + 30) * LANES
FULL = (ROWS + 31) * LANES  # transmitter that the local terminals of E have
HALF = (ROWS + 32) * LANES
# After both hemispheres: what leaves for delays and what arrives from them. Four series (E, E through the
# callosum, A, B), hemispheres next to each other.
LEAVING = 2 * HALF
ARRIVING = LEAVING + 8 * LANES
EARLIER = ARRIVING + 8 * LANES  # one step before, for delays that end between two steps
GIVEN = EARLIER + 8 * LANES  # share of a pulse within this step
SIZE = GIVEN + LANES


class Exponentials(NamedTuple):
    """One kernel at one step: what its slow and fast parts keep, gain by a spike, and are at a rate of 1."""

    keep_slow: Any
    keep_fast: Any
    gain_slow: Any
    gain_fast: Any
    steady_slow: Any
    steady_fast: Any
    area: Any


class Constants(NamedTuple):
    """The fixed part of the model at one step, in single precision where a loop over lanes reads it."""

    dt_ms: Any  # these two in double precision
    pulse_ms: Any
    step_ms: Any
    efficacy: Any
    recovery_ms: Any
    ampa: Exponentials
    nmda: Exponentials
    gabaa: Exponentials
    gabab: Exponentials
    motoneuron: Exponentials
    keep_v: Any
    take_v: Any
    recover: Any
    depression_ms: Any
    refill: Any
    magnesium: Any
    magnesium_open: Any
    magnesium_log2_per_mv: Any


class Delays(NamedTuple):
    """Whole steps and the share of a further one, for E, the callosum and the interneurons."""

    whole_e: Any
    whole_callosum: Any
    whole_interneuron: Any
    share_e: Any
    share_callosum: Any
    share_interneuron: Any


_Function = TypeVar("_Function", bound=Callable[..., Any])
_OPTIONS: Final[Any] = {"fastmath": True, "error_model": "numpy", "nogil": True}
_SOURCES: Final = ("numba_rows.py", "numba_cell.py", "numba_rest.py", "numba_kernel.py")


def inlined(function: _Function) -> _Function:
    """Compile a function into the ones that call it, where loops over lanes can become vectors."""
    return cast("_Function", numba.njit(function, forceinline=True, **_OPTIONS))


def kept(function: _Function) -> _Function:
    """Compile a function and keep the result on disk, where a folder can be written to."""
    # Numba compiles anew where the file of the function has changed; its name here stands for all files.
    function.__qualname__ = f"{function.__name__}_{_digest()}"
    try:
        return cast("_Function", numba.njit(function, cache=True, **_OPTIONS))
    except RuntimeError:  # neither beside this file nor in the user's cache
        return cast("_Function", numba.njit(function, **_OPTIONS))


@cache
def _digest() -> str:
    digest = blake2b(digest_size=8)
    for name in _SOURCES:
        digest.update(Path(__file__).with_name(name).read_bytes())
    return digest.hexdigest()
