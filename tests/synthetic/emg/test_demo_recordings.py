from __future__ import annotations

import json
from pathlib import Path

from sudeck.synthetic.emg import emg_files
from sudeck.synthetic.emg.demo_recordings import PAIN_SIDE_HEMISPHERE, make_demo_recordings


def test_same_seed_same_bytes_and_the_truth_beside_them(tmp_path: Path) -> None:
    first, second = (make_demo_recordings(tmp_path / name, 7, trials=3) for name in "ab")
    for one, other in zip((*first.pre, *first.post), (*second.pre, *second.post), strict=True):
        assert one.read_bytes() == other.read_bytes()
        assert one.stat().st_size < 3_000_000
    assert [path.parent.parent.name for path in (*first.pre, *first.post)] == ["ses-pre"] * 2 + [
        "ses-post"
    ] * 2
    truth = first.truth
    assert truth["pre", PAIN_SIDE_HEMISPHERE]["SICI"] > 0.9
    assert truth["post", PAIN_SIDE_HEMISPHERE]["SICI"] < 0.5
    assert truth["pre", "left"]["RMT"] == truth["post", "left"]["RMT"]
    given = json.loads(first.truth_file.read_text())
    assert given["pre left"]["hemisphere"]["ratios"]["SICI"] == truth["pre", "left"]["SICI"]
    other_seed = make_demo_recordings(tmp_path / "c", 8, trials=3)
    assert other_seed.pre[0].read_bytes() != first.pre[0].read_bytes()


def test_without_the_writer_of_edf_it_falls_back_to_epochs(tmp_path: Path, monkeypatch) -> None:
    from sudeck.core.errors import MissingDependencyError

    def missing(*args, **kwargs):
        raise MissingDependencyError("writing EDF", "synthetic")

    monkeypatch.setattr(emg_files, "write_edf", missing)
    made = make_demo_recordings(tmp_path, 7, trials=2)
    assert {path.suffix for path in made.pre} == {".csv"}
