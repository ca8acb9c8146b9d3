"""How long a scan takes: one study warm, and the commands cold.

Run: OMP_NUM_THREADS=1 python benchmarks/bench_scan_speed.py

The baseline beside it reads the same files with pydicom and registers the two halves of each phase with
SimpleITK (similarity, mutual information), which is what one would write by hand today; both take turns, so
that a machine that slows down does so for both. Wall time and processor time are both printed: on a busy
machine only the second says what the work costs.
"""

from __future__ import annotations

import math
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent))

from scan_baselines import ellipse_weights, simpleitk_log_ratio
from sudeck.core.vocabulary import SCAN_PHASES
from sudeck.scan.limbs.limb_masks import find_limbs
from sudeck.scan.measurement import measure_region, measure_scan
from sudeck.scan.phases.phase_series import read_scan
from sudeck.scan.posing import pose_scan
from sudeck.synthetic.dicom.nm_dicom import write_bone_scan
from sudeck.synthetic.scan.bone_scan import BoneScanDesign, simulate_bone_scan


def timed(*works: Callable[[], object], repeats: int = 9) -> list[tuple[float, float]]:
    """Return the median wall and processor seconds of calls that take turns; the first is not counted."""
    for work in works:
        work()
    seconds = np.empty((repeats, len(works), 2))
    for turn in range(repeats):
        for number, work in enumerate(works):
            wall, cpu = time.perf_counter(), time.process_time()
            work()
            seconds[turn, number] = time.perf_counter() - wall, time.process_time() - cpu
    return [(float(wall), float(cpu)) for wall, cpu in np.median(seconds, axis=0)]


def by_hand(paths: list[Path]) -> None:
    import pydicom

    for path in paths:
        pixels = pydicom.dcmread(path).pixel_array.astype(np.float64)
        image = pixels.sum(axis=0) if pixels.ndim == 3 else pixels
        simpleitk_log_ratio(image, ellipse_weights(find_limbs(image).mask(1)))


COLD = """
import atexit, sys
def peak():
    for line in open("/proc/self/status"):
        if line.startswith("VmHWM"):
            print("peak", line.split()[1], file=sys.stderr)
atexit.register(peak)
from sudeck.cli import main
main()
"""


def cold(arguments: list[str], repeats: int = 5) -> tuple[float, float, float]:
    """Return median wall and processor seconds and peak megabytes of a fresh process (Linux)."""
    walls, cpus, peaks = [], [], []
    for _ in range(repeats):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        start = time.perf_counter()
        done = subprocess.run(
            [sys.executable, "-c", COLD, *arguments], capture_output=True, check=True, text=True
        )
        walls.append(time.perf_counter() - start)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        cpus.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
        peaks.append(float(done.stderr.split("peak")[-1]) / 1024)
    return float(np.median(walls)), float(np.median(cpus)), max(peaks)


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        design = BoneScanDesign(limb="hand", affected="right", rotation_deg=6.0, scale=1.03)
        scan = simulate_bone_scan(design, rng=np.random.default_rng(1))
        paths = write_bone_scan(scan, folder)
        print(f"One study: {len(paths)} files, {len(SCAN_PHASES)} phases, a flow of 60 frames\n")
        print(f"{'':38}{'wall s':>9}{'cpu s':>9}{'peak MB':>9}   target")

        def whole() -> None:
            measure_scan(read_scan([folder]), affected="right")

        try:
            (wall, cpu), (wall_by_hand, cpu_by_hand) = timed(whole, lambda: by_hand(paths))
            beside = f"; {wall_by_hand / wall:.1f} times quicker (processor {cpu_by_hand / cpu:.1f}), 4"
        except ImportError:
            print("pydicom + SimpleITK: SimpleITK is not installed (pip install SimpleITK)")
            ((wall, cpu),) = timed(whole)
            wall_by_hand = cpu_by_hand = math.nan
            beside = ""
        print(f"{'files to ratios, warm':38}{wall:9.3f}{cpu:9.3f}{'':>9}   0.5 s{beside}")
        print(f"{'pydicom + SimpleITK, by hand, warm':38}{wall_by_hand:9.3f}{cpu_by_hand:9.3f}")
        posed = pose_scan(read_scan([folder]), affected="right")
        rows = {
            "  of which reading": (lambda: read_scan([folder]), ""),
            "another region of a posed scan": (lambda: measure_region(posed), "0.035 s"),
        }
        for name, (work, target) in rows.items():
            ((wall, cpu),) = timed(work)
            print(f"{name:38}{wall:9.3f}{cpu:9.3f}{'':>9}   {target}")
        wall, cpu, peak = cold(["--help"])
        print(f"{'sudeck --help, cold':38}{wall:9.3f}{cpu:9.3f}{peak:9.0f}   0.3 s")
        wall, cpu, peak = cold(["scan", str(folder), "--affected", "right"])
        print(f"{'sudeck scan, cold':38}{wall:9.3f}{cpu:9.3f}{peak:9.0f}   3 s, 300 MB")
        wall, cpu, peak = cold(["scan", str(folder), "--affected", "right", "--out", str(folder / "out")])
        print(f"{'sudeck scan --out, cold':38}{wall:9.3f}{cpu:9.3f}{peak:9.0f}   3 s, 300 MB")


if __name__ == "__main__":
    main()
