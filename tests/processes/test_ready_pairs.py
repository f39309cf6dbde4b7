"""The library of ready pairs: each makes a site that can be used, and the published examples come out of them."""

import json
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest
from library_sites import contracts_of, written

from gateway.model.order import Side
from gateway.model.quote import BookState, Quote
from gateway.processes.cli import main
from gateway.processes.settings import Site, SiteError, load_site
from gateway.processes.site_library import library
from gateway.trigger.price import PairFormula

PAIRS = list(library()["pair"])
WANTED = [
    "cu-lme", "al-lme", "zn-lme", "ni-lme", "cu-hg", "au-gc", "ag-si", "sc-cl", "sc-brent", "m-zm", "y-zl", "b-zs",
    "if-es", "if-a50", "i-fe", "cf-ct", "sr-sb", "nr-tf", "etf-if", "etf-basket-if", "share-if", "cu-lme-fx",
]  # fmt: skip


def test_the_library_has_every_pair_that_is_promised() -> None:
    """No more, no fewer."""
    assert sorted(PAIRS) == sorted(WANTED)


@pytest.mark.parametrize("use", PAIRS)
def test_a_site_with_a_ready_pair_passes_the_check(
    tmp_path: Path, use: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """It names its instruments and what only it can know; `cmc check` finds no mistake and says what is left over."""
    assert main(["check", str(written(tmp_path, use)), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["ok"] is True
    assert any("left over of each other leg" in one for one in said["notes"])


@pytest.mark.parametrize("use", PAIRS)
def test_no_leg_of_a_ready_pair_hedges_more_than_there_is(tmp_path: Path, use: str) -> None:
    """What is booked as left over is never negative."""
    spec = load_site(written(tmp_path, use), {}).pairs["READY"]
    assert spec.residual_lots_e9 >= 0
    assert all(leg.ratio_lots >= 1 for leg in spec.legs)


LOTS = """
pair       | lots
cu-lme     | 5 1
ni-lme     | 6 1
cu-hg      | 25 11
au-gc      | 28 9
sc-cl      | 1 1
m-zm       | 91 10
y-zl       | 11 4
cu-lme-fx  | 40 8 19
"""


@pytest.mark.parametrize("row", LOTS.strip().splitlines()[1:])
def test_lots_of_ready_pairs_are_the_known_ones(tmp_path: Path, row: str) -> None:
    """By quantity, the published ratios that do not hedge too much."""
    use, lots = (cell.strip() for cell in row.split("|"))
    spec = load_site(written(tmp_path, use), {}).pairs["READY"]
    assert [leg.ratio_lots for leg in spec.legs] == [int(one) for one in lots.split()]


def test_by_price_a_vat_inclusive_leg_takes_13_percent_more_tonnes(tmp_path: Path) -> None:
    """31 lots of copper with VAT against 7 at LME: 155 t against 175 t."""
    spec = load_site(written(tmp_path, "cu-lme", {"align": "price"}), {}).pairs["READY"]
    assert [leg.ratio_lots for leg in spec.legs] == [31, 7]
    assert spec.residual_lots_e9 == int((31 - Fraction(7 * 25 * 100, 5 * 113)) * 10**9)


def parameters(**values: str) -> str:
    """Rows of a site's own."""
    rows = [
        f'[[pair.parameter]]\nname = "{name}"\nrow = [{{ value = "{value}", source = "the example" }}]'
        for name, value in values.items()
    ]
    return "\n".join(rows)


def price(site: Site, **prices: str) -> Fraction:
    """The pair's price with every name at one price, in its quoted unit."""
    spec = site.pairs["READY"]
    assert spec.expression is not None
    named = {leg.name: leg.instrument_id for leg in spec.legs}
    named |= {one.name: one.instrument_id for one in spec.expression.references}
    quotes = {}
    for name, instrument in named.items():
        ticks = Fraction(prices[name]) / Fraction(site.instruments[instrument].tick)
        assert ticks.denominator == 1
        side = ((int(ticks), 10_000),)
        quotes[instrument] = Quote(instrument, BookState.OK, side, side, 0, 0, 0, 0)
    formula = PairFormula(spec, site.instruments)
    walks = formula.walks(Side.BUY, 1, quotes)
    assert walks is not None
    found = [formula.executable_e9(side, walks, quotes) for side in (Side.BUY, Side.SELL)]
    assert found[0] is not None
    assert found[1] in (found[0], found[0] - 1), "one price, rounded against us"
    return Fraction(found[0], 10**9)


def test_published_example_of_copper(tmp_path: Path) -> None:
    """(7000 - 25 + 130) x 6.85 x 1.17 + 300 = 57 243, by its source printed as 57 240."""
    extra = parameters(vat="0.17", prompt="-25", premium="130")
    site = load_site(written(tmp_path, "cu-lme", {"charges": "300"}, extra), {})
    assert price(site, cu="57240", ca="7000", usdcnh="6.85") == Fraction("57240") - Fraction("57243.0225")


def test_published_example_of_nickel(tmp_path: Path) -> None:
    """(11995 - 60 + 250) x 6.54 = 79 689.90, x 1.01 x 1.17 + 178 = 94 347.5."""
    extra = parameters(vat="0.17", duty="0.01", prompt="-60", premium="250")
    site = load_site(written(tmp_path, "ni-lme", {"charges": "178"}, extra), {})
    assert price(site, ni="94350", lni="11995", usdcnh="6.54") == Fraction("94350") - Fraction("94347.55483")
    bare = parameters(vat="0", duty="0", prompt="-60", premium="250")
    site = load_site(written(tmp_path, "ni-lme", {}, bare), {})
    assert price(site, ni="79690", lni="11995", usdcnh="6.54") == Fraction("0.10")


@pytest.mark.parametrize("grams", ["31.1034768", "31.10"])
def test_gold_is_divided_by_the_ounce_that_the_pair_says(tmp_path: Path, grams: str) -> None:
    """GC x FX / 31.1034768, or / 31.10 as the contract that is linked to COMEX has it; no VAT."""
    site = load_site(written(tmp_path, "au-gc", {}, parameters(gram_per_ounce=grams)), {})
    exact = (Fraction("900") - Fraction("4000.1") * Fraction("7.1") / Fraction(grams)) * 10**9
    assert price(site, au="900", gc="4000.1", usdcnh="7.1") == Fraction(-(-exact // 1), 10**9)


def test_a_site_overrides_any_key(tmp_path: Path) -> None:
    """Keys of the pair, of a leg by its name, rows of a parameter by its name; what is not said stays."""
    extra = (
        '[[pair.parameter]]\nname = "vat"\nrow = [{ value = "0.16", until_day = "2099-12-31", source = "x" }]\n'
        '[[pair.leg]]\nname = "ca"\npay_up_ticks = 9\nratio_lots = 2\n[[pair.leg]]\nname = "cu"\nratio_lots = 10\n'
    )
    changed = {"formula": "cu - (ca + prompt + premium) * usdcnh * (1 + duty) * (1 + vat) - charges - charges"}
    spec = load_site(written(tmp_path, "cu-lme", changed, extra), {}).pairs["READY"]
    assert [(leg.ratio_lots, leg.pay_up_ticks) for leg in spec.legs] == [(10, 8), (2, 9)]
    assert spec.expression is not None
    assert spec.expression.text.endswith("- charges - charges")
    (vat,) = [one for one in spec.expression.parameters if one.name == "vat"]
    assert [(row.value, row.until_day) for row in vat.rows] == [(Decimal("0.16"), "20991231")]


MISTAKES = """
change                                             | key                      | value   | remedy
use = "cu-lme" -> use = "cu-lmee"                  | pair[0].use              | cu-lmee | did you mean cu-lme?
"ca": "LME.CA.ca" -> "ac": "LME.CA.ca"             | pair[0].instruments.ca   | missing | the instrument of each of cu, ca, usdcnh
"ca": "LME.CA.ca" -> "ac": "LME.CA.ca"             | pair[0].instruments.ac   | LME.CA.ca | one of cu, ca, usdcnh
name = "premium" -> name = "prmium"                | pair[0].parameter[4].name | prmium | a name that the formula has
name = "premium" -> name = "prmium"                | pair[0].parameter[1].row | missing | a value of premium in USD/t
"""


@pytest.mark.parametrize("row", MISTAKES.strip().splitlines()[1:])
def test_mistakes_around_a_ready_pair_are_told(tmp_path: Path, row: str) -> None:
    """An unknown pair, a name without an instrument, one too many, and a parameter that the site has to give."""
    change, key, value, remedy = (cell.strip() for cell in row.split("|"))
    before, after = (
        one.replace('": ', '" = ').replace('"ca" =', "ca =").replace('"ac" =', "ac =") for one in change.split(" -> ")
    )
    file = written(tmp_path, "cu-lme")
    text = file.read_text(encoding="utf-8")
    assert before in text
    file.write_text(text.replace(before, after, 1), encoding="utf-8")
    with pytest.raises(SiteError) as caught:
        load_site(file, {})
    told = {one.key: one for one in caught.value.mistakes}
    assert told[key].value == value, str(caught.value)
    assert remedy in told[key].remedy


def test_what_nobody_has_confirmed_stays_marked_and_is_said(tmp_path: Path) -> None:
    """Every row of general knowledge is unconfirmed in the data, and the check names it until the site has its own."""
    for pair in library()["pair"].values():
        for one in pair.get("parameter", []):
            assert all(row["source"] for row in one.get("row", []))
            assert all(row["confirmed"] is False for row in one.get("row", []) if row["mark"] not in ("S", "D"))
    for one in library()["contract"].values():
        assert one["confirmed"] is (one["mark"] in ("S", "D"))
    notes = load_site(written(tmp_path, "ni-lme"), {}).notes
    assert "pair READY: parameter vat = 0.13 is not confirmed (general knowledge, 2026-11)" in notes
    assert "pair READY: the contract of LME.NI.lni as LME.NI is not confirmed; check it" in notes
    notes = load_site(written(tmp_path, "ni-lme", {}, parameters(vat="0.13")), {}).notes
    assert not [one for one in notes if "vat" in one]


def test_a_contract_that_differs_from_the_library_is_said(tmp_path: Path) -> None:
    """MES for ES is the site's own choice, and a typing mistake looks the same: both figures are shown."""
    file = written(tmp_path, "cu-lme")
    text = file.read_text(encoding="utf-8").replace('lot_units = "25"', 'lot_units = "5"')
    file.write_text(text, encoding="utf-8")
    assert "pair READY: LME.CA.ca has lot_units 5, the ready pair's LME.CA has 25" in load_site(file, {}).notes
    assert contracts_of(library()["pair"]["cu-lme"])["ca"] == "LME.CA.ca"


SHAPES = """
instruments = []
references = "x"
parameter = "x"
parameter = [{}]
parameter = [{ name = {} }]
leg = {}
leg = [{ name = 5 }]
use = 5
use = ["cu-lme"]
"""


@pytest.mark.parametrize("line", SHAPES.strip().splitlines())
def test_a_key_of_the_wrong_shape_beside_a_ready_pair_is_a_mistake(tmp_path: Path, line: str) -> None:
    """What the library is laid under may be anything: it is told as a mistake, nothing else is raised."""
    file = written(tmp_path, "au-gc")
    text = file.read_text(encoding="utf-8")
    key = line.partition(" ")[0]
    start = text.index("[[pair]]")
    kept = [one for one in text[start:].splitlines() if not one.startswith(f"{key} =")]
    file.write_text(text[:start] + "\n".join([kept[0], line, *kept[1:]]), encoding="utf-8")
    with pytest.raises(SiteError) as caught:
        load_site(file, {})
    assert any(one.key.startswith("pair[0]") for one in caught.value.mistakes), str(caught.value)
