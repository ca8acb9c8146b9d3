"""People who owe nothing to the circuit: what is drawn, and that a weak SICI alone names no wrong synapse."""

from __future__ import annotations

import numpy as np
import pytest

from circuit_virtual_patient import FIGURES, STUDY_MEASURES, draw_person
from sudeck.circuit.reference import load_distribution
from sudeck.mechanism.circuit_fit.emulator import load_emulator
from sudeck.mechanism.circuit_fit.inference import infer
from sudeck.mechanism.circuit_fit.posterior_summary import explain


def test_people_lie_about_the_figures_and_keep_their_own_at_the_next_visit() -> None:
    rng = np.random.default_rng(0)
    people = [draw_person(rng, weak_sici=0.8, log_se=0.05) for _ in range(2000)]
    keys, logs = people[0].keys, np.array([person.log_value for person in people])
    for side, figure in ((0, 0.8), (1, FIGURES["SICI_2"][0])):
        own = logs[:, keys.index((0, side, "SICI_2"))]
        assert np.exp(own.mean()) == pytest.approx(figure, rel=0.03)
        assert own.std() == pytest.approx(np.hypot(FIGURES["SICI_2"][1], 0.05), rel=0.05)
        again = logs[:, keys.index((1, side, "SICI_2"))]
        assert np.corrcoef(own, again)[0, 1] == pytest.approx(0.7, abs=0.05)
    ihi, sici = (logs[:, keys.index((0, 0, name))] for name in ("IHI_10", "SICI_2"))
    assert abs(np.corrcoef(ihi, sici)[0, 1]) < 0.07


@pytest.mark.usefixtures("numba_installed")
def test_a_weak_sici_alone_names_no_wrong_synapse() -> None:
    for number in range(3):
        rng = np.random.default_rng([2, number])
        data = draw_person(rng, weak_sici=0.75, measures=STUDY_MEASURES, visits=("pre",))
        explained = explain(infer(data, load_distribution(), load_emulator(), draws=300, rng=number))
        assert explained.preferred in ("", "none", "local_gaba_a_loss")
