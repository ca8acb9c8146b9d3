import json
import math
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sudeck.core.errors import InputError, MissingDependencyError
from sudeck.core.estimate import Estimate
from sudeck.core.privacy import MASK, Redactor
from sudeck.core.storage import sidecar_of, to_json, write_json, write_text, write_tsv


@given(st.floats(-3, 3), st.floats(0.001, 1))
def test_a_log_estimate_is_symmetric_on_its_scale(log_value: float, se: float) -> None:
    found = Estimate.from_log("BPr", log_value, se)
    assert found.low * found.high == pytest.approx(found.value**2)
    assert found.probability_above(found.value) == pytest.approx(0.5)
    assert found.probability_above(found.low) == pytest.approx(0.975, abs=1e-6)


def test_an_estimate_refuses_bounds_that_do_not_hold_it() -> None:
    with pytest.raises(ValueError, match="does not hold"):
        Estimate("x", 1.0, 1.1, 2.0)
    with pytest.raises(ValueError, match="does not hold"):
        Estimate("x", math.nan, 0.0, 2.0)


def test_an_infinite_bound_becomes_null() -> None:
    assert json.loads(to_json(Estimate("x", 1.0, 0.5, math.inf).to_dict()))["high"] is None


def test_errors_survive_pickling() -> None:
    for error in (
        InputError("a.dcm", "it is empty", "export it again"),
        MissingDependencyError("Decoding", "x"),
    ):
        again = pickle.loads(pickle.dumps(error))
        assert str(again) == str(error)
        assert type(again) is type(error)


@given(st.sampled_from(["Dupont^Jeanne", "DUPONT JEANNE", "dupont,jeanne"]))
def test_names_are_masked_however_they_are_written(name: str) -> None:
    redactor = Redactor.from_values([name, "", None, "anonymous"])
    assert redactor.clean("scan of Jeanne DUPONT, anonymous") == f"scan of {MASK} {MASK}, anonymous"
    assert redactor.label("/data/dupont/dupont_1.dcm") == f"{MASK}_1.dcm"


def test_a_failed_write_leaves_the_old_content(tmp_path) -> None:
    path = tmp_path / "a.json"
    write_text(path, "old")
    with pytest.raises(TypeError):
        write_json(path, {"x": object()})
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["a.json"]


def test_a_table_has_its_sidecar_and_no_stray_tabs(tmp_path) -> None:
    path = tmp_path / "scan.tsv"
    write_tsv(path, [{"a": "x\ty\n", "b": None}, {"a": 1.5}], columns={"a": "First", "b": "Second"})
    assert path.read_text() == "a\tb\nx y\tn/a\n1.5\tn/a\n"
    assert json.loads(sidecar_of(path).read_text())["b"]["Description"] == "Second"
