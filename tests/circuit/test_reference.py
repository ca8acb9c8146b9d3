"""What the reference circuits show: the targets within their limits, drugs in size, protocols in shape."""

import numpy as np
import pytest

from sudeck.circuit.drugs import ARMS, SYNAPSES, apply_factors
from sudeck.circuit.experiment import run_experiment
from sudeck.circuit.parameters import Circuit
from sudeck.circuit.protocols import MEASURES
from sudeck.circuit.readout import measure
from sudeck.circuit.targets import TARGETS
from sudeck.core.errors import InputError


@pytest.mark.usefixtures("numba_installed")
def test_targets_are_met(circuits: Circuit) -> None:
    from sudeck.circuit.calibration import predict_targets

    shown = np.median(predict_targets(circuits), axis=1)
    missed = {
        t.name for t, value in zip(TARGETS, shown, strict=True) if not t.limits[0] <= value <= t.limits[1]
    }
    # The misses that docs/circuit.md states, with what the model lacks; no other may join them.
    assert missed <= {"SICI_1", "IHI_70", "nmda_block: MEP_1.2", "gaba_a: RMT", "gaba_b: LICI_150"}


@pytest.mark.usefixtures("numba_installed")
def test_interactions_come_out_right(circuits: Circuit) -> None:
    """Sanger 2001, Daskalakis 2002, and of what reduces interhemispheric inhibition (2007)."""
    from sudeck.circuit.interactions import measure_interactions

    shown = measure_interactions(circuits)
    # Where LICI leaves less than the strongest test pulse makes up for, there is nothing to compare.
    matched = np.isfinite(shown.sici_with_lici)
    assert matched.mean() > 0.75
    assert (shown.sici_with_lici > shown.sici)[matched].mean() > 0.9
    assert np.mean(shown.sici_with_ihi > shown.sici) > 0.9
    assert np.mean(shown.ihi_after_sici > shown.ihi) > 0.9  # this and the last one are fitted
    assert np.mean(shown.ihi_after_lici > shown.ihi) > 0.9
    assert np.mean(np.abs(np.log(shown.ihi_after_icf / shown.ihi)) < 0.1) > 0.7


def test_factors_scale_their_synapses_and_no_other(one: Circuit) -> None:
    changed = apply_factors(one, {"gaba_a": 1.5})
    for name in Circuit._fields:
        factor = 1.5 if name in SYNAPSES["gaba_a"] else 1.0
        assert np.allclose(getattr(changed, name), factor * getattr(one, name)), name


def test_a_drug_may_add_to_a_field(one: Circuit) -> None:
    changed = apply_factors(one, {"gabab_agonist": 0.4, "drive_of_pyramids_mv": 0.1})
    assert np.allclose(changed.gabab_agonist, one.gabab_agonist + 0.4)
    assert np.allclose(changed.tonic_on_e_mv, one.tonic_on_e_mv + 0.1)
    assert np.allclose(changed.tonic_on_p_mv, one.tonic_on_p_mv + 0.1)
    assert np.allclose(changed.tonic_on_a_mv, one.tonic_on_a_mv)


@pytest.mark.usefixtures("numba_installed")
def test_baclofen_weakens_sici_and_strengthens_lici_without_being_fitted(circuits: Circuit) -> None:
    """McDonnell 2006: an agonist at terminals of the interneurons behind SICI."""
    measures = [MEASURES[name] for name in ("SICI_2", "LICI_100")]
    plain = measure(circuits, measures).values
    drugged = measure(apply_factors(circuits, ARMS["baclofen"].factors), measures).values
    assert np.median(drugged["SICI_2"] / plain["SICI_2"]) > 1.02
    assert np.median(drugged["LICI_100"] / plain["LICI_100"]) < 0.98


@pytest.mark.parametrize("factors", [{"gaba": 1.0}, {"gaba_a": -1.0}, {"gaba_a": float("nan")}])
def test_bad_factors_are_refused(one: Circuit, factors: dict[str, float]) -> None:
    with pytest.raises(InputError):
        apply_factors(one, factors)


def test_experiment_on_the_threshold_runs_without_an_extra(one: Circuit) -> None:
    result = run_experiment("rmt", {"gaba_a": 1.3}, circuits=one, dt_ms=0.2, engine="numpy")
    (row,) = result.rows
    assert row.ratio.value == pytest.approx(1.0, abs=0.02)
    assert row.ratio.value == pytest.approx(row.changed.value / row.baseline.value)
    assert result.to_dict()["rows"][0]["name"] == "RMT"
    assert "RMT" in str(result)


def test_unknown_protocol_is_refused(one: Circuit) -> None:
    with pytest.raises(InputError, match="sici"):
        run_experiment("sai", circuits=one)
