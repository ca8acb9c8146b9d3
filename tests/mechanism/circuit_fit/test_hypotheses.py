"""The accounts as priors: draws follow densities, shares follow draws."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from sudeck.mechanism.circuit_fit.factors import FACTORS, N_VISIT
from sudeck.mechanism.circuit_fit.hypotheses import (
    ACCOUNTS,
    BASE_SD,
    CHANGE_SD,
    account_shares,
    draw_factors,
    log_prior,
)


@pytest.mark.parametrize("account", ACCOUNTS, ids=lambda account: account.name)
def test_draws_of_an_account_have_its_moments(account) -> None:  # type: ignore[no-untyped-def]
    position, which = draw_factors(2, 20000, np.random.default_rng(0), account=account.name)
    assert {ACCOUNTS[index].name for index in which} == {account.name}
    for index, factor in enumerate(FACTORS):
        abnormal = factor == account.factor
        pain, other = position[2 * index], position[2 * index + 1]
        assert pain.mean() == pytest.approx(account.mean if abnormal else 0.0, abs=0.02)
        assert pain.std() == pytest.approx(account.sd if abnormal else BASE_SD[factor], rel=0.05)
        both = abnormal and 1 in account.sides
        assert other.std() == pytest.approx(account.sd if both else BASE_SD[factor], rel=0.05)
        assert position[N_VISIT + 2 * index].std() == pytest.approx(CHANGE_SD[factor], rel=0.05)


def test_the_density_is_the_mixture_it_says() -> None:
    """Against scipy, for a patient at one visit."""
    position = draw_factors(1, 1, np.random.default_rng(3))[0]
    total = 0.0
    for account in ACCOUNTS:
        part = 1.0
        for index, factor in enumerate(FACTORS):
            for side in (0, 1):
                abnormal = side in account.sides and factor == account.factor
                mean, sd = (account.mean, account.sd) if abnormal else (0.0, BASE_SD[factor])
                part *= stats.norm(mean, sd).pdf(position[2 * index + side, 0])
        total += part / len(ACCOUNTS)
    constant = -0.5 * N_VISIT * np.log(2 * np.pi)
    assert log_prior(position)[0] + constant == pytest.approx(np.log(total))


def test_shares_are_calibrated() -> None:
    """Among draws to which an account is given a share, that share of them comes from it."""
    position, which = draw_factors(1, 40000, np.random.default_rng(4))
    shares = account_shares(position)
    assert shares.sum(axis=0) == pytest.approx(np.ones(40000))
    for index in range(len(ACCOUNTS)):
        assert shares[index].mean() == pytest.approx((which == index).mean(), abs=0.01)
        between = (shares[index] > 0.3) & (shares[index] < 0.7)
        assert shares[index][between].mean() == pytest.approx((which[between] == index).mean(), abs=0.05)
