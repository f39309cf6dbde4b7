"""Formulas in the site file: every mistake with its key and column, what the check says of a day, what comes out."""

import json
from decimal import Decimal
from pathlib import Path

import pytest

from gateway.journal.told import said, verdict_told
from gateway.model.site import FormulaKind, ParameterRow
from gateway.processes import clock
from gateway.processes.cli import main
from gateway.processes.settings import Site, SiteError, load_site
from gateway.processes.site_formula_days import beijing_day, day_mistakes, day_notes
from gateway.trigger.formula import NO_DAY, NO_VALUE, TURNED, ZERO

DEMO = Path(__file__).parents[2] / "sites" / "demo.toml"
FORMULA = "cu - (ca + premium) * usdcnh * (1 + duty) * (1 + vat) - charges"
PARAMETERS = """
[[pair.parameter]]
name = "premium"
unit = "USD/t"
row = [{ value = "130", source = "the house" }]
[[pair.parameter]]
name = "duty"
row = [{ value = "0.00", source = "customs" }]
[[pair.parameter]]
name = "vat"
row = [
    { value = "0.13", from_day = "2019-04-01", until_day = "2026-12-31", source = "tax" },
    { value = "0.12", from_day = "2027-01-01", source = "tax" },
]
"""


def text(formula: str = FORMULA, parameters: str = PARAMETERS) -> str:
    """The demo's site with its pair as a formula."""
    made = DEMO.read_text(encoding="utf-8")
    made = made.replace('formula = "spread"', f'formula = "{formula}"\nreferences = {{ usdcnh = "LME.USDCNH" }}')
    made = made.replace('instrument = "SHFE.cu2609"\nratio', 'instrument = "SHFE.cu2609"\nname = "cu"\nratio')
    made = made.replace('instrument = "LME.CA3M"\nratio', 'instrument = "LME.CA3M"\nname = "ca"\nratio')
    made = made.replace('factors = { vat = "1.13", duty = "1.00" }\nfx = "LME.USDCNH"\n', "")
    return made.replace("[[rule]]", parameters + "\n[[rule]]")


def site(folder: Path, given: str) -> Site:
    file = folder / "site.toml"
    file.write_text(given, encoding="utf-8")
    return load_site(file, {})


def test_a_formula_becomes_the_pair_s_price(tmp_path: Path) -> None:
    """Legs with their names and directions, the currency found for the leg that needs one, parameters by their days."""
    spec = site(tmp_path, text()).pairs["CU-CA"]
    assert [(leg.name, leg.direction, leg.fx_instrument_id) for leg in spec.legs] == [
        ("cu", 1, ""),
        ("ca", -1, "LME.USDCNH"),
    ]
    assert spec.formula is FormulaKind.SPREAD
    assert spec.expression is not None
    assert [one.name for one in spec.expression.references] == ["usdcnh"]
    assert {one.name: one.rows for one in spec.expression.parameters} == {
        "premium": (ParameterRow(Decimal(130)),),
        "duty": (ParameterRow(Decimal("0.00")),),
        "vat": (
            ParameterRow(Decimal("0.13"), "20190401", "20261231"),
            ParameterRow(Decimal("0.12"), "20270101", ""),
        ),
        "charges": (ParameterRow(Decimal(0)),),
    }


FORMULAS = """
formula                                     | column | remedy
cu - ca * usdcnh * (1 + vat                 | 28     | ) instead of the end
cu - ca * usdcnh ^ 2                        | 18     | no ^
cu - ca * usdcnh.bid                        | 17     | no .
cu - open(ca)                               | 6      | no function open; there are min, max, abs, round
cu - max(ca * usdcnh)                       | 6      | max of 2-9 arguments, not 1
cu - - ca * * usdcnh                        | 13     | a number, a name or ( instead of *
cu - ca * usdcnh * (1 + gst)                | 25     | gst is no leg's name, no reference, no parameter
cu - ca                                     | 4      | one unit on both sides, not CNY/t and USD/t; multiply the second: * usdcnh
cu - ca / usdcnh                            | 4      | not CNY/t and USD*USD/CNY/t
cu - ca * usdcnh - 100                      | 18     | not CNY/t and 1; multiply the second: * a parameter in CNY/t
cu - ca * usdcnh * lb_per_t                 | 4      | * t_per_lb
max(cu, ca) - ca                            | 9      | one unit on both sides, not CNY/t and USD/t
cu * cu - ca * ca * usdcnh * usdcnh         | 1      | a price in CNY/t (currency and unit of the pair) or a plain number, not CNY*CNY/t/t
premium * usdcnh                            | 1      | the name of a leg at least
cu - premium * usdcnh                       | 1      | leg ca in it, or not among the legs
cu - (ca - ca + premium) * usdcnh           | 7      | a formula whose price changes with leg ca: it cancels out
cu * ca / ca - premium * usdcnh             | 6      | a formula whose price changes with leg ca: it cancels out
abs(cu - ca * usdcnh)                       | 5      | side = "buy" or "sell" at leg cu
cu - round(ca * usdcnh, cu)                 | 25     | a step above 0
cu - ca * usdcnh / (vat - vat)              | 25     | no division by 0
"""


