"""Rules of the site file and of commands: contradictions are told with key and remedy, keys go both ways."""

from pathlib import Path

import msgspec
import pytest

from gateway.model.conditions import BandKind, Costs, MovingBand, RuleAction, RuleKind, RuleSide, Window
from gateway.model.rules import ChangeRules, RulesInForce, RuleStanding, RuleStandingState
from gateway.model.site import RuleSpec
from gateway.processes.rule_checks import MOST_RULES, command_mistakes
from gateway.processes.rule_commands import removal, set_mistakes
from gateway.processes.rule_keys import rule_keys, rule_spec, utc_ns_of, utc_text
from gateway.processes.settings import Site, SiteError, load_site
from gateway.processes.site_file import RuleSection, RuleWord
from gateway.processes.site_rules import key_mistakes

DEMO = Path(__file__).parents[2] / "sites" / "demo.toml"
SITE = load_site(DEMO)
(RULE,) = SITE.rules.values()
E9 = 10**9
WINDOW = '\\n[[rule.window]]\\nzone = "Asia/Shanghai"\\nfrom_time = "09:00:00"\\nuntil_time = "15:00:00"'
BAND = '\\n[rule.band]\\nkind = "rolling"\\ninterval_ms = 1000\\nlength = 60\\nwarm_up = 30\\ndeviations = "2"'
OTHER = (
    '\\n[[rule]]\\nid = "other"\\npair = "CU-CA"\\nkind = "spread"\\nunits = 1\\nmax_units = 1\\ncool_down_ms = 1'
    "\\nttl_ms = 1"
)
COUNTER = 'kind = "spread"\\nbuy_at = "-150"\\nsell_at = "150" -> kind = "counter_price"\\nmin_edge = "100"'

MISTAKES = f"""
change                                             | key                         | value            | remedy
ttl_ms = 250 -> ttl_ms = 250\\nmin_units = 2        | rule[0].min_units           | 2                | at most units, 1
ttl_ms = 250 -> ttl_ms = 250\\nmin_units = 2\\nunits_ = 3 | rule[0].units_         | 3                | did you mean units?
ttl_ms = 250 -> ttl_ms = 250\\nside = "buy"         | rule[0].side                | buy              | fixed thresholds
ttl_ms = 250 -> ttl_ms = 250\\nmin_edge = "1"       | rule[0].min_edge            | 1                | kind = counter_price
ttl_ms = 250 -> ttl_ms = 250\\nrearm = "0.1234567891" | rule[0].rearm             | 0.1234567891     | 9 places
ttl_ms = 250 -> ttl_ms = 9999999999999              | rule[0].ttl_ms              | 9999999999999    | less than or equal to
sell_at = "150" -> sell_at = "10000000000"         | rule[0].sell_at             | 10000000000      | between -9000000000 and 9000000000
sell_at = "150" -> sell_at = "1e30"                | rule[0].sell_at             | "1e30"           | at most 15 digits before the point
ttl_ms = 250 -> ttl_ms = 250\\nexpires = "tomorrow" | rule[0].expires             | tomorrow         | offset from UTC
ttl_ms = 250 -> ttl_ms = 250\\nexpires = "2026-12-31T15:00:00" | rule[0].expires  | 2026-12-31T15:00:00 | offset from UTC
ttl_ms = 250 -> ttl_ms = 250\\ncloses = "x"         | rule[0].closes              | x                | action = "close"
ttl_ms = 250 -> ttl_ms = 250\\naction = "close"     | rule[0].action              | close            | a rule of the same pair that opens
ttl_ms = 250 -> ttl_ms = 250\\naction = "close"\\ncloses = "cu" | rule[0].closes   | cu               | a rule of the same pair that opens
ttl_ms = 250 -> ttl_ms = 250{WINDOW.replace("15:00", "09:00")} | rule[0].window[0].until_time | 32400 | it is empty
ttl_ms = 250 -> ttl_ms = 250{WINDOW.replace("Shanghai", "Peking")} | rule[0].window[0].zone | Asia/Peking | time zone
ttl_ms = 250 -> ttl_ms = 250{WINDOW.replace("15:00:00", "25:00:00")} | rule[0].window[0].until_time | "25:00:00" | of the form
ttl_ms = 250 -> ttl_ms = 250{WINDOW}\\ndays = []    | rule[0].window[0].days      | []               | at least 1
ttl_ms = 250 -> ttl_ms = 250{WINDOW}\\ndays = ["mo"] | rule[0].window[0].days[0]  | "mo"             | 'mon'
ttl_ms = 250 -> ttl_ms = 250{BAND.replace("warm_up = 30", "warm_up = 61")} | rule[0].band.warm_up | 61 | at most length, 60
ttl_ms = 250 -> ttl_ms = 250{BAND.replace("warm_up = 30", "")} | rule[0].band.warm_up | missing | before the rule may fire
ttl_ms = 250 -> ttl_ms = 250{BAND}\\nfloor = "3"\\ncap = "2" | rule[0].band.cap    | 2                | at least floor, 3
ttl_ms = 250 -> ttl_ms = 250{BAND.replace("1000", "99")} | rule[0].band.interval_ms | 99             | greater than or equal to 100
pair_price_interval_ms = 50 -> pair_price_interval_ms = 5000 | rule[0].band.interval_ms | 1000 | pair_price_interval_ms, 5000
ttl_ms = 250 -> ttl_ms = 250{OTHER}\\nbuy_at = "150" | rule[1].buy_at             | 150              | sell_at of rule cu-band, 150
ttl_ms = 250 -> ttl_ms = 250{OTHER}\\nsell_at = "-151" | rule[0].buy_at           | -150             | sell_at of rule other, -151
ttl_ms = 250 -> ttl_ms = 250{OTHER}                | rule[1]                     | other            | buy_at, sell_at or both
{COUNTER}                                          | rule[0].kind                | counter_price    | fees of instrument SHFE.cu2609
{COUNTER.replace('min_edge = "100"', "")}          | rule[0].min_edge            | missing          | that one unit has to leave
{COUNTER}\\ncosts = {{ slippage_ticks = [1] }}      | rule[0].costs.slippage_ticks | 1               | one for each leg, 2
max_qty = 500 -> max_qty = 500\\nfees = [{{ from_day = "2026-02-30", source = "s" }}] | instrument[0].fees[0].from_day | 2026-02-30 | a day of the calendar
max_qty = 500 -> max_qty = 500\\nfees = [{{ from_day = "2026-02-02", open_rate = "5", source = "s" }}] | instrument[0].fees[0].open_rate | "5" | a share of the value, at most 0.05
max_qty = 500 -> max_qty = 500\\nfees = [{{ from_day = "2026-02-03" }}] | instrument[0].fees[0].source | missing | where the figures are from
"""


