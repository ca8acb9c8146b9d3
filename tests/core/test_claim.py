"""Sentences carry what they claim, and a claim can be held against the truth."""

import pickle

import pytest

from sudeck.core.claim import INTERVAL, Claim, Sentence, claims_of


@pytest.mark.parametrize(
    ("direction", "true_at"),
    [("above", {1.5, 2.5}), ("below", {0.5, 1.5}), ("differs", {0.5, 1.5, 2.5}), ("within", {1.0, 1.5, 2.0})],
)
def test_a_claim_is_so_where_its_direction_says(direction, true_at):
    claim = Claim("x", "quantity", direction, INTERVAL, 1.0, 2.0)
    assert {value for value in (0.5, 1.0, 1.5, 2.0, 2.5) if claim.holds(value)} >= true_at
    assert not (direction == "within" and (claim.holds(0.99) or claim.holds(2.01)))


def test_a_sentence_is_text_and_keeps_its_claims():
    claim = Claim("x", "quantity", "above", "page")
    says = (Sentence("One."), Sentence("Two & three.", claim))
    assert " ".join(says) == "One. Two & three."
    assert claims_of(says) == (claim,)
    assert claims_of(pickle.loads(pickle.dumps(says))) == (claim,)
    assert claim.to_dict()["estimand"] == "quantity"
