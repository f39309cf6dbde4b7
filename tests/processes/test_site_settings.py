"""The site file: every mistake is told with key, value and remedy; overrides; the values that come out."""

import tomllib
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest

from gateway.model.order import TimeInForce
from gateway.model.site import DispatchMode
from gateway.processes import site_doc
from gateway.processes.settings import Site, SiteError, load_site

DEMO = Path(__file__).parents[2] / "sites" / "demo.toml"

MISTAKES = """
change                                                | key                             | value        | remedy
limits: max_orders_per_s = 50 -> max_order_per_s = 50 | limits.max_order_per_s          | 50           | did you mean max_orders_per_s?
venue[0]: dialect = "domestic44" -> dialect = "fix44" | venue[0].dialect                | fix44        | domestic44
venue[0]: port = 5001 -> port = 70000                 | venue[0].md.port                | 70000        | less than or equal to 65535
venue[0]: port = 5002 -> port = 5001                  | venue[0].orders.port            | 5001         | one session each
venue[0]: target_comp_id = "SHFE" -> target = "SHFE"  | venue[0].md.target_comp_id      | missing      | TargetCompID(56)
venue[0]: reconnect_max_s = 30 -> reconnect_max_s = 0.1 | venue[0].reconnect_max_s      | 0.1          | at least reconnect_min_s, 0.5
venue[1]: id = "LME" -> id = "SHFE"                   | venue[1].id                     | SHFE         | venue[0] has it already
tick: tick = "10" -> tick = "0"                       | instrument[0].tick              | "0"          | greater than 0
tick: tick = "0.50" -> tick = 0.50                    | instrument[1].tick              | 0.5          | in quotes
unit: unit = "t" -> unit = "tonne"                    | instrument[0].unit              | tonne        | one of g, kg, t
venue: venue = "SHFE" -> venue = "SHEF"               | instrument[0].venue             | SHEF         | did you mean SHFE?
id: id = "LME.CA3M" -> id = "CA3M"                    | instrument[1].id                | CA3M         | LME.CA3M
model: symbol = "CA3M" -> symbol = "CA3M"\\nposition_model = "open_close" | instrument[1].position_model | open_close | net: dialect overseas42
limit: collar_ticks = 200 -> # none                   | instrument[0].collar_ticks      | missing      | tradable = true
qty: max_qty = 200 -> max_qty = 200\\nmin_qty = 300   | instrument[1].min_qty           | 300          | at most max_qty, 200
pair: instrument = "LME.CA3M" -> instrument = "LME.CA" | pair[0].leg[1].instrument      | LME.CA       | did you mean LME.CA3M?
pair: instrument = "LME.CA3M" -> instrument = "LME.USDCNH" | pair[0].leg[1].instrument  | LME.USDCNH   | tradable = true
pair: instrument = "LME.CA3M" -> instrument = "SHFE.cu2609" | pair[0].leg[1].instrument | SHFE.cu2609  | no other leg
fx: fx = "LME.USDCNH" -> # none                       | pair[0].leg[1].fx               | missing      | fx or fx_rate
fx: fx = "LME.USDCNH" -> fx = "LME.USDCNH"\\nfx_rate = "7.1" | pair[0].leg[1].fx_rate    | 7.1          | not both
fx: fx = "LME.USDCNH" -> fx_rate = "7.1"              | pair[0].leg[1].fx_source        | missing      | where fx_rate is from
fx: fx = "LME.USDCNH" -> fx = "SHFE.cu2609"           | pair[0].leg[1].fx               | SHFE.cu2609 (unit t, currency CNY) | unit usd
unit: unit = "usd" -> unit = "bbl"                    | pair[0].leg[1].fx               | LME.USDCNH (unit bbl, currency CNH) | unit usd
unit: currency = "CNY"\\nunit = "t" -> currency = "CNY"\\nunit = "bbl" | pair[0].leg[0].instrument | SHFE.cu2609 | does not convert
tif: time_in_force = "IOC" -> time_in_force = "GTC"   | pair[0].leg[0].time_in_force    | GTC          | DAY, IOC, FOK
limit: legged_limit_ms = 3000 -> legged_limit_ms = 1000 | pair[0].legged_limit_ms       | 1000         | order_timeout_ms, 1500
limit: max_open_trades = 1 -> max_open_trades = 9     | pair[0].max_open_trades         | 9            | limits.max_open_trades, 8
limit: max_units = 5 -> max_units = 50                | pair[0].leg[0].ratio_lots       | 5            | max_position_lots 50
ratio: formula = "spread" -> formula = "ratio"        | rule[0].kind                    | spread       | ratio
loss: daily_loss = { CNY -> daily_loss = { USD        | limits.daily_loss               | USD          | a limit for CNY
rule: buy_at = "-150" -> buy_at = "150"               | rule[0].buy_at                  | 150          | below sell_at, 150
rule: buy_at = "-150" -> buy_at = "-0.1234567891"     | rule[0].buy_at                  | -0.1234567891 | 9 places
rule: pair = "CU-CA" -> pair = "CU-AC"                | rule[0].pair                    | CU-AC        | did you mean CU-CA?
rule: max_units = 3 -> max_units = 6                  | rule[0].max_units               | 6            | pair CU-CA, 5
rule: units = 1 -> units = 4                          | rule[0].units                   | 4            | at most max_units, 3
qty: max_qty = 500 -> max_qty = 4                     | pair[0].leg[0].ratio_lots       | 5            | max_qty 4
limit: throttle_window_s = 60 -> throttle_window_s = 60\\nmax_legged_trades = 9 | limits.max_legged_trades | 9 | max_open_trades, 8
limit: throttle_window_s = 60 -> throttle_window_s = 60\\norders_per_intent = 1 | limits.orders_per_intent | 1 | at least 2
limit: max_orders_per_s = 50 -> max_orders_per_s = 1  | limits.max_orders_per_s         | 1            | at least 2
limit: { CNY = "200000" } -> { CNY = "0.1234567891" } | limits.daily_loss.CNY           | 0.1234567891 | 9 places
venue: account = "A1" -> account = "A1"\\nmax_gross_lots = 60\\nmax_net_lots = 70 | venue[0].max_net_lots | 70 | max_gross_lots, 60
venue: account = "A1" -> account = "A1"\\nmax_gross_lots = 40 | venue[0].max_gross_lots | 40 | max_position_lots 50 of SHFE.cu2609
venue: account = "A1" -> account = "A1"\\nmargin_available = { USD = "1" } | venue[0].margin_available | USD | an entry for CNY
venue: account = "A1" -> account = "A1"\\nmargin_available = { CNY = "1" } | instrument[0].margin_per_lot | missing | SHFE has margin_available
qty: max_qty = 500 -> max_qty = 500\\nmargin_per_lot = "40000" | instrument[0].margin_per_lot | 40000 | margin_available of venue SHFE
lead: max_units = 5 -> max_units = 5\\ndispatch = "lead_then_hedge"\\nlead_leg = 3 | pair[0].lead_leg | 3 | from 1 to 2
lead: max_units = 5 -> max_units = 5\\nlead_leg = 1      | pair[0].lead_leg                | 1            | absent: dispatch simultaneous
align: max_units = 5 -> max_units = 5\\ndispatch = "both" | pair[0].dispatch              | "both"       | 'arrival_aligned'
quote: max_units = 5 -> max_units = 5\\nquote_interval_ms = 20000 | pair[0].quote_interval_ms | 20000     | quote_life_ms, 10000
band: ttl_ms = 250 -> ttl_ms = 250\\nquote_band = "5"     | rule[0].quote_band              | 5            | only the lead of a pair
orders: max_units = 5 -> max_units = 5\\nmax_orders_per_trade = 5 | pair[0].max_orders_per_trade | 5 | at least 6: 2 legs and 4 repair attempts
doubt: max_units = 5 -> max_units = 5\\nin_doubt_limit_ms = 1000 | pair[0].in_doubt_limit_ms | 1000 | status_timeout_ms of SHFE, 2000
doubt: max_units = 5 -> max_units = 5\\nin_doubt = "hedge_substitute" | pair[0].in_doubt | hedge_substitute | a substitute at one leg
money: max_units = 5 -> max_units = 5\\ncollar = "0.1234567891" | pair[0].collar | 0.1234567891 | 9 places
sub: instrument = "LME.CA3M" -> instrument = "LME.CA3M"\\nsubstitute = "LME.CA" | pair[0].leg[1].substitute | LME.CA | did you mean LME.CA3M?
sub: instrument = "LME.CA3M" -> instrument = "LME.CA3M"\\nsubstitute = "SHFE.cu2609" | pair[0].leg[1].substitute | SHFE.cu2609 | no leg of this pair
sub: instrument = "LME.CA3M" -> instrument = "LME.CA3M"\\nsubstitute = "LME.USDCNH" | pair[0].leg[1].substitute | LME.USDCNH | tradable = true
sub: instrument = "LME.CA3M" -> instrument = "LME.CA3M"\\nsubstitute = "LME.USDCNH" | pair[0].leg[1].substitute | LME.USDCNH | one with tick 0.50
bus: bus_dir = "" -> bus_dir = "tcp://0.0.0.0:5555"   | site.bus_dir                    | tcp://0.0.0.0:5555 | ipc sockets only
"""