def rows() -> list[tuple[str, str, str, str]]:
    found = []
    for line in MISTAKES.strip().splitlines()[1:]:
        change, key, value, remedy = (part.strip() for part in line.split(" | "))
        found.append((change, key, value, remedy))
    return found


def changed(tmp_path: Path, change: str) -> Path:
    """The demo site with one text replaced by another."""
    before, after = (part.replace("\\n", "\n") for part in change.split(" -> "))
    text = DEMO.read_text(encoding="utf-8")
    if "[rule.band]" not in after and "pair_price_interval" in before:
        text = text.replace("ttl_ms = 250", "ttl_ms = 250" + BAND.replace("\\n", "\n"))
    assert before in text, before
    file = tmp_path / "site.toml"
    file.write_text(text.replace(before, after, 1), encoding="utf-8")
    return file


@pytest.mark.parametrize(("change", "key", "value", "remedy"), rows())
def test_a_mistake_is_told_with_key_value_and_remedy(
    tmp_path: Path, change: str, key: str, value: str, remedy: str
) -> None:
    """Each contradiction of rules, windows, bands, costs and fees names the place and what would be right."""
    with pytest.raises(SiteError) as caught:
        load_site(changed(tmp_path, change))
    told = [(one.key, one.value) for one in caught.value.mistakes]
    assert (key, value) in told
    found = [one.remedy for one in caught.value.mistakes if (one.key, one.value) == (key, value)]
    assert remedy in found[0]


def with_(**fields: object) -> RuleSpec:
    return msgspec.structs.replace(RULE, **fields)


ROUND = [
    RULE,
    with_(total_units=3, one_shot=True, rearm_e9=5 * E9, persist_quotes=2, min_units=1),
    with_(expires_utc_ns=utc_ns_of("2026-12-31T15:00:00.25+08:00"), action=RuleAction.OPEN),
    with_(windows=(Window("Asia/Shanghai", (0, 4), 75_600, 9_000), Window("UTC", (5,), 0, 86_399))),
    with_(band=MovingBand(BandKind.EXPONENTIAL, 10**9, 60, 30, 25 * 10**8, E9, 9 * E9, 600 * E9), side=RuleSide.SELL),
    with_(
        kind=RuleKind.COUNTER_PRICE, buy_at_e9=None, sell_at_e9=None, min_edge_e9=12_345,
        costs=Costs(-E9, 25_000_000, 3, (10**8, E9), (1, 2)),
    ),
]  # fmt: skip


