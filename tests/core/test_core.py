import json
import math
import os
import pickle
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sudeck.core.errors import InputError, MissingDependencyError
from sudeck.core.estimate import Estimate
from sudeck.core.missing import is_missing
from sudeck.core.privacy import MASK, Redactor, without_dates
from sudeck.core.provenance import fingerprint_of
from sudeck.core.storage import (
    parse_json,
    parse_toml,
    sidecar_of,
    table_text,
    to_json,
    write_json,
    write_text,
    write_tsv,
)


@pytest.mark.parametrize(
    "cell", ["", " ", "n/a", "N/A", "NA", "NaN", "None", "null", "-", ".", "<NA>", "NaT"]
)
def test_cells_that_hold_nothing(cell: str) -> None:
    assert is_missing(cell)
    assert is_missing(f" {cell}\t")


@pytest.mark.parametrize("cell", ["0", "-1", "no", "none of these", "n", "sub-001"])
def test_cells_that_hold_something(cell: str) -> None:
    assert not is_missing(cell)


@given(st.floats(-3, 3), st.floats(0.001, 1))
def test_a_log_estimate_is_symmetric_on_its_scale(log_value: float, se: float) -> None:
    found = Estimate.from_log("BPr", log_value, se)
    assert found.low * found.high == pytest.approx(found.value**2)
    assert found.probability_above(found.value) == pytest.approx(0.5)
    assert found.probability_above(found.low) == pytest.approx(0.975, abs=1e-6)


def test_an_estimate_refuses_bounds_that_do_not_hold_it() -> None:
    with pytest.raises(ValueError, match="does not hold"):
        Estimate("x", 1.0, 1.1, 2.0)
    with pytest.raises(ValueError, match="does not hold"):
        Estimate("x", math.nan, 0.0, 2.0)


def test_an_infinite_bound_becomes_null() -> None:
    assert json.loads(to_json(Estimate("x", 1.0, 0.5, math.inf).to_dict()))["high"] is None


def test_errors_survive_pickling() -> None:
    for error in (
        InputError("a.dcm", "it is empty", "export it again"),
        MissingDependencyError("Decoding", "x"),
    ):
        again = pickle.loads(pickle.dumps(error))
        assert str(again) == str(error)
        assert type(again) is type(error)


@given(st.sampled_from(["Dupont^Jeanne", "DUPONT JEANNE", "dupont,jeanne"]))
def test_names_are_masked_however_they_are_written(name: str) -> None:
    redactor = Redactor.from_values([name, "", None, "anonymous"])
    assert redactor.clean("scan of Jeanne DUPONT, anonymous") == f"scan of {MASK} {MASK}, anonymous"
    assert redactor.label("/data/dupont/dupont_1.dcm") == f"{MASK}_1.dcm"


@pytest.mark.parametrize(
    "written",
    [
        "19610203",
        "1961-02-03",
        "1961_2_3",
        "03.02.1961",
        "3-2-1961",
        "3/2/61",
        "02/03/1961",
        "610203",
        "030261",
        "3 Feb 1961",
        "03FEV1961",
        "February 3, 1961",
        "1961_02_03",
        "03021961",
        "02031961",
        "3-février-1961",
    ],
)
@pytest.mark.parametrize(
    "stated",
    [
        "19610203",
        "1961.02.03",
        "1961-02-03",
        "03-FEB-1961",
        "3 février 1961",
        "03021961",
        "02031961",
        "3/2/61",
    ],
)
def test_a_birth_date_is_masked_however_it_is_written(stated: str, written: str) -> None:
    redactor = Redactor.from_values([stated])
    assert redactor.clean(f"foot_{written}_pool.dcm") == f"foot_{MASK}_pool.dcm"
    for other in ("1961020", "13-2-19614", "19620203", "4-2-1971", "2024-02-03", "IM0003 2 61"):
        assert MASK not in Redactor(frozenset({"19610203"})).clean(f"foot_{other}.dcm")