def rows() -> list[tuple[str, str, str, str]]:
    """The table without its header."""
    cut = [tuple(cell.strip() for cell in line.split("|")) for line in MISTAKES.strip().splitlines()[1:]]
    return [(one[0], one[1], one[2], one[3]) for one in cut]


def written(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "site.toml"
    file.write_text(text, encoding="utf-8")
    return file


def demo(tmp_path: Path, **environment: str) -> Site:
    return load_site(written(tmp_path, DEMO.read_text(encoding="utf-8")), environment)


@pytest.mark.parametrize(("change", "key", "value", "remedy"), rows())
def test_a_mistake_is_told_with_key_value_and_remedy(
    tmp_path: Path, change: str, key: str, value: str, remedy: str
) -> None:
    """Each mistake of the table is told by its key path, the value that stands there and what would be right."""
    before, after = (part.replace("\\n", "\n") for part in change.partition(": ")[2].split(" -> "))
    text = DEMO.read_text(encoding="utf-8")
    assert before in text
    place = _place_of(text, before, key)
    file = written(tmp_path, text[:place] + after + text[place + len(before) :])
    with pytest.raises(SiteError) as caught:
        load_site(file, {})
    told = [one for one in caught.value.mistakes if one.key == key]
    assert [one.value for one in told][:1] == [value], str(caught.value)
    assert any(remedy in one.remedy for one in told), str(caught.value)
    assert f"{file}: {key} = {value}: right would be " in str(caught.value)


def _place_of(text: str, before: str, key: str) -> int:
    """Where to change: the first place after the table that the key names begins."""
    table, _, index = key.partition("[")
    start = 0
    if table in ("venue", "instrument", "pair", "rule"):
        for _ in range(int(index[0]) + 1):
            start = text.index(f"[[{table}]]", start) + 1
        if ".leg[1]" in key and "[[pair.leg]]" in text[start:] and not before.startswith(("unit", "max")):
            start = text.index("[[pair.leg]]", text.index("[[pair.leg]]", start) + 1)
    found = text.find(before, start)
    return found if found >= 0 else text.index(before)


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    """Two mistakes of one kind and one of another in the same file give three lines."""
    text = DEMO.read_text(encoding="utf-8")
    text = text.replace('pair = "CU-CA"', 'pair = "X"').replace('fx = "LME.USDCNH"', 'fx = "Y"')
    text = text.replace("legged_limit_ms = 3000", "legged_limit_ms = 3")
    with pytest.raises(SiteError) as caught:
        load_site(written(tmp_path, text), {})
    assert [one.key for one in caught.value.mistakes] == [
        "pair[0].legged_limit_ms",
        "pair[0].leg[1].fx",
        "rule[0].pair",
    ]
    assert len(str(caught.value).splitlines()) == 3


def test_a_pair_of_one_leg_is_refused(tmp_path: Path) -> None:
    """A pair with a single leg is told at its list of legs."""
    text = DEMO.read_text(encoding="utf-8")
    second = text.index("[[pair.leg]]", text.index("[[pair.leg]]") + 1)
    with pytest.raises(SiteError) as caught:
        load_site(written(tmp_path, text[:second] + text[text.index("[[rule]]") :]), {})
    assert [one.key for one in caught.value.mistakes] == ["pair[0].leg"]
    assert "at least 2" in caught.value.mistakes[0].remedy


def test_a_file_that_is_no_toml_or_not_there_is_told(tmp_path: Path) -> None:
    """The file itself may be the mistake."""
    for file in (tmp_path / "absent.toml", written(tmp_path, "[site\n")):
        with pytest.raises(SiteError, match="file = "):
            load_site(file, {})


def test_a_bus_directory_too_long_for_a_socket_is_refused(tmp_path: Path) -> None:
    """A path of which a socket would exceed 107 bytes is refused, with the bytes that are too many."""
    text = DEMO.read_text(encoding="utf-8").replace('bus_dir = ""', f'bus_dir = "/tmp/{"x" * 100}"')
    with pytest.raises(SiteError) as caught:
        load_site(written(tmp_path, text), {})
    assert [one.key for one in caught.value.mistakes] == ["site.bus_dir"]
    assert "shorter by 16 bytes" in caught.value.mistakes[0].remedy


def test_the_environment_overrides_by_id_by_place_and_by_key(tmp_path: Path) -> None:
    """A venue is named by its id, an instrument's dot is an underscore, a rule may be named by its place."""
    site = demo(
        tmp_path,
        CMC_VENUE__SHFE__MD__PORT="6001",
        CMC_INSTRUMENT__SHFE_CU2609__MAX_QTY="100",
        CMC_RULE__0__BUY_AT="-200.5",
        CMC_PAIR__CU_CA__REPAIR_PAY_UP_TICKS="[1, 3]",
        CMC_PAIR__CU_CA__LEG__LME_CA3M__FACTORS__VAT="1.09",
        CMC_LIMITS__MAX_OPEN_TRADES="3",
        CMC_SITE="not ours: no two underscores",
    )
    assert site.venues["SHFE"].md.port == 6001
    assert site.instruments["SHFE.cu2609"].max_qty_lots == 100
    assert site.rules["cu-band"].buy_at_e9 == -200_500_000_000
    assert site.pairs["CU-CA"].repair_pay_up_ticks == (1, 3)
    assert site.pairs["CU-CA"].legs[1].factor == Fraction("1.09")
    assert site.limits.max_open_trades == 3


def test_an_override_that_names_nothing_is_refused(tmp_path: Path) -> None:
    """A misspelt venue or table in a variable's name is told, not ignored."""
    with pytest.raises(SiteError) as caught:
        demo(tmp_path, CMC_VENUE__SHEF__MD__PORT="6001")
    assert [one.key for one in caught.value.mistakes] == ["CMC_VENUE__SHEF__MD__PORT"]
    with pytest.raises(SiteError) as caught:
        demo(tmp_path, CMC_LIMTS__MAX_OPEN_TRADES="3")
    assert [one.key for one in caught.value.mistakes] == ["limts"]


def test_a_wrong_value_from_the_environment_names_the_variable(tmp_path: Path) -> None:
    """The mistake says which variable gave the value."""
    with pytest.raises(SiteError) as caught:
        demo(tmp_path, CMC_VENUE__SHFE__MD__PORT="many")
    assert caught.value.mistakes[0].key == "venue[0].md.port (from CMC_VENUE__SHFE__MD__PORT)"


def test_a_password_comes_from_the_environment_or_a_file_and_is_never_shown(tmp_path: Path) -> None:
    """The variable wins over the file; neither stands in the text of the settings nor changes the digest."""
    (tmp_path / "secret").write_text("from-file\n", encoding="utf-8")
    text = DEMO.read_text(encoding="utf-8").replace("port = 5002", 'port = 5002\npassword_file = "secret"')
    file = written(tmp_path, text)
    plain = load_site(file, {})
    given = load_site(file, {"CMC_VENUE__SHFE__ORDERS__PASSWORD": "from-environment"})
    assert plain.venues["SHFE"].orders.password == "from-file"
    assert given.venues["SHFE"].orders.password == "from-environment"
    assert "from-" not in repr(given.venues["SHFE"].orders)
    assert plain.digest == given.digest


def test_a_password_in_the_site_file_is_refused(tmp_path: Path) -> None:
    """`password` is no key of the file."""
    text = DEMO.read_text(encoding="utf-8").replace("port = 5002", 'port = 5002\npassword = "x"')
    with pytest.raises(SiteError) as caught:
        load_site(written(tmp_path, text), {})
    assert [one.key for one in caught.value.mistakes] == ["venue[0].orders.password"]


def test_the_values_that_come_out_are_exact(tmp_path: Path) -> None:
    """Times in nanoseconds, money in 1e-9, factors as fractions, enums in FIX's words."""
    site = demo(tmp_path)
    pair = site.pairs["CU-CA"]
    assert (pair.legged_limit_ns, pair.order_timeout_ns) == (3_000_000_000, 1_500_000_000)
    assert pair.slippage_budget_e9 == 5000 * 10**9
    assert [leg.factor for leg in pair.legs] == [Fraction(1), Fraction(113, 100)]
    assert pair.legs[0].time_in_force is TimeInForce.IOC
    assert site.instruments["LME.CA3M"].tick == Decimal("0.50")
    assert site.instruments["LME.CA3M"].point_value == Decimal(25)
    assert site.instruments["SHFE.cu2609"].account == "A1"
    assert site.limits.daily_loss_e9 == {"CNY": 200_000 * 10**9}
    assert set(site.instrument_limits) == {"SHFE.cu2609", "LME.CA3M"}
    spec = site.venues["SHFE"].spec
    assert spec.mass_status
    assert spec.time_in_force == (TimeInForce.DAY, TimeInForce.IOC, TimeInForce.FOK)
    assert not site.venues["LME"].spec.mass_status
    assert site.state_dir == tmp_path / "state"


EVERY_PAIR_KEY = """
key                                 | field                    | value
dispatch = "quote_then_hedge"       | dispatch                 | quote_then_hedge
dispatch = "arrival_aligned"        | dispatch                 | arrival_aligned
in_doubt = "unwind_filled"          | in_doubt                 | unwind_filled
in_doubt_limit_ms = 30000           | in_doubt_limit_ns        | 30_000_000_000
repair_retry_ms = 200               | repair_retry_ns          | 200_000_000
repair_book_wait_ms = 300           | repair_book_wait_ns      | 300_000_000
shut_reserve_s = 60                 | shut_reserve_ns          | 60_000_000_000
collar = "120.5"                    | collar_e9                | 120500000000
legged_value_limit = "3000000"      | legged_value_limit_e9    | 3_000_000_000_000_000
residual_lots = "-0.0715"           | residual_lots_e9         | -71500000
max_fx_age_ms = 5000                | max_fx_age_ns            | 5_000_000_000
max_orders_per_trade = 12           | max_orders_per_trade     | 12
quote_slop_ticks = 0                | quote_slop_ticks         | 0
quote_interval_ms = 100             | quote_interval_ns        | 100_000_000
quote_life_ms = 5000                | quote_life_ns            | 5_000_000_000
"""


@pytest.mark.parametrize("row", EVERY_PAIR_KEY.strip().splitlines()[1:])
def test_each_key_of_a_pair_reaches_its_field(tmp_path: Path, row: str) -> None:
    """What the file says is what the core gets, in nanoseconds, 1e-9 and its own enums."""
    key, field, value = (cell.strip() for cell in row.split("|"))
    text = DEMO.read_text(encoding="utf-8").replace("max_units = 5\n", f"max_units = 5\n{key}\n", 1)
    pair = load_site(written(tmp_path, text), {}).pairs["CU-CA"]
    assert str(getattr(pair, field)) == value.replace("_000", "000")
    assert pair.lead_leg == 0


def test_legs_at_one_venue_are_not_aligned_by_delay(tmp_path: Path) -> None:
    """Two contracts of one venue have one delay: arrival_aligned is refused for them."""
    text = DEMO.read_text(encoding="utf-8").replace("LME.CA3M", "SHFE.CA3M")
    text = text.replace('id = "SHFE.CA3M"\nvenue = "LME"', 'id = "SHFE.CA3M"\nvenue = "SHFE"')
    text = text.replace("max_units = 5\n", 'max_units = 5\ndispatch = "arrival_aligned"\n', 1)
    with pytest.raises(SiteError) as caught:
        load_site(written(tmp_path, text), {})
    assert [one.key for one in caught.value.mistakes] == ["pair[0].dispatch"]
    assert "every leg is at SHFE" in caught.value.mistakes[0].remedy


def test_the_limits_of_site_venue_instrument_and_leg_reach_the_core(tmp_path: Path) -> None:
    """Lots, margin by currency, cancels, the leg that leads (1 is the first) and a substitute."""
    text = DEMO.read_text(encoding="utf-8")
    text = text.replace('account = "A1"', 'account = "A1"\nmargin_available = { USD = "1000.5" }', 2)
    text = text.replace('margin_available = { USD = "1000.5" }', "max_gross_lots = 60\nmax_net_lots = 50", 1)
    extra = 'max_cancels_per_day = 400\nmargin_per_lot = "12.5"\n'
    ca3m = text[text.index('[[instrument]]\nid = "LME.CA3M"') : text.index('[[instrument]]\nid = "LME.USDCNH"')]
    other = ca3m.replace("CA3M", "CA4M")
    text = text.replace(ca3m, ca3m.rstrip() + "\n" + extra + "\n" + other.rstrip() + "\n" + extra + "\n")
    text = text.replace('instrument = "LME.CA3M"', 'instrument = "LME.CA3M"\nsubstitute = "LME.CA4M"')
    text = text.replace("max_units = 5\n", 'max_units = 5\ndispatch = "lead_then_hedge"\nlead_leg = 2\n', 1)
    text = text.replace(
        "throttle_window_s = 60", "throttle_window_s = 60\nmax_legged_trades = 3\norders_per_intent = 9"
    )
    site = load_site(written(tmp_path, text), {})
    shfe, lme = site.venues["SHFE"].spec, site.venues["LME"].spec
    assert (shfe.max_gross_lots, shfe.max_net_lots, shfe.margin_available_e9) == (60, 50, None)
    assert (lme.max_gross_lots, lme.margin_available_e9) == (None, {"USD": 1_000_500_000_000})
    limits = site.instrument_limits["LME.CA3M"]
    assert (limits.max_cancels_per_day, limits.margin_per_lot_e9) == (400, 12_500_000_000)
    pair = site.pairs["CU-CA"]
    assert (pair.dispatch, pair.lead_leg, pair.legs[1].substitute_id) == (DispatchMode.LEAD_THEN_HEDGE, 1, "LME.CA4M")
    assert (site.limits.max_legged_trades, site.limits.orders_per_intent) == (3, 9)


def test_the_digest_follows_the_content_and_not_the_layout(tmp_path: Path) -> None:
    """Comments and order of keys leave the digest alone; a value changes it."""
    text = DEMO.read_text(encoding="utf-8")
    first = load_site(written(tmp_path, text), {}).digest
    assert load_site(written(tmp_path, "# a comment\n" + text), {}).digest == first
    assert load_site(written(tmp_path, text.replace('buy_at = "-150"', 'buy_at = "-151"')), {}).digest != first


def test_the_shipped_site_loads(tmp_path: Path) -> None:
    """sites/demo.toml loads as it is, and every top-level table of it is a key of the site file."""
    assert load_site(DEMO, {}).name == tomllib.loads(DEMO.read_text(encoding="utf-8"))["site"]["name"]
    assert demo(tmp_path).digest == load_site(DEMO, {}).digest


def test_the_page_of_the_site_file_is_what_the_types_say() -> None:
    """docs/SITE_FILE.md is generated; this tells when it was not written anew."""
    assert (DEMO.parents[1] / "docs" / "SITE_FILE.md").read_text(encoding="utf-8") == site_doc.page()
