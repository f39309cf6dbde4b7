"""Criteria as data: the product's own file, files that change it, and every way in which one is refused."""

from pathlib import Path

import pytest

from acceptance.criteria import STANDARD, CriteriaError, Kind, asked_at, load_criteria
from acceptance.measured import MEASURES

ONE = """
[[criterion]]
id = "one"
en = "English."
zh = "中文。"
measure = "gateway_latency_ns"
kind = "percentile"
percentile = 99.0
bound = "50 ms"
confidence = 0.95
stage = "canary"
evidence = "journal"
"""


def written(tmp_path: Path, text: str, name: str = "criteria.toml") -> Path:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


def test_the_products_own_criteria_hold_what_was_promised() -> None:
    """Ids, kinds, bounds and stages, as a table; each speaks both languages and names a measure that exists."""
    found = load_criteria()
    assert [(one.id, one.kind.value, one.bound_text, one.stage) for one in found] == [
        ("journal", "none", "0", "shadow"),
        ("gateway-latency", "percentile", "50 ms", "canary"),
        ("quote-usable", "percentile", "50 ms", "shadow"),
        ("end-to-end", "percentile", "50 ms", "canary"),
        ("in-step", "percentile", "35 ms", "shadow"),
        ("order-acceptance", "share", "98 %", "canary"),
        ("pair-completion", "share", "98 %", "canary"),
        ("first-shot", "share", "90 %", "canary"),
        ("legged-trades", "rate", "2 %", "canary"),
        ("legged-time", "percentile", "3 s", "canary"),
        ("slippage-over-limit", "rate", "20 of 1000", "canary"),
        ("capture", "share", "90 %", "canary"),
        ("reconciliation", "none", "0", "canary"),
        ("recovery", "longest", "30 s", "limited"),
        ("client-latency", "longest", "5 ms", "limited"),
        ("soak", "duration", "8 h", "full"),
    ]
    assert all(one.en != one.zh and one.measure in MEASURES for one in found)
    assert all(one.percentile == 99.0 for one in found if one.kind is Kind.PERCENTILE)


def test_a_bound_is_exact() -> None:
    """Times are whole nanoseconds, shares whole parts in a million."""
    bounds = {one.id: one.bound for one in load_criteria()}
    assert bounds["gateway-latency"] == 50_000_000
    assert bounds["soak"] == 8 * 3600 * 10**9
    assert (bounds["order-acceptance"], bounds["slippage-over-limit"]) == (980_000, 20_000)


def test_a_stage_asks_for_what_its_own_and_the_stages_before_it_ask() -> None:
    """Shadow asks for what needs no order; full for everything."""
    criteria = load_criteria()
    assert [one.id for one in asked_at(criteria, "shadow")] == ["journal", "quote-usable", "in-step"]
    assert len(asked_at(criteria, "canary")) == 13
    assert asked_at(criteria, "full") == criteria
    with pytest.raises(CriteriaError, match="stage pilot: one of shadow, canary, limited, full"):
        asked_at(criteria, "pilot")


def test_a_file_changes_single_keys_of_its_base(tmp_path: Path) -> None:
    """What it does not name stays, in its place; a new criterion comes at the end."""
    text = 'base = "standard"\n[[criterion]]\nid = "soak"\nbound = "10 min"\n' + ONE
    found = load_criteria(written(tmp_path, text))
    own = {one.id: one for one in load_criteria(STANDARD)}
    assert [one.id for one in found] == [*own, "one"]
    assert found[-2] == own["soak"]._replace(bound=600 * 10**9, bound_text="10 min")
    assert found[:-2] == list(own.values())[:-1]
    nearer = written(tmp_path, 'base = "criteria.toml"\n', "second.toml")
    assert load_criteria(nearer) == found


def test_the_demonstrations_criteria_are_the_products_but_for_time() -> None:
    """Two are shorter; every other one is the same, bound and confidence included."""
    standard = {one.id: one for one in load_criteria()}
    demo = {one.id: one for one in load_criteria(STANDARD.with_name("criteria-demo.toml"))}
    assert list(demo) == list(standard)
    assert [name for name, one in demo.items() if one != standard[name]] == ["recovery", "soak"]
    assert (demo["recovery"].least, demo["recovery"].bound) == (1, standard["recovery"].bound)
    assert demo["soak"].bound_text == "5 min"


REFUSED = """
change                               | says
id = "one" -> id = ""                | criterion '': an id that no other has
en = "English." -> en = " "          | criterion one: en is missing
kind = "percentile" -> kind = "best" | criterion one: kind = 'best': one of percentile, share, rate, none, longest, duration
percentile = 99.0 -> percentile = 0  | criterion one: percentile = 0: a number from 50.0 to 99.99
bound = "50 ms" -> bound = "50"      | criterion one: bound = '50': a time such as "50 ms"
bound = "50 ms" -> bound = "-1 ms"   | criterion one: bound = '-1 ms': a time such as "50 ms"
bound = "50 ms" -> bound = 50        | criterion one: bound = 50: a time such as "50 ms"
bound = "50 ms" -> bound = "nan ms"  | criterion one: bound = 'nan ms': a time
kind = "percentile" -> kind = "share"| bound = '50 ms': a share such as "98 %" or "20 of 1000"
confidence = 0.95 -> confidence = 95 | criterion one: confidence = 95: a number from 0.8 to 0.9999
stage = "canary" -> stage = "pilot"  | criterion one: stage = 'pilot': one of shadow, canary, limited, full
evidence = "journal" -> evidence = "hearsay" | evidence = 'hearsay': one of journal, truth, loadtest
evidence = "journal" -> evidence = "journal" # least = 0 | least = 0: a whole number, at least 1
evidence = "journal" -> evidence = "journal" # limit = 1 | criterion one: limit: no such key
""".replace(" # ", "\\n")


@pytest.mark.parametrize("row", REFUSED.strip("\n").splitlines()[1:])
def test_a_senseless_criterion_is_refused_with_what_would_be_right(row: str, tmp_path: Path) -> None:
    """File, criterion, key, value and remedy; there is no default by which it would pass."""
    change, says = (cell.strip() for cell in row.split("|"))
    before, after = change.split(" -> ")
    assert before in ONE
    path = written(tmp_path, ONE.replace(before, after.replace("\\n", "\n")))
    with pytest.raises(CriteriaError) as refused:
        load_criteria(path)
    assert says in str(refused.value)
    assert str(path) in str(refused.value)


def test_a_file_that_is_none_is_refused(tmp_path: Path) -> None:
    """Absent, no TOML, empty, with a key of its own invention, or its own base."""
    for text, says in (
        ("criterion = [", "no file of criteria"),
        ("", "no [[criterion]]"),
        ("limit = 3\n" + ONE, "limit: no such key"),
        ('base = "criteria.toml"\n', "more than 4 files are the base of one another"),
        (ONE + ONE, "an id that no other has"),
    ):
        with pytest.raises(CriteriaError, match=says.replace("[", r"\[")):
            load_criteria(written(tmp_path, text))
    with pytest.raises(CriteriaError, match=r"absent\.toml: no file of criteria"):
        load_criteria(tmp_path / "absent.toml")
