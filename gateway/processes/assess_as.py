"""A site whose contracts bear the names of market data of other months: recorded data are older than the site.

The site file is written anew beside what is played, with the ids and symbols of the contracts that were named replaced,
and with links to everything that lies beside the original, so that what it refers to is found. Nothing else of it is
changed: hours, lots, limits and rules are the site's own, the prices are the other contract's.

What can go wrong: a contract that the site has not, or a word that is no pair of ids: WrongCallError says which.
"""

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from gateway.journal.told import told
from gateway.processes.cli import WrongCallError
from gateway.processes.settings import Site


def renamed(words: Sequence[str], site: Site) -> dict[str, str]:
    """What each contract of the site is played as, from words such as SHFE.au2702=SHFE.au2612."""
    found: dict[str, str] = {}
    for word in words:
        ours, _, theirs = word.partition("=")
        same_venue = ours.partition(".")[0] == theirs.partition(".")[0] and bool(theirs.partition(".")[2])
        if ours not in site.instruments or not same_venue or '"' in theirs or theirs in site.instruments:
            message = told(
                "--as {}: CONTRACT=OTHER of one venue, CONTRACT one of {}", word, ", ".join(site.instruments)
            )
            raise WrongCallError(message)
        found[ours] = theirs
    return found


def written_as(site: Site, names: Mapping[str, str], folder: Path) -> Path:
    """The site file with these names, in a folder of its own; the original where there is none to change."""
    if not names:
        return site.path
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    text = site.path.read_text(encoding="utf-8")
    for ours, theirs in names.items():
        symbol, other = site.instruments[ours].symbol, theirs.partition(".")[2]
        text = text.replace(f'"{ours}"', f'"{theirs}"').replace(f'symbol = "{symbol}"', f'symbol = "{other}"')
    for one in site.path.parent.iterdir():
        if one.name != site.path.name:
            (folder / one.name).symlink_to(one.resolve())
    made = folder / site.path.name
    made.write_text(text, encoding="utf-8")
    return made
