"""Six measures from three phases, and the error they share."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from sudeck.core.errors import InputError
from sudeck.prediction.ratios import INDEPENDENT_RATIOS, MEASURES, read_ratios, with_known_error


def table(**extra: object) -> pd.DataFrame:
    columns: dict[str, object] = {
        "participant_id": ["sub-1", "sub-2", "sub-3"],
        "VPr": [1.0, 1.2, None],
        "TPr": [1.1, 0.9, 1.0],
        "BPr": [1.3, 1.5, 1.1],
    }
    return pd.DataFrame(columns | extra)


def test_ratios_of_ratios_and_their_rank() -> None:
    ratios = read_ratios(table())
    assert ratios.values("BPr/TPr")[0] == pytest.approx(1.3 / 1.1)
    logs = np.column_stack([ratios.log_values(name)[:2] for name in MEASURES[3:]])
    assert np.allclose(logs[:, 2], logs[:, 0] + logs[:, 1])
    assert np.isnan(ratios.values("BPr/VPr")[2])
    assert ratios.values("BPr/TPr")[2] == pytest.approx(1.1)  # the missing phase is not in it


def test_errors_add_and_the_shared_phase_makes_them_negatively_correlated() -> None:
    ratios = read_ratios(table(VPr_log_se=0.06, TPr_log_se=0.04, BPr_log_se=0.03))
    assert ratios.log_se("BPr/TPr")[0] == pytest.approx(0.05)
    covariance = ratios.log_error_of(INDEPENDENT_RATIOS)[0]
    np.testing.assert_allclose(covariance, [[0.0025, -0.0016], [-0.0016, 0.0052]], atol=1e-15)


def test_stated_errors_of_the_ratios_of_ratios_count() -> None:
    # Regions drawn once and used in all phases make errors that cancel in the ratio.
    ratios = read_ratios(
        table(**{"VPr_log_se": 0.05, "TPr_log_se": 0.05, "BPr_log_se": 0.05, "BPr/TPr_log_se": 0.02})
    )
    assert ratios.log_se("BPr/TPr")[0] == pytest.approx(0.02)
    assert ratios.log_se("TPr/VPr")[0] == pytest.approx(0.05 * np.sqrt(2))


def test_unknown_error_is_the_mean_of_the_known() -> None:
    ratios = read_ratios(table(VPr_log_se=[0.1, 0.2, None], TPr_log_se=0.1, BPr_log_se=0.1))
    filled, known = with_known_error(ratios)
    assert known.tolist() == [True, True, False]
    assert filled[2, 0, 0] == pytest.approx((0.01 + 0.04) / 2)
    assert not with_known_error(read_ratios(table()))[0].any()


@pytest.mark.parametrize(
    ("extra", "text"),
    [
        ({"VPr": [1.0, -1.2, 1.0]}, "sub-2, VPr: -1.2 is no ratio"),
        ({"VPr": [1.0, "high", 1.0]}, "'high' is not a number"),
        ({"participant_id": ["a", "a", "b"]}, "a occurs twice"),
        ({"participant_id": ["a", None, "b"]}, "no identifier"),
        ({"BPr/TPr": [1.182, 1.7, None]}, "sub-2, BPr/TPr: the table says 1.7 but its phases give 1.667"),
        ({"VPr_log_se": [-0.1, 0.1, 0.1]}, "negative"),
    ],
)
def test_refuses(extra: dict[str, object], text: str) -> None:
    with pytest.raises(InputError, match=text):
        read_ratios(table(**extra))


def test_names_the_missing_column() -> None:
    with pytest.raises(InputError, match="column BPr"):
        read_ratios(table().drop(columns="BPr"))