@pytest.mark.parametrize(
    ("name", "text", "cleaned"),
    [
        ("MÜLLER^JOSÉ", "Muller_Jose.dcm", f"{MASK}_{MASK}.dcm"),
        ("MÜLLER^JOSÉ", "mueller-JOSE\u0301.dcm", f"{MASK}-{MASK}.dcm"),
        ("MULLER^JOSE", "Müller José", f"{MASK} {MASK}"),
        ("Groß^Zoë", "GROSS zoe groß", f"{MASK} {MASK} {MASK}"),
        ("ØSTERGÅRD^KÅRE", "Ostergard oestergaard Kare", f"{MASK} {MASK} {MASK}"),
    ],
)
def test_names_are_masked_with_and_without_accents(name: str, text: str, cleaned: str) -> None:
    assert Redactor.from_values([name]).clean(text) == cleaned


def test_short_names_are_masked_side_by_side_and_as_words_of_a_file_name() -> None:
    redactor = Redactor.from_values(["LI^BO"])
    for written in ("Li_Bo", "libo", "BO LI", "li-bo", "Li^Bo"):
        assert redactor.clean(f"scan {written} 1.dcm") == f"scan {MASK} 1.dcm"
    ordinary = "linear bone limb bolivia oblibot li"
    assert redactor.clean(ordinary) == ordinary
    assert redactor.label("x/Li_flow.dcm") == f"{MASK}_flow.dcm"
    assert redactor.label("x/limb_bone.dcm") == "limb_bone.dcm"
    spanish = Redactor.from_values(["DE LA CRUZ^ANA"])
    assert spanish.clean("plante de la main") == "plante de la main"


@pytest.mark.parametrize(
    "written",
    ["12th April 1961", "April 12th, 1961", "12/IV/1961", "12 de abril de 1961", "77 88-990", "Du\u00adpont"],
)
def test_a_birth_date_a_number_and_a_name_are_known_in_other_dress(written: str) -> None:
    redactor = Redactor.from_values(["DUPONT^JEANNE", "MRN-7788990", "19610412"])
    assert redactor.clean(f"FDI {written} left") == f"FDI {MASK} left"


def test_any_date_can_be_taken_out() -> None:
    for written in (
        "12-APR-1961",
        "12th April 1961",
        "April 12th, 1961",
        "12 de abril de 1961",
        "04121961",
        "1961_04_12",
        "12.4.61",
        "April 12, 1961",
        "12 04 61",
        "12avril61",
    ):
        assert without_dates(f"RFDI {written} left", "*") == "RFDI * left", written
    for other in ("SICI 3 ms 10 15", "80 % 2.5 ms", "S 1 2 100", "120000_static_3fa2b1", "run 32.13.61"):
        assert without_dates(other, "*") == other


@given(st.text(max_size=20), st.text(max_size=12))
def test_masking_never_fails_and_is_stable(text: str, name: str) -> None:
    redactor = Redactor.from_values([name, "19610203"])
    once = redactor.clean(f"{text}|{name}")
    assert isinstance(once, str)
    means_somebody = Redactor.from_values([name]).tokens  # "test" and "phantom" do not
    if means_somebody and len(name.strip()) >= 3 and name.strip().isascii() and name.strip().isalpha():
        assert name.strip().lower() not in once.lower().replace(MASK, "")


def test_a_failed_write_leaves_the_old_content(tmp_path) -> None:
    path = tmp_path / "a.json"
    write_text(path, "old")
    with pytest.raises(TypeError):
        write_json(path, {"x": object()})
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["a.json"]


def test_a_table_has_its_sidecar_and_no_stray_tabs(tmp_path) -> None:
    path = tmp_path / "scan.tsv"
    write_tsv(path, [{"a": "x\ty\n", "b": None}, {"a": 1.5}], columns={"a": "First", "b": "Second"})
    assert path.read_text() == "a\tb\nx y\tn/a\n1.5\tn/a\n"
    assert json.loads(sidecar_of(path).read_text())["b"]["Description"] == "Second"


