"""The command line of `cmc rule`: words in, `rule_commands.py` called. It decides nothing and loads nothing else."""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

Add = Callable[..., argparse.ArgumentParser]


def rule_commands(commands: Any, add: Add, site_argument: Callable[[argparse.ArgumentParser], None]) -> None:  # noqa: ANN401 argparse gives its type no public name
    """`show`, `set`, `remove` and `reload`; `add` and `site_argument` are those of the other commands."""
    rule = commands.add_parser("rule", help="Look at the rules of a running site, and change them (docs/RULES.md).")
    verbs = rule.add_subparsers(dest="action", metavar="ACTION", required=True)
    show = add(verbs, "show", "Every rule in force, and where it stands.", _rule)
    site_argument(show)
    show.add_argument("--json", action="store_true", help="one JSON document on standard output")
    change = add(verbs, "set", "Change keys of a rule, or make a new one; keys as in the site file.", _rule)
    change.add_argument("word", metavar="RULE")
    change.add_argument("keys", nargs="+", metavar="KEY=VALUE", help="band.length=20 reaches into a table; KEY=none")
    change.add_argument("--site", type=Path, default=None, metavar="SITE", help="default: $CMC_SITE, else ./site.toml")
    remove = add(verbs, "remove", "Take a rule away; a trade of it that is open goes on.", _rule)
    remove.add_argument("word", metavar="RULE")
    site_argument(remove)
    reload = add(verbs, "reload", "Rules and coefficients of a new site file, all at once.", _rule)
    reload.add_argument("site", type=Path, metavar="SITE", help="the new file")
    reload.add_argument("--running", type=Path, default=None, metavar="SITE", help="the one that runs, if another")
    reload.add_argument("--dry-run", action="store_true", help="show what would change, and change nothing")
    for one in (change, remove, reload):
        one.add_argument("--who", required=True, help="the person who decides; goes on record")
        one.add_argument("--reason", required=True, help="goes on record")


def _rule(parsed: argparse.Namespace) -> int:
    from gateway.processes import rule_commands as asked  # noqa: PLC0415 a command loads what it needs

    if parsed.action == "show":
        return asked.show(parsed.site, as_json=parsed.json)
    asker = asked.Asker(parsed.who, parsed.reason)
    if parsed.action == "set":
        return asked.set_keys(parsed.site, parsed.word, parsed.keys, asker)
    if parsed.action == "remove":
        return asked.remove(parsed.site, parsed.word, asker)
    return asked.reload(parsed.site, parsed.running, asker, dry_run=parsed.dry_run)