@pytest.mark.parametrize("spec", ROUND)
def test_a_rule_in_force_is_what_its_keys_make(spec: RuleSpec) -> None:
    """As keys of a site file and back, to the last digit."""
    assert rule_spec(RuleSection.model_validate(rule_keys(spec, SITE.pairs))) == spec


def test_a_time_with_its_offset_is_that_moment() -> None:
    """15:00 in Shanghai is 07:00 UTC."""
    assert utc_text(utc_ns_of("2026-12-31T15:00:00+08:00")) == "2026-12-31T07:00:00+00:00"


COMMANDS = [
    # command, key, remedy
    ({"rules": (with_(pair_id="CU-AC"),)}, "rule cu-band.pair", "did you mean CU-CA?"),
    ({"rules": (with_(buy_at_e9=200 * E9),)}, "rule cu-band.buy_at", "below sell_at, 150"),
    ({"rules": (with_(units=9, max_units=3),)}, "rule cu-band.units", "at most max_units, 3"),
    ({"rules": (with_(max_units=9),)}, "rule cu-band.max_units", "at most max_units of pair CU-CA, 5"),
    ({"rules": (with_(expires_utc_ns=5),)}, "rule cu-band.expires", "a time to come"),
    (
        {"rules": (with_(rule_id="x", sell_at_e9=-200 * E9, buy_at_e9=None),)},
        "rule cu-band.buy_at",
        "sell_at of rule x",
    ),
    ({"rules": (with_(immediate=True, persist_ns=5),)}, "rule cu-band.persist_ms", "looked at once"),
    ({"rules": (with_(min_units=0),)}, "rule cu-band.min_units", "greater than or equal to 1"),
    ({"rules": (with_(rearm_e9=-1),)}, "rule cu-band.rearm", "greater than or equal to 0"),
    ({"rules": (with_(ttl_ns=0),)}, "rule cu-band.ttl_ms", "greater than or equal to 1"),
    (
        {"rules": (with_(band=MovingBand(BandKind.EXPONENTIAL, 10**9, 1, 2, E9, 0, None, 0)),)},
        "rule cu-band.band.length",
        "greater than or equal to 2",
    ),
    (
        {"rules": (with_(windows=(Window("Asia/Shanghai", (0,), 0, 86_400),)),)},
        "rule cu-band.window[0].from_time",
        "a second of the day",
    ),
    ({"rules": (RULE, RULE)}, "rule cu-band.id", "once in a command"),
    ({"rules": (RULE,), "removed": ("cu-band",)}, "rule cu-band.id", "once in a command"),
    ({"removed": ("cu-bnd",)}, "rule cu-bnd", "did you mean cu-band?"),
    ({"who": " "}, "who, reason", "both go on record"),
    ({"pairs": (msgspec.structs.replace(SITE.pairs["CU-CA"], pair_id="XX"),)}, "pair XX", "a pair's id"),
    (
        {"pairs": (msgspec.structs.replace(SITE.pairs["CU-CA"], max_units=9),)},
        "pair CU-CA.max_units",
        "changes with a restart only",
    ),
]


@pytest.mark.parametrize(("fields", "key", "remedy"), COMMANDS)
def test_a_command_is_judged_as_a_file_is(fields: dict[str, object], key: str, remedy: str) -> None:
    """The same contradictions, and those that only a change can have."""
    command = msgspec.structs.replace(ChangeRules("K", "a person", "a test"), **fields)
    found = command_mistakes(command, dict(SITE.rules), dict(SITE.pairs), SITE.instruments, 10)
    assert [one.key for one in found] == [key]
    assert remedy in found[0].remedy


def test_a_pair_s_coefficients_may_change() -> None:
    """Charges and a leg's factor, in one command with a rule."""
    known = SITE.pairs["CU-CA"]
    legs = (known.legs[0], msgspec.structs.replace(known.legs[1], factor=known.legs[1].factor * 2))
    pair = msgspec.structs.replace(known, charges_e9=5, legs=legs)
    command = ChangeRules("K", "a person", "a test", (with_(units=2),), pairs=(pair,))
    assert command_mistakes(command, dict(SITE.rules), dict(SITE.pairs), SITE.instruments, 10) == []


