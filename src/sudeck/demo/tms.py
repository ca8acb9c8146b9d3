"""The demo's magnetic stimulation: a virtual patient before and after treatment, both hemispheres."""

from __future__ import annotations

from pathlib import Path

from sudeck.core.storage import write_text
from sudeck.demo.part import SEED, DemoPart, DemoRow, Say, demo_row

_MEASURES = ("RMT", "SICI", "ICF", "LICI")


def stimulation(folder: Path, *, say: Say) -> DemoPart:
    """Simulate recordings of both hemispheres before and after treatment, measure and compare them."""
    from sudeck.report.tms.compare_page import PAGE, write_comparison
    from sudeck.report.tms.console import comparison_text
    from sudeck.report.tms.page import write_tms
    from sudeck.synthetic.emg.demo_recordings import make_demo_recordings
    from sudeck.tms.comparison import compare_results
    from sudeck.tms.measurement import measure_recordings

    say("Simulating magnetic stimulation before and after treatment and measuring it")
    made = make_demo_recordings(folder / "recordings", SEED)
    results = {
        "pre": measure_recordings(list(made.pre)),
        "post": measure_recordings(list(made.post)),
    }
    rows: list[DemoRow] = []
    for visit, result in results.items():
        write_tms(result, folder / visit)
        for (when, hemisphere), truth in made.truth.items():
            if when != visit:
                continue
            for measure in _MEASURES:
                for found in result.find(measure, hemisphere=hemisphere):
                    name = f"{measure}, {hemisphere} hemisphere, {visit}"
                    rows.append(demo_row(name, found.estimate, truth.get(measure)))
    changed = compare_results(results["pre"], results["post"])
    write_comparison(changed, results["pre"], results["post"], folder)
    write_text(folder / "change.txt", comparison_text(changed))
    return DemoPart(
        title="Magnetic stimulation before and after treatment",
        text=(
            "A virtual patient whose left hemisphere lacks inhibition (SICI) before treatment and regains it "
            "after. Sweeps with hum, artefact and noise are written as EDF with BIDS tables and measured "
            "blind."
        ),
        command="sudeck tms tms/recordings/ses-pre/emg/*.edf --out tms/pre",
        link="tms/pre/report.html",
        rows=rows,
        more=(("What changed, as a table and figures", f"tms/{PAGE}"),),
    )
