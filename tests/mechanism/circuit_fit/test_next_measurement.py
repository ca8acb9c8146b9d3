"""Which measurement tells most: held to a posterior whose answer can be computed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sudeck.circuit.reference import load_distribution
from sudeck.mechanism.circuit_fit import inference
from sudeck.mechanism.circuit_fit.emulator import load_emulator
from sudeck.mechanism.circuit_fit.factors import FACTORS
from sudeck.mechanism.circuit_fit.hypotheses import draw_factors
from sudeck.mechanism.circuit_fit.likelihood import Surrogate
from sudeck.mechanism.circuit_fit.next_measurement import rank_measurements
from sudeck.mechanism.circuit_fit.patient_data import PatientData


def _prior_as_posterior(count: int = 2000) -> inference.Posterior:
    """Return draws of the prior, as if one useless measure had been made."""
    rng = np.random.default_rng(0)
    data = PatientData("sub-1", ("pre",), ((0, 0, "MEP_1.4"),), np.zeros(1), np.full(1, 1e3))
    circuit, (factors, _) = load_distribution().draw(count, rng), draw_factors(1, count, rng)
    predicted = Surrogate.of(data, load_emulator()).predict(np.concatenate([circuit, factors]))
    weight = np.full(count, 1 / count)
    return inference.Posterior(data, circuit, factors, weight, predicted, 0.0, 0.0, 1.0, True, ())


def test_interhemispheric_inhibition_tells_of_the_callosum_and_sici_of_gaba_a() -> None:
    ranked = {
        (c.measure, c.hemisphere): c
        for c in rank_measurements(_prior_as_posterior(), load_emulator(), candidates=("SICI", "IHI"))
    }
    assert ranked["IHI", "pain"].factor in ("callosum", "gaba_a", "nmda_pyramids")
    assert ranked["SICI", "pain"].factor in ("gaba_a", "nmda_pyramids")
    assert ranked["SICI", "pain"].factor_hemisphere == "pain"
    assert all(c.information_bits > 0 and 0 < c.narrowing < 1 for c in ranked.values())
    # The accounts differ in the pain-side hemisphere.
    assert ranked["SICI", "pain"].hypothesis_bits > ranked["SICI", "other"].hypothesis_bits


def test_an_imprecise_measurement_tells_less() -> None:
    posterior = _prior_as_posterior(500)
    (precise,) = {c.information_bits for c in _ranked(posterior, 0.05)}
    (vague,) = {c.information_bits for c in _ranked(posterior, 1.0)}
    assert 0 <= vague < 0.5 * precise


def _ranked(posterior, log_se):  # type: ignore[no-untyped-def]
    found = rank_measurements(posterior, load_emulator(), candidates=("ICF",), log_se=log_se)
    return [c for c in found if c.hemisphere == "pain"]


def test_what_was_measured_is_not_asked_for_again() -> None:
    posterior = _prior_as_posterior(200)
    had = replace(posterior.data, keys=((0, 0, "IHI"),))
    asked = rank_measurements(replace(posterior, data=had), load_emulator(), candidates=("IHI",))
    assert [(c.measure, c.hemisphere) for c in asked] == [("IHI", "other")]


def test_bits_of_a_normal_model() -> None:
    """A measure that is a linear function of one factor, with a known share of noise."""
    from sudeck.mechanism.circuit_fit import next_measurement

    posterior = _prior_as_posterior(4000)
    gaba_b = posterior.factors[2 * FACTORS.index("gaba_b")]

    class OneFactor:
        def predict(self, circuit, visit, wanted):  # type: ignore[no-untyped-def]
            return gaba_b[None] * np.ones((len(wanted), 1))

    expected, error = next_measurement._expect(posterior, OneFactor(), (0, 0, "LICI"), 0.12)  # type: ignore[arg-type]
    (best, *_) = rank_measurements(posterior, OneFactor(), candidates=("LICI",))  # type: ignore[arg-type]
    bits = 0.5 * np.log2(1 + np.var(expected) / error**2)
    assert best.information_bits == pytest.approx(bits, rel=0.05)
    assert best.factor == "gaba_b"
