"""Write the errors over stated errors that worlds drawn as tables carry, from runs of pixels and volts.

Each run takes 2 minutes of a processor. Of the worlds nothing-true, as-published and equal-limbs, with the
seeds 81 and 83:

    sudeck truth --tier files --world WORLD --studies 3 --seed SEED --json runs/WORLD-SEED.json
    python tools/write_residuals.py runs/*.json
"""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from pathlib import Path

OUT = Path(__file__).parents[1] / "src/sudeck/synthetic/study/residuals.json"


def main() -> None:
    """Join the residuals of the runs named on the command line."""
    together: dict[str, list[float]] = defaultdict(list)
    drawn = []
    for path in map(Path, sys.argv[1:]):
        run = json.loads(path.read_text(encoding="utf-8"))
        drawn.append({"worlds": list(run["worlds"]), "studies": run["studies"], "seed": run["seed"]})
        for name, values in run["residuals"].items():
            together[name] += [round(value, 2) for value in values]
    OUT.write_text(
        json.dumps({"tier": "files", "drawn": drawn, "residuals": together}) + "\n", encoding="utf-8"
    )
    print(f"{OUT.name}: {', '.join(f'{len(values)} of {name}' for name, values in together.items())}")


if __name__ == "__main__":
    main()
