"""An integrator of its own, written from the equations of docs/circuit.md: SciPy, no stepper of ours."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from scipy.integrate import solve_ivp

from sudeck.circuit import Circuit, simulate
from sudeck.circuit.steppers.stimulus import CircuitPulse

RISE_DECAY = {"ampa": (0.4, 3), "nmda": (9, 26), "gabaa": (0.3, 3), "gabab": (28, 71), "muscle": (1, 6)}
DELAY = {"near": 0.8, "across": 3.0, "inhibits": 1.9}
BLOCK = np.exp(0.062 * 70.0) / 3.57
CHUNK_MS = 0.8  # the shortest delay: within it everything that arrives has left before


def _peak(rise: float, decay: float) -> float:
    t = np.log(decay / rise) * rise * decay / (decay - rise)
    return float(np.exp(-t / decay) - np.exp(-t / rise))


def _integrate(
    circuit: Circuit, pulses: list[CircuitPulse], until_ms: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return times and motoneuron drive, shape (2, times), of one circuit, from 600 ms of rest on."""
    c = {name: np.broadcast_to(value, (2, 1))[:, 0] for name, value in circuit._asdict().items()}
    kinds = ("ampa", "nmda", "across_ampa", "across_nmda", "gabaa", "gabab", "muscle")
    tau = np.array([[RISE_DECAY[kind.removeprefix("across_")][i] for kind in kinds] for i in (1, 0)])
    peak = np.array([_peak(rise, decay) for decay, rise in tau.T])
    targets = "epab"

    def weight(source: str, target: str) -> np.ndarray:
        return c.get(f"{source}_on_{target}_mv", np.zeros(2))

    def leaving(t: float, y: np.ndarray) -> tuple[np.ndarray, ...]:
        """Return spikes of every population, what crosses, what A and what local terminals of E release."""
        v, ready, s = y[:8].reshape(4, 2), y[8:16].reshape(4, 2), y[16:44].reshape(2, 7, 2)
        full = y[44:]
        gabab = (s[0] - s[1])[5]
        hazard = (
            0.9
            * c["release_max_per_ms"]
            / (1 + np.exp(-(v - c["release_threshold_mv"]) / c["release_spread_mv"]))
        )
        direct = np.zeros((4, 2))
        for pulse in pulses:
            since = t - pulse.time_ms
            if 0 <= since <= 0.5:
                shape = (1 - np.cos(2 * np.pi * since / 0.5)) / 0.5
                for row, target in enumerate(targets):
                    theta, spread = c[f"axon_threshold_{target}_rmt"], c[f"axon_spread_{target}_rmt"]
                    part = 0.9 / (1 + np.exp(-(pulse.intensity - theta) / spread)) * shape
                    direct[row, pulse.hemisphere] += part[pulse.hemisphere]
        fired = ready * (hazard + direct)
        crossing = ready[0] * (hazard[0] + c["callosal_direct_share"] * direct[0])
        held_back = 1 + c["presynaptic_gabab"] * (gabab + c["gabab_agonist"])
        return fired, crossing, fired[2] / held_back, full * fired[0]

    def slope(t: float, y: np.ndarray, past) -> np.ndarray:  # type: ignore[no-untyped-def]
        v, ready, s = y[:8].reshape(4, 2), y[8:16].reshape(4, 2), y[16:44].reshape(2, 7, 2)
        now = s[0] - s[1]
        drive = []
        for row, target in enumerate(targets):
            gate = (1 + BLOCK) / (1 + BLOCK * np.exp(-0.062 * v[row]))
            nmda = weight("nmda", target) * now[1] + weight("callosal_nmda", target) * now[3]
            drive.append(
                weight("ampa", target) * now[0] + weight("callosal_ampa", target) * now[2] + gate * nmda
                - weight("gabaa", target) * now[4] - weight("gabab", target) * now[5]
                + c[f"tonic_on_{target}_mv"]
            )  # fmt: skip
        fired, _, _, local = leaving(t, y)
        refill = (1 - y[44:]) / 300 - c["depression_of_e"] * local
        near, across = past(t - DELAY["near"]), past(t - DELAY["across"])
        inhibits = past(t - DELAY["inhibits"])
        e, x = near[3], across[1][::-1]
        arriving = np.stack([e, e, x, x, inhibits[2], inhibits[0][3], fired[1]])
        move = -s / tau[:, :, None] + arriving / peak[:, None]
        return np.concatenate(
            [(np.array(drive) - v).ravel(), ((1 - ready) / 1.2 - fired).ravel(), move.ravel(), refill]
        )

    silent = np.concatenate([np.zeros(8), np.ones(8), np.zeros(28), np.ones(2)])
    y = silent
    parts: list = []  # type: ignore[type-arg]

    def past(t: float) -> tuple[np.ndarray, ...]:
        for begin, end, solution in reversed(parts):
            if begin - 1e-9 <= t <= end + 1e-9:
                return leaving(t, solution(t))
        return leaving(-1e9, silent)

    start = -600.0
    # No step may leap over a pulse, or reach back into itself.
    stops = sorted({*np.arange(start, until_ms, CHUNK_MS), *(p.time_ms for p in pulses), until_ms})
    for begin, end in pairwise(stops):
        found = solve_ivp(
            slope, (begin, end), y, args=(past,), rtol=1e-4, atol=1e-7, dense_output=True, max_step=0.1
            if begin > -1 else np.inf,
        )  # fmt: skip
        parts.append((begin, end, found.sol))
        y = found.y[:, -1]
        if begin <= start + 200.0 < end:  # else the terminals would take seconds to find their rest
            y[44:] = 1 / (1 + 300 * c["depression_of_e"] * leaving(end, y)[0][0])
    times = np.arange(0.0, until_ms, 0.1)
    shown = []
    for t in times:
        solution = next(part[2] for part in parts if part[0] - 1e-9 <= t <= part[1] + 1e-9)
        s = solution(t)[16:44].reshape(2, 7, 2)
        shown.append((s[0] - s[1])[6])
    return times, np.array(shown).T


def test_the_circuit_is_what_its_page_says(one: Circuit) -> None:
    one = one._replace(gabab_agonist=one.gabab_agonist + 0.3)
    pulses = [CircuitPulse(1.0, 1.1, 1), CircuitPulse(9.0, 0.8), CircuitPulse(11.0, 1.25)]
    times, expected = _integrate(one, pulses, 22.0)
    course = simulate(one, pulses, duration_ms=22.0)
    found = course.motoneuron[: times.size, :, 0].T
    peak = expected.max(axis=1)
    assert (peak > 0.15).all()  # a response, beside a motoneuron threshold of about 1.5
    assert (np.abs(found - expected).max(axis=1) < 0.02 * peak).all()
    assert np.abs(found.max(axis=1) / peak - 1).max() < 0.01
