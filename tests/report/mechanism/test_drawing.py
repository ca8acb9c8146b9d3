"""The drawn circuit: what is not known is hardly seen, what changed is told by colour and by width."""

from __future__ import annotations

import math
import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sudeck.circuit.drugs import SYNAPSES
from sudeck.mechanism.circuit_fit.factors import FACTORS
from sudeck.report.kit.palette import SAME, STRONGER, WEAKER
from sudeck.report.mechanism.circuit_rows import drawn_factors
from sudeck.report.mechanism.drawing import circuit_figure
from sudeck.report.mechanism.shades import (
    UNKNOWN_SHADE,
    colour_of,
    log_strength,
    opacity_of,
    shade,
    shade_of,
    tone_mv,
)
from sudeck.report.mechanism.wiring import CONNECTIONS, POPULATIONS, between
from support.explained import circuit, factor


@given(st.floats(0, 1.5), st.floats(0, 1.5))
def test_less_known_is_never_less_faded(first: float, second: float) -> None:
    sure, unsure = sorted((first, second))
    assert 0 < opacity_of(unsure) <= opacity_of(sure) <= 1


def test_fading_follows_the_narrowing_between_its_ends() -> None:
    assert opacity_of(0.1) == 1.0
    assert opacity_of(0.3) > opacity_of(0.5) > opacity_of(0.65) > 0.3
    assert shade_of(factor("pre", "pain", "gaba_a", 0.5, 0.3)).opacity == opacity_of(0.3)


def test_what_is_not_identified_looks_the_same_whatever_its_value() -> None:
    looks = {shade_of(factor("pre", "pain", "gaba_a", value, 0.9)) for value in (0.3, 1.0, 3.0)}
    assert looks == {UNKNOWN_SHADE} == {shade_of(None)}
    assert not UNKNOWN_SHADE.known


def test_colour_and_width_say_the_direction() -> None:
    assert colour_of(-math.log(2)) == WEAKER.lower()
    assert colour_of(math.log(2)) == STRONGER.lower() == colour_of(5.0)
    assert colour_of(0.0) == SAME.lower()
    weak, same, strong = (shade(math.log(ratio), 0.2).width_pt for ratio in (0.6, 1.0, 1.6))
    assert weak < same < strong


@given(st.floats(-2, 2))
def test_a_tone_and_a_ratio_of_one_colour_lead_to_each_other(mv: float) -> None:
    assert tone_mv(log_strength("callosal_tone", mv)) == pytest.approx(mv)


def test_every_connection_belongs_to_a_factor_of_the_circuit() -> None:
    drawn = {connection.factor for connection in CONNECTIONS}
    assert drawn <= set(FACTORS)
    assert drawn | {"callosum", "callosal_tone"} == set(FACTORS)
    # Which cells a factor acts on, as the circuit has it: the field names end in the target's letter.
    for connection in CONNECTIONS:
        targets = {re.search(r"_on_(\w)_mv", name) for name in SYNAPSES[connection.factor]}
        letters = {match.group(1).upper() for match in targets if match}
        if connection.factor == "gaba_b":
            letters.add("A")  # presynaptic_gabab: onto the terminals of A
        assert connection.target in letters


def test_lines_begin_and_end_at_the_rim() -> None:
    for connection in CONNECTIONS:
        if connection.source == connection.target:
            continue
        start, _, end = between(connection)
        for point, letter in ((start, connection.source), (end, connection.target)):
            population = POPULATIONS[letter]
            distance = math.dist(point, population.at)
            assert population.radius / 2 < distance < population.radius + 2


def test_narrowing_drives_the_opacity_in_the_picture() -> None:
    known = str(_figure(circuit(narrowing={"gaba_a": 0.1, "nmda_pyramids": 0.4})))
    faded = str(_figure(circuit(narrowing={"gaba_a": 0.6, "nmda_pyramids": 0.4})))
    lost = str(_figure(circuit(narrowing={"gaba_a": 0.9, "nmda_pyramids": 0.4})))
    weak = colour_of(math.log(0.5))
    assert f"fill: none; stroke: {weak}" in known
    assert f"fill: none; stroke: {weak}" not in faded
    assert f"opacity: {opacity_of(0.6):.2g}; stroke: {weak}" in faded
    assert weak not in lost
    assert lost.count("stroke-dasharray") > known.count("stroke-dasharray")


def test_one_visit_is_drawn_alone_and_two_with_their_change() -> None:
    single = str(_figure(circuit(visits=("pre",)), ("pre",)))
    double = str(_figure(circuit()))
    assert single.count("pain-side hemisphere") == 1
    assert double.count("pain-side hemisphere") == 3
    assert "after over before" in double
    assert "after over before" not in single


def test_a_state_of_which_nothing_is_known_is_not_drawn() -> None:
    one = circuit()
    silent = replace(
        one, factors=tuple(replace(f, narrowing=1.0) if f.visit == "pre" else f for f in one.factors)
    )
    pair = str(_figure(silent))
    assert pair.count("pain-side hemisphere") == 2
    # Two lie side by side over the key, so that nothing is left blank.
    assert _height(pair) < _height(str(_figure(one)))
    assert _figure(circuit(narrowing=dict.fromkeys(FACTORS, 1.0))) is None


def test_cells_bear_what_a_neurologist_calls_them() -> None:
    assert {one.label.replace("\n", "-") for one in POPULATIONS.values()} == {"2/3", "5", "GABA-A", "GABA-B"}


def test_the_picture_is_the_same_every_time() -> None:
    assert _figure(circuit()) == _figure(circuit())


def _height(picture: str) -> float:
    found = re.search(r'viewBox="0 0 [\d.]+ ([\d.]+)"', picture)
    assert found is not None
    return float(found.group(1))


def _figure(explanation, visits=("pre", "post", "change")):
    panels = [(visit, drawn_factors(explanation, visit)) for visit in visits]
    return circuit_figure(panels, name="test", description="test")