@pytest.mark.parametrize(
    "text",
    [
        "[" * 200_000,
        "[" * 200 + "]" * 200,
        '{"a": ' * 90_000,
        "1" * 5000,
        "[1" + "0" * 400 + "]",
        "{",
        "\ud800",
        "nul",
    ],
)
def test_damaged_json_is_one_sentence(text: str) -> None:
    with pytest.raises(InputError, match=r"x\.json: it is not readable JSON"):
        parse_json(text, subject="x.json")


@pytest.mark.parametrize(
    "text",
    [
        "a = " + "[" * 200_000,
        "a = " + "9" * 5000,
        "a = " + "9" * 400,
        "a = 1979-99-99",
        "a",
        "[a]\n[a]",
        "a = '\xff'",
    ],
)
def test_damaged_toml_is_one_sentence(text: str) -> None:
    with pytest.raises(InputError, match=r"x\.toml: it is not valid TOML"):
        parse_toml(text.encode("latin-1"), subject="x.toml")


def test_a_deflated_stream_is_counted_before_it_is_unpacked(monkeypatch) -> None:
    import zlib

    from sudeck.core.limits import check_deflated

    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    data = packer.compress(bytes(40_000_000)) + packer.flush()
    check_deflated("a.dcm", data, copies=3)
    monkeypatch.setenv("SUDECK_MEMORY_GB", "0.1")
    with pytest.raises(InputError, match=r"a\.dcm: 0\.0\d+ MB on disk would take 0\.11 GB"):
        check_deflated("a.dcm", data, copies=3)
    with pytest.raises(InputError, match="is damaged"):
        check_deflated("a.dcm", b"\xff" * 100, copies=3)


def test_a_number_without_error_exceeds_a_limit_or_not() -> None:
    exact = Estimate("x", 1.2, 1.2, 1.2, se=0.0)
    assert (exact.probability_above(1.0), exact.probability_above(1.5)) == (1.0, 0.0)


@pytest.mark.skipif(os.name != "posix", reason="modes of files are those of POSIX")
def test_what_is_written_is_open_to_those_whom_the_user_lets_in(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        write_text(tmp_path / "mine.txt", "x")
        os.umask(0o022)
        write_text(tmp_path / "ours.txt", "x")
    finally:
        os.umask(before)
    modes = [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("mine.txt", "ours.txt")]
    assert modes == [0o600, 0o644]


@pytest.mark.parametrize(
    "text", ["-1 +cmd|' /C calc'!A0", "-2 +SUM(A1)", "+1 ;=2", '-2 HYPERLINK("x")', "=1", "＝1", "@x", "- a"]
)
def test_a_cell_that_starts_a_formula_is_quoted(text: str) -> None:
    assert table_text(text) == f"'{text}"


@pytest.mark.parametrize("text", ["-3.5", "-0.3 (-0.5 to 0.1)", "-3 %", "+49 170 1234567", "-5 m/s", "-1,5"])
def test_a_number_with_a_sign_stays_one(text: str) -> None:
    assert table_text(text) == text


def test_a_refusal_is_one_line_whatever_a_file_holds() -> None:
    sentence = str(InputError("a.csv", "no column\n\n\r\nis x\x1b[2J\u202e", "name\tit"))
    assert sentence == "a.csv: no column is x[2J; name it."


def test_a_fingerprint_is_that_of_the_studies_kept_today() -> None:
    values = {"version": "é", "settings": {"seed": None, "level": 0.95}, "measures": "a,b\n1,2\n"}
    # sha256sum of {"measures": "a,b\n1,2\n", "settings": {"level": 0.95, "seed": null}, "version": "\u00e9"}
    assert fingerprint_of(values) == "7bc83188bcb8f19799c3e569d60a273a23aa5b2a0a0ba88cdd119bfdf18ac7d2"