def rows(table: str) -> list[tuple[str, ...]]:
    return [tuple(cell.strip() for cell in line.split("|")) for line in table.strip().splitlines()[1:]]


@pytest.mark.parametrize(("formula", "column", "remedy"), rows(FORMULAS))
def test_a_mistake_in_a_formula_is_told_with_its_column(tmp_path: Path, formula: str, column: str, remedy: str) -> None:
    """The key, the formula as it stands, the column, and what would be right, in both languages."""
    with pytest.raises(SiteError) as caught:
        site(tmp_path, text(formula))
    (one,) = [one for one in caught.value.mistakes if one.key == "pair[0].formula"]
    assert one.value == formula
    assert one.remedy.startswith(f"column {column}: ")
    assert said(one.remedy, "zh").startswith(f"第 {column} 列")
    assert remedy in one.remedy


KEYS = """
change                                               | key                        | value   | remedy
name = "cu"\\n -> # none\\n                          | pair[0].leg[0].name        | missing | how the formula calls it
name = "cu" -> name = "ca"                           | pair[0].leg[1].name        | ca      | pair[0].leg[0].name has it
name = "cu" -> name = "lb_per_t"                     | pair[0].leg[0].name        | lb_per_t | a constant between two units
usdcnh = "LME.USDCNH" -> usdcnh = "LME.USDCNY"       | pair[0].references.usdcnh  | LME.USDCNY | did you mean LME.USDCNH?
usdcnh = "LME.USDCNH" -> usdcnh = "LME.CA3M"         | pair[0].references.usdcnh  | LME.CA3M | no leg of this pair
usdcnh = "LME.USDCNH" -> usdcnh = "LME.USDCNH", x = "LME.USDCNH" | pair[0].references.x | LME.USDCNH | a name that the formula has
charges = "0" -> charges = "5"                       | pair[0].charges            | 5       | the name charges in the formula
unit = "USD/t" -> unit = "USD/ton"                   | pair[0].parameter[0].unit  | USD/ton | ton is no unit
row = [{ value = "130", source = "the house" }] -> # | pair[0].parameter[0].row   | missing | a value of premium in USD/t
until_day = "2026-12-31" -> until_day = "2027-03-31" | pair[0].parameter[2].row   | 2027-03-31 | a last day before 2027-01-01
until_day = "2026-12-31" -> until_day = "2019-03-31" | pair[0].parameter[2].row   | 2019-03-31 | not before from_day, 2019-04-01
kind = "spread" -> kind = "ratio"                    | rule[0].kind               | ratio   | spread
name = "cu" -> name = "cu"\\nside = "sell"           | pair[0].formula            | ...     | leg cu with the side that the formula gives it, buy
name = "ca" -> name = "ca"\\nfactors = { vat = "1.13" } | pair[0].leg[1].factors   | vat     | absent
currency = "USD" -> currency = "EUR"                 | pair[0].formula            | ...     | not EUR/t and USD/t; multiply the second: * a reference in EUR/USD
currency = "USD" -> currency = "EUR"                 | pair[0].leg[1].fx          | missing | fx or fx_rate, since LME.CA3M is in EUR
ratio_lots = 5 -> ratio_lots = "auto"                | pair[0].align              | missing | one of quantity, price, value
ratio_lots = 5 -> ratio_lots = 0                     | pair[0].leg[0].ratio_lots  | 0       | at least 1
max_units = 5 -> max_units = 5\\nalign = "value"     | none                       |         |
"""


@pytest.mark.parametrize(("change", "key", "value", "remedy"), rows(KEYS))
def test_a_mistake_around_a_formula_is_told_with_key_and_remedy(
    tmp_path: Path, change: str, key: str, value: str, remedy: str
) -> None:
    """Names, references, parameters and their days, lots."""
    before, after = (part.replace("\\n", "\n") for part in change.split(" -> "))
    formula = FORMULA.removesuffix(" - charges") if key == "pair[0].charges" else FORMULA
    given = text(formula)
    start = given.index("[[pair]]") if "unit" in before or "ratio" in before else 0
    assert before in given[start:]
    given = given[:start] + given[start:].replace(before, after, 1)
    if key == "none":
        site(tmp_path, given)
        return
    with pytest.raises(SiteError) as caught:
        site(tmp_path, given)
    told = [one for one in caught.value.mistakes if one.key == key]
    assert told, str(caught.value)
    assert value in ("...", told[0].value)
    assert remedy in told[0].remedy


