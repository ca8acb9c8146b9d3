"""Inference: on a model whose posterior is known, and on patients simulated by the circuit."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from circuit_virtual_patient import draw_patient
from sudeck.circuit.parameters import Floats
from sudeck.circuit.reference import load_distribution
from sudeck.mechanism.circuit_fit import inference, patient_fit
from sudeck.mechanism.circuit_fit.emulator import load_emulator
from sudeck.mechanism.circuit_fit.factors import FACTORS, N_VISIT
from sudeck.mechanism.circuit_fit.hypotheses import ACCOUNTS, BASE_SD, draw_factors
from sudeck.mechanism.circuit_fit.likelihood import N_CIRCUIT, Surrogate, simulate_patient
from sudeck.mechanism.circuit_fit.patient_data import PatientData
from sudeck.mechanism.circuit_fit.posterior_summary import explain

KEYS = tuple((0, side, name) for side in (0, 1) for name in ("SICI_2", "ICF_10", "LICI_100", "IHI_10"))


class LinearEmulator:
    """Says what a linear model says, and is a little wrong."""

    error_sd = np.full(len(load_emulator().error_sd), 0.05)

    def __init__(self, slope: Floats, wrong: float) -> None:
        self.slope, self.wrong = slope, wrong

    def predict(self, circuit: Floats, visit: Floats, wanted: tuple[tuple[int, str], ...]) -> Floats:
        exact = self.slope @ visit
        return np.asarray(exact + self.wrong * np.sin(8 * exact + circuit[0]))


def _posterior_of_a_linear_model(wrong: float, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(5)
    slope = rng.normal(size=(len(KEYS), N_VISIT))
    errors = np.full(len(KEYS), 0.1)
    blank = PatientData("sub-1", ("pre",), KEYS, np.zeros(len(KEYS)), errors)
    value = np.linalg.cholesky(blank.person_covariance) @ rng.normal(size=len(KEYS))
    value += slope[:, 2 * FACTORS.index("gaba_a")] * ACCOUNTS[0].mean
    data = PatientData("sub-1", ("pre",), KEYS, value, errors)

    def exact(data: PatientData, position: Floats, *, engine: object = None) -> Floats:
        return np.asarray(slope @ position[N_CIRCUIT:])

    monkeypatch.setattr(inference, "simulate_patient", exact)
    posterior = inference.infer(
        data,
        load_distribution(),
        LinearEmulator(slope, wrong),  # type: ignore[arg-type]
        draws=3000,
        rng=1,
    )
    noise = data.person_covariance + np.diag(errors**2)
    evidence, means = [], []
    for account in ACCOUNTS:
        mean, sd = np.zeros(N_VISIT), np.repeat([BASE_SD[f] for f in FACTORS], 2)
        if account.factor:
            at = [2 * FACTORS.index(account.factor) + side for side in account.sides]
            mean[at], sd[at] = account.mean, account.sd
        prior = np.diag(sd**2)
        marginal = slope @ prior @ slope.T + noise
        evidence.append(stats.multivariate_normal(slope @ mean, marginal).logpdf(value))
        means.append(mean + prior @ slope.T @ np.linalg.solve(marginal, value - slope @ mean))
    share = np.exp(evidence - np.max(evidence))
    share /= share.sum()
    explanation = explain(posterior)
    *accounts, outside = explanation.hypotheses
    assert outside.name == "outside_the_model"
    found = [h.probability / (1 - outside.probability) for h in accounts]
    assert found == pytest.approx(list(share), abs=0.06)
    truth = share @ np.array(means)
    mean = posterior.factors @ posterior.weight
    sd = np.sqrt(((posterior.factors - mean[:, None]) ** 2) @ posterior.weight)
    assert np.abs((mean - truth) / sd).max() < 0.15
    total = np.log(np.mean(np.exp(evidence - np.max(evidence)))) + np.max(evidence)
    assert posterior.log_evidence == pytest.approx(total, abs=0.4)
    for hypothesis, log_evidence in zip(accounts, evidence, strict=True):
        if hypothesis.probability > 0.1:
            assert hypothesis.log_evidence == pytest.approx(log_evidence, abs=0.5)


def test_weights_correct_a_good_emulator(monkeypatch: pytest.MonkeyPatch) -> None:
    _posterior_of_a_linear_model(0.01, monkeypatch)


def test_the_circuit_itself_corrects_a_bad_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inference, "ENOUGH_EFFECTIVE", 1.1)  # whatever the emulator: lead on with the model
    _posterior_of_a_linear_model(0.1, monkeypatch)


@pytest.mark.usefixtures("numba_installed")
def test_from_one_seed_every_patient_gets_draws_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the same draws for all, what simulation errs by would not average out of the mean of a group."""
    monkeypatch.setattr(patient_fit, "infer", lambda *given, rng, **more: rng.random())
    names = ("sub-1", "sub-2", "sub-1")
    blank = [PatientData(name, ("pre",), KEYS, np.zeros(len(KEYS)), np.ones(len(KEYS))) for name in names]
    first, second, again = (patient_fit.fit_patient(data, rng=2018) for data in blank)
    assert first == again != second
    assert patient_fit.fit_patient(blank[0], rng=2019) != first


