"""Pseudonyms and shifts: of one key the same for ever, and far enough to hide a date."""

from __future__ import annotations

from datetime import timedelta

from sudeck.study.folder.pseudonyms import Key

KEYS = [Key(bytes([number]) * 32) for number in range(4)]


def test_dates_move_back_by_one_to_ten_years_and_by_as_much_for_ever() -> None:
    moves = [key.shift(f"sub-{patient:03d}") for key in KEYS for patient in range(400)]
    assert min(moves) >= -timedelta(days=3650)
    assert max(moves) <= -timedelta(days=365)
    assert max(moves) - min(moves) > timedelta(days=3200), "any of them is as likely"
    assert KEYS[0].shift("sub-000") == moves[0] != KEYS[1].shift("sub-000")
