"""One patient's measures: names, errors, and what the circuit is asked for."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sudeck.core.errors import InputError
from sudeck.mechanism.circuit_fit.measure_names import USUAL, composition_of
from sudeck.mechanism.circuit_fit.patient_data import gather_patient, person_covariance
from sudeck.mechanism.measure_table import tabulate_measures


def _table(*rows: tuple[str, str, str, float]) -> pd.DataFrame:
    columns = ["participant_id", "visit", "hemisphere", "measure", "value", "log_se"]
    return pd.DataFrame([("sub-1", *row, 0.1) for row in rows], columns=columns)


@given(st.sampled_from(["SICI", "ICF", "LICI", "IHI", "MEP"]), st.floats(0.1, 400, allow_nan=False))
def test_weights_of_a_name_sum_to_one_and_meet_its_interval(family: str, at: float) -> None:
    parts = composition_of(f"{family}_{at!r}")
    if parts is not None:
        assert sum(parts.values()) == pytest.approx(1.0)
        middle = sum(weight * float(name.partition("_")[2]) for name, weight in parts.items())
        assert middle == pytest.approx(at)


@pytest.mark.parametrize("name", ["SICI_0.5", "SICI_x", "IHI_90", "SAI", "MEP_1", "", "SICI_nan"])
def test_names_beyond_the_circuit_are_not_known(name: str) -> None:
    assert composition_of(name) is None


def test_a_person_is_shared_by_the_visits_in_part_and_less_by_the_hemispheres() -> None:
    keys = ((0, 0, "SICI_2"), (1, 0, "SICI_2"), (0, 1, "SICI_2"), (0, 0, "SICI_3"), (0, 0, "ICF_10"))
    covariance = person_covariance(keys)
    # Two fifths of what people differ by in SICI are new at a visit: the change of nobody is known better.
    assert covariance[0, 1] == pytest.approx(0.6 * covariance[0, 0])
    lasting = person_covariance(keys, lasting=True)
    change = np.array([-1.0, 1.0, 0.0, 0.0, 0.0])
    assert change @ lasting @ change == pytest.approx(0.0, abs=1e-12)
    assert lasting[0, 1] == pytest.approx(covariance[0, 1])
    assert 0 < covariance[0, 2] < covariance[0, 0]
    assert 0 < covariance[0, 3] < covariance[0, 0]
    assert covariance[0, 4] == 0
    assert np.linalg.eigvalsh(covariance).min() > -1e-12


def test_what_the_circuit_does_not_know_is_named_or_refused() -> None:
    known = _table(("pre", "pain", "SICI", 0.5), ("pre", "pain", "SAI", 0.5))
    data = gather_patient(tabulate_measures(known), "sub-1")
    assert [flag.code for flag in data.flags] == ["measure-unknown"]
    with pytest.raises(InputError, match="SICI"):
        gather_patient(tabulate_measures(_table(("pre", "pain", "SAI", 0.5))), "sub-1")
    with pytest.raises(InputError, match="no measures"):
        gather_patient(tabulate_measures(known), "sub-2")


def test_a_summary_does_not_count_beside_what_it_is_made_of() -> None:
    rows = [("pre", "pain", "SICI", 0.5), ("pre", "pain", "SICI_2.5", 0.4), ("post", "pain", "SICI", 0.6)]
    data = gather_patient(tabulate_measures(_table(*rows)), "sub-1")
    assert data.keys == ((0, 0, "SICI_2.5"), (1, 0, "SICI"))
    assert set(data.wanted) == {(0, part) for part in USUAL["SICI"]}
    assert data.weights.sum(axis=(1, 2)) == pytest.approx(np.ones(2))


def test_thresholds_count_from_a_typical_one() -> None:
    data = gather_patient(tabulate_measures(_table(("pre", "pain", "RMT", 50.0))), "sub-1")
    assert data.log_value == pytest.approx([0.0])


def test_slips_of_the_table_are_flagged() -> None:
    rows = _table(("pre", "pain", "SICI", 0.5), ("pre", "other", "SICI", 0.5)).assign(log_se=[0.0, 0.1])
    data = gather_patient(tabulate_measures(rows), "sub-1")
    assert "error-floored" in [flag.code for flag in data.flags]
    assert data.log_se.min() > 0
    nameless = rows.assign(participant_id=["sub-1", None])
    assert "name-missing" in [flag.code for flag in tabulate_measures(nameless).flags]


def test_a_patient_without_the_first_visit_has_no_baseline() -> None:
    both = pd.concat(
        [
            _table(("pre", "pain", "SICI", 0.5)),
            _table(("post", "pain", "SICI", 0.5)).assign(participant_id="sub-2"),
        ]
    )
    table = tabulate_measures(both)
    assert gather_patient(table, "sub-1").from_baseline
    late = gather_patient(table, "sub-2")
    assert not late.from_baseline
    assert "baseline-missing" in [flag.code for flag in late.flags]
