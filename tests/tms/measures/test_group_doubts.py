"""Whether a muscle answers at all: as many small responses as chance finds in noise are none."""

from __future__ import annotations

import pytest

from sudeck.tms.measures.group_doubts import no_more_than_chance, nothing_answers
from sudeck.tms.measures.measured import Trial
from sudeck.tms.signals.trials import Pulse


def trials(n: int, responses: int, *, size_mv: float = 0.02) -> list[Trial]:
    pulse = Pulse(0.0, hemisphere="left", kind="single", test_mso=50.0)
    return [
        Trial(
            "file",
            number,
            "FDI",
            pulse,
            {"amplitude_mv": size_mv if found else 0.01, "noise_floor_mv": 0.01},
            present=found,
            csp_censored=False,
        )
        for number, found in enumerate([True] * responses + [False] * (n - responses), 1)
    ]


@pytest.mark.parametrize(
    ("n", "responses", "size_mv", "silent"),
    [
        (82, 7, 0.02, True),  # Chance finds 4 on average, and 7 or more once in eight times.
        (82, 12, 0.02, False),
        (82, 7, 0.2, False),  # As large as this is no noise.
        (20, 3, 0.1, False),
        (20, 0, 0.02, True),
    ],
)
def test_small_responses_as_rare_as_chance_are_none(
    n: int, responses: int, size_mv: float, silent: bool
) -> None:
    assert nothing_answers(trials(n, responses, size_mv=size_mv)) is silent


def test_chance_is_that_of_a_binomial() -> None:
    assert no_more_than_chance(0, 10)
    assert no_more_than_chance(2, 6)  # P = 0.033
    assert not no_more_than_chance(3, 6)  # P = 0.002