def test_there_are_not_more_rules_than_a_limit() -> None:
    """A client that sends orders for ever is refused by name."""
    many = {f"r{number}": with_(rule_id=f"r{number}") for number in range(MOST_RULES)}
    (found,) = command_mistakes(
        ChangeRules("K", "w", "r", (with_(rule_id="x"),)), many, dict(SITE.pairs), SITE.instruments, 10
    )
    assert (found.key, found.value) == ("rule", str(MOST_RULES + 1))


def test_a_rule_of_the_file_with_every_key_is_read(tmp_path: Path) -> None:
    """Windows, band and one-shot together make the rule that the trigger takes."""
    site = with_keys(tmp_path, f'rearm = "5"\npersist_quotes = 3\none_shot = true{BAND}{WINDOW}'.replace("\\n", "\n"))
    spec = site.rules["cu-band"]
    assert (spec.rearm_e9, spec.persist_quotes, spec.one_shot) == (5 * E9, 3, True)
    assert spec.windows == (Window("Asia/Shanghai", (0, 1, 2, 3, 4), 32_400, 54_000),)
    assert spec.band == MovingBand(BandKind.ROLLING, 10**9, 60, 30, 2 * E9)


def with_keys(tmp_path: Path, keys: str) -> Site:
    file = tmp_path / "site.toml"
    text = DEMO.read_text(encoding="utf-8").replace("ttl_ms = 250", f"ttl_ms = 250\n{keys}")
    file.write_text(text, encoding="utf-8")
    return load_site(file)


def test_a_key_that_would_be_lost_on_the_way_is_refused() -> None:
    """Another id would make a second rule that trades beside the first; a price rule's kind is its pair's formula."""
    section = RuleSection.model_validate(rule_keys(RULE, SITE.pairs))
    assert set_mistakes(section, "cu-band", SITE.pairs) == []
    other = section.model_copy(update={"id": "foo", "kind": RuleWord.RATIO})
    found = [(one.key, one.value, str(one.remedy)) for one in set_mistakes(other, "cu-band", SITE.pairs)]
    assert found == [
        ("rule cu-band.id", "foo", "cu-band: a rule keeps its id"),
        ("rule cu-band.kind", "ratio", "the formula of pair CU-CA, spread"),
    ]


def test_a_price_set_by_command_has_nine_places_as_in_a_file() -> None:
    """What is beyond is refused, never cut off in silence."""
    section = RuleSection.model_validate(rule_keys(RULE, SITE.pairs) | {"buy_at": "-55.1234567891"})
    assert [one.key for one in key_mistakes(section, "rule cu-band", 50)] == ["rule cu-band.buy_at"]


def test_taking_a_rule_away_tells_what_it_holds() -> None:
    """The position stays, and nobody else is told to close it."""
    standing = RuleStanding("cu-band", "CU-CA", RuleStandingState.WORKING, 9, -3, 0, None, "", 1)
    found = RulesInForce("K", (RULE,), (), (standing,), (), (), "d")
    assert list(map(str, removal("cu-band", found))) == [
        "- rule cu-band",
        "  rule cu-band holds -3 units: they stay, and it closes them no more",
    ]
    flat = msgspec.structs.replace(found, standings=(msgspec.structs.replace(standing, held_units=0),))
    assert list(map(str, removal("cu-band", flat))) == ["- rule cu-band"]


@pytest.mark.parametrize(
    ("owners", "refused"), [(("", ""), True), (("A1", "A1"), True), (("A1", "A2"), False), (("", "A1"), False)]
)
def test_rules_of_one_owner_may_not_cross_and_those_of_two_may(owners: tuple[str, str], refused: bool) -> None:  # noqa: FBT001
    """A purchase at 200 and a sale at 150: of one account they are one too many, of two each trades with the venues."""
    seller = with_(rule_id="x", buy_at_e9=None, sell_at_e9=150 * E9, owner=owners[0])
    buyer = with_(rule_id="y", buy_at_e9=200 * E9, sell_at_e9=None, owner=owners[1])
    command = ChangeRules("K", "a person", "a test", (buyer,))
    found = command_mistakes(command, {"x": seller}, dict(SITE.pairs), SITE.instruments, 10)
    assert [one.key for one in found] == (["rule y.buy_at"] if refused else [])