def test_a_parameter_without_a_value_today_is_told_by_the_check_and_not_by_the_reading(tmp_path: Path) -> None:
    """Column and days are named; the file itself stays readable, for old runs."""
    made = site(tmp_path, text())
    pairs = list(made.pairs.values())
    assert day_mistakes(pairs, "20261231") == []
    assert day_mistakes(pairs, "20270101") == []
    (one,) = day_mistakes(pairs, "20190331")
    assert (one.key, one.value) == ("pair[0].formula", FORMULA)
    assert one.remedy == (
        "column 50: a value of parameter vat for 2019-03-31; it has 2019-04-01 to 2026-12-31, 2027-01-01 to ..."
    )


def test_a_parameter_that_ends_today_is_said_by_the_check(tmp_path: Path) -> None:
    """Today it still holds; with no value after it, tomorrow there is no price."""
    ending = PARAMETERS.replace('    { value = "0.12", from_day = "2027-01-01", source = "tax" },\n', "")
    pairs = list(site(tmp_path, text(parameters=ending)).pairs.values())
    assert day_notes(pairs, "20261230") == []
    (note,) = day_notes(pairs, "20261231")
    assert (
        note == "pair CU-CA: parameter vat ends today, 2026-12-31; without another value the pair has no price tomorrow"
    )
    assert day_notes(list(site(tmp_path, text()).pairs.values()), "20261231") == []


def test_cmc_check_fails_on_a_parameter_that_is_out_of_date(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 1, file, key and column; the file's language is kept."""
    over = PARAMETERS.replace("2026-12-31", "2020-12-31").replace("2027-01-01", "2099-01-01")
    file = tmp_path / "site.toml"
    file.write_text(text(parameters=over), encoding="utf-8")
    assert main(["check", str(file), "--json"]) == 1
    (told,) = json.loads(capsys.readouterr().out)["mistakes"]
    assert told["key"] == "pair[0].formula"
    assert told["remedy"].startswith("column 50: a value of parameter vat for ")


def test_the_day_is_that_of_china() -> None:
    """16:00 UTC is midnight in Beijing."""
    assert beijing_day(1_798_732_799 * 10**9) == "20261231"
    assert beijing_day(1_798_732_800 * 10**9) == "20270101"
    assert len(beijing_day(clock.utc_ns())) == 8


def test_a_side_is_needed_only_where_it_depends_on_prices(tmp_path: Path) -> None:
    """With it, a formula that goes either way is taken as the pair says."""
    given = text("abs(cu - ca * usdcnh)", "")
    given = given.replace('name = "cu"', 'name = "cu"\nside = "buy"').replace(
        'name = "ca"', 'name = "ca"\nside = "sell"'
    )
    spec = site(tmp_path, given).pairs["CU-CA"]
    assert [leg.direction for leg in spec.legs] == [1, -1]


def test_lots_to_be_found_do_not_hide_a_mistake_in_the_formula(tmp_path: Path) -> None:
    """Both are told: what is wrong with the formula, and that lots wait for it."""
    given = text("cu - ca").replace("ratio_lots = 5", 'ratio_lots = "auto"')
    given = given.replace("max_units = 5", 'max_units = 5\nalign = "quantity"')
    with pytest.raises(SiteError) as caught:
        site(tmp_path, given)
    told = {one.key: one.remedy for one in caught.value.mistakes}
    assert "one unit on both sides" in told["pair[0].formula"]
    assert told["pair[0].leg[0].ratio_lots"].startswith("a pair without other mistakes")


def test_what_is_left_over_has_the_sign_of_what_the_first_leg_does(tmp_path: Path) -> None:
    """Where buying the pair sells its first leg, lots too many are short: 5 against 1 leave 0.575 of them by price."""
    aligned = {}
    for name, formula in (("bought", "cu - ca * usdcnh * 1.13"), ("sold", "ca * usdcnh * 1.13 - cu")):
        given = (
            text(formula, "")
            .replace("ratio_lots = 5", 'ratio_lots = "auto"')
            .replace("ratio_lots = 1", 'ratio_lots = "auto"')
        )
        given = given.replace(
            'currency = "CNY"\nunit = "t"\ncharges',
            'currency = "CNY"\nunit = "t"\nalign = "price"\nmost_lots = 5\ncharges',
        )
        aligned[name] = site(tmp_path, given).pairs["CU-CA"]
    lots = [leg.ratio_lots for leg in aligned["bought"].legs]
    assert lots == [5, 1]
    left = int((5 - 1 / (Decimal(113) / 100 * 5 / 25)) * 10**9)
    assert aligned["bought"].residual_lots_e9 == left
    assert aligned["sold"].residual_lots_e9 == -left


@pytest.mark.parametrize("reason", [NO_VALUE, NO_DAY, ZERO, TURNED])
def test_a_reason_while_running_is_said_in_chinese_too(reason: str) -> None:
    """`cmc pairs` shows what keeps a formula from having a price."""
    told = verdict_told(f"parameter vat: {reason}")
    assert told == f"parameter vat: {reason}"
    assert said(told, "zh") != told
