"""The command as a process: whatever the terminal, the pipe and the hand on the keyboard do."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

_START = "from sudeck.cli import main; main()"


def sudeck(*words: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-c", _START, *words]
    return subprocess.run(command, capture_output=True, env={**os.environ, **environment}, timeout=120)


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "utf-8"])
def test_any_terminal_can_show_what_is_printed(encoding: str) -> None:
    done = sudeck("decide", "--help", PYTHONIOENCODING=encoding)
    assert done.returncode == 0, done.stderr
    assert done.stdout
    # A letter that is not there is the nearest that is.
    code = "from sudeck.cli import _prepare_streams as p; p(); print('−3 µV ± 1 ≥ é 山')"
    plain = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, env={**os.environ, "PYTHONIOENCODING": "ascii"}
    )
    assert plain.stdout.decode().strip() == "-3 uV +/- 1 >= e ?"


def test_a_number_may_be_typed_with_a_decimal_comma() -> None:
    words = ("--bpr", "1,31", "--tpr", "1.12", "--vpr", "1,2")
    typed = sudeck("calculate", *words)
    assert typed.returncode == 0, typed.stderr
    assert typed.stdout == sudeck("calculate", *(word.replace(",", ".") for word in words)).stdout
    refused = sudeck("calculate", *words[:-1], "1,2,3")
    assert refused.returncode == 2
    assert b"'--vpr'" in refused.stderr
    outside = sudeck("calculate", *words[:-1], "-1,2")  # limits still hold
    assert outside.returncode == 2


def test_only_numbers_of_options_that_take_such_are_read_so() -> None:
    from sudeck.cli.app import with_decimal_points

    assert with_decimal_points(["tms", "a,b", "3,5", "--window", "15,5", "45,0", "1,2,3"]) == [
        *("tms", "a,b", "3,5", "--window", "15.5", "45.0", "1,2,3")
    ]
    assert with_decimal_points(["tms", "--channel", "1,2", "--level=0,9"]) == [
        *("tms", "--channel", "1,2", "--level=0.9")
    ]


def test_a_refusal_and_a_wrong_word_have_their_status(tmp_path: Path) -> None:
    refused = sudeck("check", str(tmp_path / "nowhere"))
    assert (refused.returncode, refused.stderr.count(b"\n")) == (2, 1)
    assert sudeck("chekc").returncode == 2
    assert sudeck("init", "").returncode == 2
    assert sudeck("--version").returncode == 0


def test_a_reader_that_goes_away_is_no_trouble() -> None:
    command = [sys.executable, "-c", _START, "plan", "--prevalence", "0.5", "--c", "0.7"]
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(command, stdout=writer, stderr=subprocess.PIPE, timeout=120)
    os.close(writer)
    assert done.stderr == b""


def test_a_stopped_command_says_so() -> None:
    code = (
        # A shell that runs in the background hands down an interrupt that is ignored.
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "import time, sudeck.cli.app as a\n"
        "a.app.command('wait')(lambda: (print('ready', flush=True), time.sleep(60)))\n" + _START
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, "wait"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout is not None
    process.stdout.readline()
    time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert b"stopped; what was finished is kept" in said


def test_a_study_is_made_with_the_rights_of_its_maker(tmp_path: Path) -> None:
    command = [sys.executable, "-c", f"import os; os.umask(0o027); {_START}", "init", str(tmp_path / "study")]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    for path in (tmp_path / "study").rglob("*"):
        if path.is_file():
            assert stat.S_IMODE(path.stat().st_mode) == 0o640, path.name
    assert stat.S_IMODE((tmp_path / "study").stat().st_mode) == 0o750
    assert [path.name for path in tmp_path.iterdir()] == ["study"]


def test_a_command_stopped_while_it_loads_says_so() -> None:
    code = (
        "import sys\n"
        "class Stop:\n"
        "    def find_spec(self, name, *_):\n"
        "        if name == 'sudeck.cli.app':\n"
        "            raise KeyboardInterrupt\n"
        "sys.meta_path.insert(0, Stop())\n" + _START
    )
    done = subprocess.run([sys.executable, "-c", code, "check"], capture_output=True, timeout=60)
    assert (done.returncode, done.stderr) == (130, b"sudeck: stopped; what was finished is kept.\n")


def test_the_folder_one_stands_in_has_its_name(tmp_path: Path) -> None:
    command = [sys.executable, "-c", _START]
    place = tmp_path / "pain"
    place.mkdir()

    def here(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([*command, *words, "."], capture_output=True, text=True, cwd=place, timeout=120)

    # "sudeck init .." would make the parent folder a study.
    assert here("check").stderr == (
        "sudeck: pain: it holds no sudeck.toml, so it is not a study; "
        "sudeck init . makes one here, or name the folder of one.\n"
    )
    assert here("init").stdout.startswith("pain is ready:")
    assert here("predict").stderr.startswith("sudeck: pain: ")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_a_full_disk_under_what_is_printed_says_so() -> None:
    with Path("/dev/full").open("w") as full:
        command = [sys.executable, "-c", _START, "plan", "--prevalence", "0.5", "--c", "0.7"]
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, timeout=120)
    assert done.returncode == 2
    assert done.stderr.startswith("sudeck: what is printed, or a temporary file: No space left")
    assert done.stderr.count("\n") == 1
