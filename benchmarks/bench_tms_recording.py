"""The whole command in a fresh process, report written, imports included: time and memory.

On a machine with other work the processor time counts, and it too grows: the first line is what the libraries
alone take to load at that moment.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

DATA = Path(__file__).resolve().parents[2] / "shared" / "data" / "tms"
TARGET = "2 s, 250 MB"
RECORDINGS = {
    "cunningham/BrainVision/Example Data 1.vhdr": "mep-cmap-analyser 10.5 s, 566 MB (published)",
    "cunningham/Spike/Example Data 1.smr": "mep-cmap-analyser 11.2 s, 478 MB (published)",
    "cspider/example1.cfs": "no other Python reader",
    "oxford/S1.mat": "",
}
PROGRAM = """
import json, resource, sys
from pathlib import Path
from sudeck.cli import main
sys.argv = ["sudeck", "tms", sys.argv[1], "--out", sys.argv[2]]
try:
    main()
except SystemExit as end:
    assert not end.code
out = Path(sys.argv[-1])
trials = len((out / "trials.tsv").read_text().splitlines()) - 1
estimates = len(json.loads((out / "tms.json").read_text())["estimates"])
print(trials, estimates, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""
LIBRARIES = """
import resource, numpy, scipy.special, jinja2, typer, rich.console
print(0, 0, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="once instead of the best of three")
    repeats = 1 if parser.parse_args().quick else 3
    if not DATA.is_dir():
        print("no folder of shared recordings beside the checkout")
        return
    print(
        f"{'recording':<46}{'trials':>7}{'estimates':>10}{'wall s':>8}{'cpu s':>7}{'MB':>6}  target, baseline"
    )
    with tempfile.TemporaryDirectory() as out:
        report("(libraries alone)", best_of(repeats, LIBRARIES), "")
        for name, baseline in RECORDINGS.items():
            report(name, best_of(repeats, PROGRAM, str(DATA / name), out), f"{TARGET}; {baseline}")


def best_of(repeats: int, program: str, *arguments: str) -> tuple[float, float, str]:
    """Return processor time, wall time and the last printed line of the run that took the least."""
    runs = []
    for _ in range(repeats):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        begin = time.perf_counter()
        done = subprocess.run(
            [sys.executable, "-c", program, *arguments], capture_output=True, text=True, check=True
        )
        wall = time.perf_counter() - begin
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        runs.append((cpu, wall, done.stdout.splitlines()[-1]))
    return min(runs)


def report(name: str, best: tuple[float, float, str], remark: str) -> None:
    trials, estimates, memory = best[2].split()
    print(
        f"{name:<46}{trials:>7}{estimates:>10}{best[1]:>8.2f}{best[0]:>7.2f}{float(memory):>6.0f}  {remark}"
    )


if __name__ == "__main__":
    main()
