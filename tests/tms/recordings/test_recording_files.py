from __future__ import annotations

from pathlib import Path
from types import ModuleType

from sudeck.tms.recordings.recording_files import is_recording, recordings_in


def test_a_folder_yields_recordings_and_not_their_companions(tmp_path: Path, forge: ModuleType) -> None:
    forge.write_brainvision(tmp_path / "a_emg.vhdr", forge.make_emg())
    (tmp_path / "a_events.tsv").write_text("onset\n1.0\n")
    (tmp_path / "participants.tsv").write_text("participant_id\tage\nsub-01\t40\n")
    (tmp_path / "readme.txt").write_text("These are recordings.\n")
    (tmp_path / "old.smrx").write_bytes(b"S64")
    (tmp_path / "table.csv").write_text("amplitude_mv\n1\n2\n")
    out = tmp_path / "out"
    out.mkdir()
    (out / "tms.json").write_text("{}")
    (out / "trials.tsv").write_text("file\tamplitude_mv\na\t1\n")
    assert [path.name for path in recordings_in([tmp_path])] == ["a_emg.vhdr", "old.smrx", "table.csv"]
    assert not is_recording(tmp_path / "a_emg.eeg")
    named = [tmp_path / name for name in ("a_emg.eeg", "a_emg.vmrk", "a_emg.vhdr", "a_events.tsv")]
    assert [path.name for path in recordings_in(named)] == ["a_emg.vhdr"]


def test_what_is_named_alone_is_kept_to_be_refused(tmp_path: Path) -> None:
    gone = tmp_path / "gone.edf"
    assert recordings_in([gone, gone]) == (gone,)
    assert recordings_in([tmp_path]) == (tmp_path,)
