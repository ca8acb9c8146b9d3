"""From a recording to all measures in a fresh process: time and memory, imports included."""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
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
import resource, sys
from sudeck.tms.measurement import measure_recordings
result = measure_recordings(sys.argv[1])
print(len(result.trials), len(result.estimates), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
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
    for name, baseline in RECORDINGS.items():
        best: tuple[float, float, str] | None = None
        for _ in range(repeats):
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            begin = time.perf_counter()
            done = subprocess.run(
                [sys.executable, "-c", PROGRAM, str(DATA / name)], capture_output=True, text=True, check=True
            )
            wall = time.perf_counter() - begin
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
            best = min(best or (wall, cpu, done.stdout), (wall, cpu, done.stdout))
        assert best is not None
        trials, estimates, memory = best[2].split()
        print(
            f"{name:<46}{trials:>7}{estimates:>10}{best[0]:>8.2f}{best[1]:>7.2f}{float(memory):>6.0f}  "
            f"{TARGET}; {baseline}"
        )


if __name__ == "__main__":
    main()
