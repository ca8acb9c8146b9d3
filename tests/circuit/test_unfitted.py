"""What the reference circuits were not fitted to: pairs of pulses, and the spread of single trials."""

import numpy as np
import pytest

from sudeck.circuit.experiment import run_experiment
from sudeck.circuit.parameters import Circuit
from sudeck.circuit.protocols import Measure, conditioned, single
from sudeck.circuit.readout import find_thresholds, measure
from sudeck.circuit.trial_spread import trial_variation

pytestmark = pytest.mark.usefixtures("numba_installed")


@pytest.mark.parametrize("isi_ms", [1.5, 2.1])
@pytest.mark.parametrize(
    ("first", "second", "facilitates"),
    [
        (0.8, 1.2, False),
        (0.9, 1.1, False),
        (0.9, 0.9, True),
        (1.0, 1.0, True),
        (1.2, 0.9, True),
        (1.1, 0.8, True),
    ],
)
def test_pairs_inhibit_and_facilitate_where_they_do_in_people(
    circuits: Circuit, isi_ms: float, first: float, second: float, facilitates: bool
) -> None:
    """18 people (PMC8578654): below then above threshold inhibits; alike or above then below facilitates."""
    pair = Measure("pair", conditioned((isi_ms, first, 0), test=second))
    alone = [Measure(name, single(x)) for name, x in (("first", first), ("second", second))]
    shown = measure(circuits, [pair, *alone], rmt=find_thresholds(circuits, both=False)).values
    ratio = np.median(shown["pair"] / np.maximum(shown["first"], shown["second"]))
    assert (ratio > 1.05) if facilitates else (ratio < 0.7)


def test_single_trials_spread_less_the_stronger_the_pulse(circuits: Circuit) -> None:
    """27 volunteers: coefficients of variation from public single trials."""
    people = {1.0: 0.81, 1.1: 0.66, 1.2: 0.54, 1.3: 0.38, 1.5: 0.36}
    shown = np.median(trial_variation(circuits, tuple(people)), axis=1)
    assert (np.diff(shown) < 0).all()
    assert np.allclose(shown, list(people.values()), rtol=0.2)


def test_recruitment_lies_between_the_quartiles_of_people_and_saturates(circuits: Circuit) -> None:
    """Response over that at 1.2 RMT: 27 volunteers and 21 people with Parkinson's disease, public trials."""
    people = {1.1: (0.37, 0.72), 1.3: (1.14, 2.22), 1.4: (1.37, 3.21), 1.5: (1.68, 3.86)}
    people |= {1.6: (3.19, 4.59), 1.7: (3.25, 6.27), 1.8: (3.18, 6.84)}
    pulses = [Measure(f"{x:g}", single(x)) for x in (1.2, *people)]
    shown = measure(circuits, pulses, rmt=find_thresholds(circuits, both=False)).values
    for at, (low, high) in people.items():
        assert low < np.median(shown[f"{at:g}"] / shown["1.2"]) < high, at
    assert np.median(shown["1.8"] / shown["1.6"]) < 1.1


def test_recruitment_shows_the_spread_and_facilitation_has_a_protocol() -> None:
    names = {row.name: row.baseline.value for row in run_experiment("recruitment").rows}
    assert names["CV_1.6"] < names["CV_1.1"]
    facilitation = [row.baseline.value for row in run_experiment("sicf").rows if row.name != "RMT"]
    assert min(facilitation) > 1.0
