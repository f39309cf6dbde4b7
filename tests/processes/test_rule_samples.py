"""The warm-up of a band from the record: which prices count as samples, and which do not."""

from pathlib import Path

import msgspec
import pytest

from gateway.journal.record_files import segment_path
from gateway.journal.writer import JournalWriter
from gateway.model.base import PRICE_E9
from gateway.model.conditions import BandKind, MovingBand
from gateway.model.record import JournalOpened, Observed
from gateway.model.site import RuleSpec
from gateway.model.trade import PairPrice
from gateway.processes.rule_samples import Wanted, load_samples, wanted_by
from gateway.trigger.band import most_samples

SECOND = 10**9
BAND = MovingBand(BandKind.ROLLING, SECOND, 5, 3, 2 * PRICE_E9)
UTC = 1_800_000_000 * SECOND
MONO = 50 * SECOND
"""Now, on both clocks."""


def rule(band: MovingBand | None = BAND, rule_id: str = "R", pair_id: str = "P") -> RuleSpec:
    return RuleSpec(rule_id, pair_id, None, None, 1, 1, 0, 0, 1, band=band)


def price(at_ns: int, buy: int | None, sell: int | None = None, pair_id: str = "P") -> PairPrice:
    """At `at_ns` of the recorder's clock; the middle is the buying price where no other is given."""
    return PairPrice(pair_id, at_ns, buy, buy if sell is None else sell, 1, 1, None, None, "ok")


def record(run_dir: Path, *prices: PairPrice, ahead_ns: int = UTC - MONO, incarnation: int = 1) -> Path:
    """A recorder's log whose clock is `ahead_ns` behind UTC."""
    path = segment_path(run_dir, incarnation, 1)
    path.parent.mkdir(parents=True, exist_ok=True)
    opened = JournalOpened("recorder", incarnation, "host", "boot", 0, ahead_ns, "v", "d")
    journal = JournalWriter(path, opened, fdatasync_interval_ns=SECOND, sync_before_send=False, min_free_bytes=0)
    for number, one in enumerate(prices, 1):
        journal.append(Observed(one.at_ns, 1, number, one))
    journal.close()
    return path


def loaded(run_dir: Path, *rules: RuleSpec) -> list[tuple[str, list[tuple[int, int]]]]:
    """Samples by pair: (seconds before now, middle)."""
    found = load_samples(run_dir, rules, MONO, UTC)
    return [(one.pair_id, [((MONO - at_ns) // SECOND, e9 // PRICE_E9) for at_ns, e9 in one.samples]) for one in found]


def back(seconds: float) -> int:
    return MONO - int(seconds * SECOND)


def e9(value: int) -> int:
    return value * PRICE_E9


def test_each_moment_of_the_grid_has_the_price_in_force(tmp_path: Path) -> None:
    """The last price told before it, once for each whole interval; the middle of both prices."""
    record(
        tmp_path,
        price(back(3.4), e9(1)),
        price(back(3.2), e9(2)),
        price(back(2.5), e9(3), e9(5)),
        price(back(1.5), e9(6)),
    )
    assert loaded(tmp_path, rule()) == [("P", [(3, 2), (2, 4), (1, 6)])]


def test_a_price_that_is_missing_or_was_not_told_of_is_no_sample(tmp_path: Path) -> None:
    """While a leg was unusable, and while nothing was published, the band stood still."""
    prices = (price(back(4.5), e9(1)), price(back(3.5), None), price(back(1.5), e9(4)))
    record(tmp_path, *prices)
    assert loaded(tmp_path, rule()) == [("P", [(4, 1), (1, 4)])]


def test_no_more_and_no_older_samples_than_the_band_wants(tmp_path: Path) -> None:
    """The newest `length` of them; with an age of its own as old as that."""
    record(tmp_path, *(price(back(number + 0.5), e9(number)) for number in range(20, 0, -1)))
    assert loaded(tmp_path, rule()) == [("P", [(number, number) for number in (5, 4, 3, 2, 1)])]
    short = msgspec.structs.replace(BAND, warm_up_age_ns=2 * SECOND)
    assert loaded(tmp_path, rule(short)) == [("P", [(2, 2), (1, 1)])]


def test_prices_of_another_boot_are_brought_to_this_clock(tmp_path: Path) -> None:
    """Yesterday's recorder had another monotonic clock; UTC joins them."""
    record(tmp_path, price(7 * SECOND, e9(9)), ahead_ns=UTC - 8 * SECOND - SECOND // 2)
    assert loaded(tmp_path, rule()) == [("P", [(1, 9)])]


def test_damage_and_absence_cost_samples_only(tmp_path: Path) -> None:
    """Without a record there are none; a damaged file gives what another has."""
    assert loaded(tmp_path, rule()) == []
    broken = record(tmp_path, price(back(3.5), e9(1)), price(back(2.5), e9(1)), incarnation=1)
    data = bytearray(broken.read_bytes())
    data[60] ^= 0xFF
    broken.write_bytes(bytes(data))
    record(tmp_path, price(back(1.5), e9(7)), incarnation=2)
    assert loaded(tmp_path, rule()) == [("P", [(1, 7)])]


def test_other_pairs_and_rules_without_a_band_ask_for_nothing(tmp_path: Path) -> None:
    """Nothing is read for them."""
    record(tmp_path, price(back(1.5), e9(7), pair_id="Q"))
    assert loaded(tmp_path, rule(None)) == []
    assert loaded(tmp_path, rule()) == []


@pytest.mark.parametrize("kind", tuple(BandKind))
def test_bands_of_one_pair_and_interval_share_their_samples(kind: BandKind) -> None:
    """As many as the one that needs most."""
    longer = msgspec.structs.replace(BAND, kind=kind, length=9)
    most = most_samples(longer)
    assert wanted_by((rule(), rule(longer, "S"), rule(None, "T"))) == [Wanted("P", SECOND, most, most * SECOND)]
