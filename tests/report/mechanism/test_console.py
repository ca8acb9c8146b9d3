"""The console of the mechanism: every number stands whole on eighty columns, in words of a neurologist."""

from __future__ import annotations

from collections.abc import Callable
from io import StringIO
from typing import Any

from rich.console import Console

from sudeck.mechanism.circuit_fit.explanation import GroupShare
from sudeck.mechanism.circuit_fit.factors import FACTORS, N_VISIT
from sudeck.mechanism.circuit_fit.hierarchy import infer_group_from
from sudeck.mechanism.circuit_fit.next_measurement import Candidate
from sudeck.report.mechanism.circuit_words import next_text
from sudeck.report.mechanism.console import print_circuit, print_explanation, print_group
from support.explained import circuit, study


def _printed(show: Callable[..., None], what: Any) -> str:
    text = StringIO()
    show(what, console=Console(file=text, width=80, highlight=False))
    said = text.getvalue()
    assert "…" not in said
    assert not any(f"{name} " in said for name in FACTORS if "_" in name)
    return said


def test_the_circuit_of_a_patient() -> None:
    said = _printed(print_circuit, circuit("sub-00001"))
    assert "NMDA on pyramidal cells" in said
    assert "Known to within" in said
    assert " 85 %" in said


def test_the_circuits_of_a_study() -> None:
    said = _printed(print_explanation, study(6, circuits=[circuit(f"sub-00{i}") for i in range(4)]))
    assert "The circuit of each patient" in said


def test_the_circuits_of_a_group() -> None:
    precise = tuple(tuple(50.0 * (row == column) for column in range(N_VISIT)) for row in range(N_VISIT))
    shares = {str(i): GroupShare(("pre", "post"), precise, (10.0,) * N_VISIT) for i in range(6)}
    said = _printed(print_group, infer_group_from(shares, sweeps=200))
    assert "Steady drive of GABA-B" in said
    assert " mV" in said


def test_the_next_measurement() -> None:
    said = next_text(Candidate("IHI_40", "pain", 0.6, 0.25, "callosal_tone", "pain", 0.86))
    assert said == (
        "IHI, 40 ms (pain side): 0.25 bit about the accounts, 0.60 about all synapses; narrows "
        "steady drive of GABA-B cells (pain side) to 86 % of its spread"
    )