def _fitted(value: Floats, error: float) -> inference.Posterior:
    """Draws of healthy circuits, as if they were the posterior of some measures."""
    rng = np.random.default_rng(0)
    data = PatientData("sub-1", ("pre", "post"), KEYS, value, np.full(len(KEYS), error))
    circuit = load_distribution().draw(500, rng)
    factors, _ = draw_factors(2, 500, rng, account="none")
    predicted = Surrogate.of(data, load_emulator()).predict(np.concatenate([circuit, factors]))
    weight = np.full(500, 1 / 500)
    return inference.Posterior(data, circuit, factors, weight, predicted, 0.0, 0.0, 1.0, True, ())


def test_of_measures_in_other_units_no_probability_is_given() -> None:
    healthy = _fitted(np.zeros(len(KEYS)), 0.1).predicted.mean(axis=1)
    explanation = explain(_fitted(healthy + np.log(100), 0.1))
    assert [flag.code for flag in explanation.flags] == ["model-misfit"]
    assert (explanation.hypotheses, explanation.factors, explanation.share) == ((), (), None)
    assert "nothing follows" in explanation.verdict
    right = explain(_fitted(healthy, 0.1))
    assert (right.flags, len(right.hypotheses)) == ((), len(ACCOUNTS) + 1)
    assert right.share is not None


def test_a_fit_that_does_not_reproduce_the_measures_prefers_nothing() -> None:
    healthy = _fitted(np.zeros(len(KEYS)), 0.1).predicted.mean(axis=1)
    off = healthy.copy()
    off[KEYS.index((0, 0, "IHI_10"))] += 1.1
    explanation = explain(_fitted(off, 0.1))
    (flag,) = explanation.flags
    assert flag.code == "model-strained"
    assert "IHI_10 (pain, pre)" in flag.message
    assert explanation.preferred == ""
    assert sum(one.probability for one in explanation.hypotheses) == pytest.approx(1)


@pytest.mark.usefixtures("numba_installed")
def test_the_surrogate_learns_from_what_the_circuit_shows() -> None:
    rng = np.random.default_rng(2)
    patient = draw_patient(load_distribution(), rng, measures=("RMT", "SICI_2"), visits=("pre",))
    first = Surrogate.of(patient.data, load_emulator())
    position = np.concatenate([patient.circuit, patient.factors])[:, None] + 0.02 * rng.standard_normal(
        (N_CIRCUIT + N_VISIT, 300)
    )
    learn, test = position[:, :200], position[:, 200:]
    second = first.refine(learn, simulate_patient(patient.data, learn))
    shown = simulate_patient(patient.data, test)
    before, after = (np.abs(s.predict(test) - shown).mean(axis=1) for s in (first, second))
    assert (after < 0.7 * before).all()
    assert second.error_sd == pytest.approx((second.predict(test) - shown).std(axis=1), rel=0.5)


@pytest.mark.usefixtures("numba_installed")
def test_a_patient_is_explained_and_what_was_not_measured_is_not_claimed() -> None:
    rng = np.random.default_rng(1)
    patient = draw_patient(
        load_distribution(), rng, account="local_gaba_a_loss", measures=("RMT", "MEP_1.2", "SICI_2")
    )
    posterior = inference.infer(patient.data, load_distribution(), load_emulator(), draws=300, rng=2)
    explanation = explain(posterior)
    rows = {(f.visit, f.hemisphere, f.factor): f for f in explanation.factors}
    assert rows["pre", "pain", "gaba_a"].estimate.value < rows["pre", "other", "gaba_a"].estimate.value
    assert not rows["pre", "other", "callosum"].identified
    assert not rows["change", "other", "gaba_b"].identified
    assert sum(h.probability for h in explanation.hypotheses) == pytest.approx(1.0)
    assert {(c.visit, c.hemisphere) for c in explanation.curves} == {
        (visit, side) for visit in ("pre", "post") for side in ("pain", "other")
    }
    for point in explanation.curves:
        assert point.observed.low < point.observed.value < point.observed.high
        assert 0.5 < point.predicted.value / point.observed.value < 2
    balance = rows["pre", "balance", "gaba_over_glutamate"]
    assert balance.estimate.low < balance.estimate.value < balance.estimate.high
    flat = explanation.rows()
    assert {"participant_id", "visit", "factor", "value", "low", "high", "identified"} <= set(flat[0])
