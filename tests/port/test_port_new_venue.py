"""A venue made of files alone, dictionary, dialect, profile and site section, in a folder: one pair trade on it, with
real processes.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway.fix.dialect import DIALECTS
from gateway.fix.dictionary import SPECS
from gateway.model.trade import Verb
from tests.chaos.rig import AWAY, HOME, Rig

RENAMED = {1028: 9028, 1023: 9023}
"""Tags that this venue has others for than any dialect that is shipped."""


def write_dialect(folder: Path) -> None:
    """FIX 5.0 SP2 with tags of its own."""
    dictionary = (SPECS / "fixt11sp2.xml").read_text()
    words = (DIALECTS / "fixt11sp2.toml").read_text()
    for tag, own in RENAMED.items():
        dictionary = dictionary.replace(f'number="{tag}"', f'number="{own}"')
        words = words.replace(f"{tag} = ", f"{own} = ")
    words = words.replace('position = "1023"', 'position = "9023"').replace("fixt11sp2", "acme")
    (folder / "acme.xml").write_text(dictionary)
    (folder / "acme.toml").write_text(words)


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    """The demo's installation, its overseas venue replaced by the new one."""

    def tune(profile: dict[str, Any], venue: str) -> None:
        if venue == AWAY:
            profile["venue"]["dialect"] = "fixt11sp2"
            profile["words"] = {"rename": {str(tag): own for tag, own in RENAMED.items()}}

    def tune_site(site: dict[str, Any]) -> None:
        away = next(one for one in site["venue"] if one["id"] == AWAY)
        away["dialect"] = "acme.toml"
        away["orders"]["constants"] = {"member": "MBR", "trader": "42"}

    write_dialect(tmp_path)
    made = Rig(tmp_path, seconds=60, tune=tune, tune_site=tune_site)
    yield made
    made.close()


def test_a_pair_trade_on_a_venue_made_of_files(rig: Rig) -> None:
    """`cmc check` takes the files; armed, the gateway trades a pair whose second leg is there, and journal and venues
    agree about every fill.
    """
    rig.start()
    checked = rig.cmc("check")
    assert checked.returncode == 0, checked.stdout + checked.stderr
    rig.arm()
    rig.until("both venues filled", lambda: all(any(rig.truth(venue, "fills.jsonl")) for venue in (HOME, AWAY)), 40)
    rig.until("disarmed", lambda: rig.does(Verb.DISARM))
    rig.until("at rest", rig.quiet)
    assert rig.reconcile().equal
