"""Kernels, gate, pulse: against their definitions by brute force."""

import numpy as np
import pytest

from sudeck.circuit.steppers import kinetics
from sudeck.circuit.steppers.kinetics import Kernel, magnesium_gate
from sudeck.circuit.steppers.stimulus import pulse_share


@pytest.mark.parametrize("name", ["AMPA", "NMDA", "GABA_A", "GABA_B", "MOTONEURON"])
def test_kernel_peaks_at_one_and_has_its_area(name: str) -> None:
    kernel: Kernel = getattr(kinetics, name)
    t = np.linspace(0, 2000, 2_000_001)
    course = (np.exp(-t / kernel.decay_ms) - np.exp(-t / kernel.rise_ms)) / kernel.peak
    assert course.max() == pytest.approx(1.0, abs=1e-6)
    assert np.trapezoid(course, t) == pytest.approx(kernel.area_ms, rel=1e-5)


def test_gate_is_one_at_rest_and_follows_the_published_formula() -> None:
    def published(v: float) -> float:
        return 1 / (1 + np.exp(-0.062 * v) / 3.57)

    assert magnesium_gate(np.array(0.0)) == pytest.approx(1.0)
    assert magnesium_gate(np.array(25.0)) == pytest.approx(published(-45.0) / published(-70.0))


def test_pulse_is_a_raised_cosine_of_unit_area() -> None:
    t = np.linspace(-0.2, 0.8, 100_001)
    shape = np.where((t > 0) & (t < 0.5), (1 - np.cos(2 * np.pi * t / 0.5)) / 0.5, 0)
    summed = np.cumsum(shape) * (t[1] - t[0])
    assert np.allclose(summed, pulse_share(t), atol=1e-4)
