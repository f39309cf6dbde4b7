"""`cmc rule show`, `set`, `remove`, `reload`: a person looks at the rules of a running site and changes them.

What is asked for is judged here as a site file is (`cmc check`) before it is sent, so that each mistake is told with
its key; the trigger judges again and decides. A new site file may differ from the running one in rules and coefficients
of pairs; what else differs needs a restart, and is named.

What can go wrong: the trigger does not answer. Then nothing is known; the same command may be sent again.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from gateway.bus.rules import RulesClient
from gateway.journal.told import joined, told
from gateway.model.base import plain
from gateway.model.rules import ENDED_STANDINGS, AskRules, ChangeRules, RulesInForce
from gateway.model.site import PairSpec, RuleSpec
from gateway.model.trade import CommandAnswered
from gateway.processes import clock
from gateway.processes.cli import FAILED, OK, WrongCallError
from gateway.processes.durations import MS, SECOND
from gateway.processes.ids import IdCounter, next_epoch
from gateway.processes.rule_checks import command_mistakes, other_keys
from gateway.processes.rule_keys import rule_keys, rule_spec
from gateway.processes.rule_words import lines, pair_difference, rule_difference, rules_words
from gateway.processes.settings import Site, load_site
from gateway.processes.site_file import RuleSection, RuleWord
from gateway.processes.site_mistakes import Mistake, nearest
from gateway.processes.site_open import load, run_dir_of, site_path
from gateway.processes.site_rules import key_mistakes
from gateway.processes.site_types import type_remedy
from gateway.processes.supervisor_log import out, say

TIMEOUT_NS = 2 * SECOND
SAME_WITHOUT_RESTART = ("path", "rules", "pairs", "digest")
"""Fields of a site that a reload looks at by itself."""
OF_THE_PATH = ("state_dir", "bus_dir", "calendars", "clients")
"""Fields that differ between two files in two folders."""
LISTS = ("financed", "slippage_ticks", "days")
NONE = "none"


class Asker(NamedTuple):
    """Who changes, and why."""

    who: str
    reason: str


def show(path: Path | None, *, as_json: bool) -> int:
    """Every rule in force and where it stands."""
    site = load(site_path(path))
    found = _in_force(site)
    if found is None:
        return _silent(site)
    if as_json:
        out(msgspec.json.format(msgspec.json.encode(_content(found), enc_hook=plain), indent=1).decode())
        return OK
    for line in rules_words(found):
        out(line, site.language)
    return OK


def set_keys(path: Path | None, rule_id: str, words: Sequence[str], asker: Asker) -> int:
    """Change keys of a rule, or make a new one of them."""
    site = load(site_path(path))
    found = _in_force(site)
    if found is None:
        return _silent(site)
    pairs = {one.pair_id: one for one in found.pairs}
    old = next((one for one in found.rules if one.rule_id == rule_id), None)
    keys: dict[str, object] = {"id": rule_id} if old is None else rule_keys(old, pairs)
    try:
        section = RuleSection.model_validate(changed_keys(keys, words))
    except ValidationError as error:
        return _refuse(site, [_typed(rule_id, one) for one in error.errors(include_url=False)])
    mistakes = list(key_mistakes(section, f"rule {rule_id}", site.bus.pair_price_interval_ns // MS))
    mistakes += set_mistakes(section, rule_id, pairs)
    if mistakes:
        return _refuse(site, mistakes)
    new = rule_spec(section)
    if old is not None and old.immediate:
        new = msgspec.structs.replace(new, immediate=True)
    command = ChangeRules(_id(site), asker.who, asker.reason, rules=(new,))
    return _send(site, found, command, rule_difference(old, new, pairs) if new.pair_id in pairs else [])


def remove(path: Path | None, rule_id: str, asker: Asker) -> int:
    """Take a rule away; a trade of it that is open goes on."""
    site = load(site_path(path))
    found = _in_force(site)
    if found is None:
        return _silent(site)
    command = ChangeRules(_id(site), asker.who, asker.reason, removed=(rule_id,))
    return _send(site, found, command, removal(rule_id, found))


def removal(rule_id: str, found: RulesInForce) -> list[str]:
    """That it goes, and what it holds: no rule closes that any more."""
    lines_of: list[str] = [told("- rule {}", rule_id)]
    held = next((one.held_units for one in found.standings if one.rule_id == rule_id), 0)
    if held:
        lines_of.append(told("  rule {} holds {} units: they stay, and it closes them no more", rule_id, held))
    return lines_of


def reload(path: Path, running: Path | None, asker: Asker, *, dry_run: bool) -> int:
    """Rules and coefficients of a new site file, all at once."""
    new = load(path)
    site = new if running is None else load(running)
    found = _in_force(site)
    if found is None:
        return _silent(site)
    other = _needs_restart(site, new)
    if other:
        return _refuse(site, other)
    command, differences = reload_command(_id(site), asker, found, new)
    if dry_run or not (differences or command.base_digest != found.site_digest):
        out(lines(differences) if differences else told("no difference to the rules in force"), site.language)
        return OK
    done = _send(site, found, command, differences)
    if done == OK and new.path != site.path:
        out(told("the next start reads {}: put the new rules there", site.path), site.language)
    return done


def reload_command(command_id: str, asker: Asker, found: RulesInForce, new: Site) -> tuple[ChangeRules, list[str]]:
    """What makes the rules in force those of `new`, and its differences; rules of clients stay."""
    in_force = {one.rule_id: one for one in found.rules}
    pairs = {one.pair_id: one for one in found.pairs}
    clients = {one.rule_id for one in found.rules if _of_a_client(one, found)}
    rules = tuple(one for one in new.rules.values() if in_force.get(one.rule_id) != one)
    removed = tuple(name for name in in_force if name not in new.rules and name not in clients)
    changed = tuple(one for one in new.pairs.values() if pairs.get(one.pair_id) != one)
    differences: list[str] = []
    for one in rules:
        differences += rule_difference(in_force.get(one.rule_id), one, {**pairs, **dict(new.pairs)})
    for name in removed:
        differences += removal(name, found)
    for pair in changed:
        differences += pair_difference(pairs.get(pair.pair_id, pair), pair)
    command = ChangeRules(command_id, asker.who, asker.reason, rules, removed, changed, new.digest, tuple(new.rules))
    return command, differences


def changed_keys(keys: dict[str, object], words: Sequence[str]) -> dict[str, object]:
    """The keys of a rule with `key=value` words put in; band.length=20 reaches into a table, none takes a key away."""
    made: dict[str, object] = {key: dict(value) if isinstance(value, dict) else value for key, value in keys.items()}
    for word in words:
        key, equals, value = word.partition("=")
        if not equals or not key:
            message = told("{}: key=value, such as buy_at=-120.5", repr(word))
            raise WrongCallError(message)
        table: dict[str, object] = made
        *above, last = key.split(".")
        for name in above:
            inner = table.setdefault(name, {})
            if not isinstance(inner, dict):
                message = told("{}: {} is no table", repr(word), name)
                raise WrongCallError(message)
            table = inner
        if value == NONE:
            table.pop(last, None)
        else:
            table[last] = [part for part in value.split(",") if part] if last in LISTS else value
    return made


def set_mistakes(section: RuleSection, rule_id: str, pairs: Mapping[str, PairSpec]) -> list[Mistake]:
    """What would be lost on the way to the trigger, and so change something else than was asked for."""
    key = f"rule {rule_id}"
    found = []
    if section.id != rule_id:
        # Set under another id it would be a second rule that trades beside the first.
        found.append(Mistake(f"{key}.id", section.id, told("{}: a rule keeps its id", rule_id)))
    pair = pairs.get(section.pair)
    if pair is not None and section.kind not in (RuleWord.COUNTER_PRICE, RuleWord(pair.formula.value)):
        remedy = told("the formula of pair {}, {}", pair.pair_id, pair.formula.value)
        found.append(Mistake(f"{key}.kind", section.kind.value, remedy))
    return found


def _of_a_client(rule: RuleSpec, found: RulesInForce) -> bool:
    """Put there by a command and by no file: it is not the site file's to take away."""
    return rule.rule_id in found.changed and rule.rule_id not in found.file_rules


def _needs_restart(running: Site, new: Site) -> list[Mistake]:
    """What the new file has otherwise that only a start takes up: against the file that the site was started with."""
    started = _as_started(running)
    mistakes = []
    for name in started.__dataclass_fields__:
        if name in SAME_WITHOUT_RESTART or getattr(started, name) == getattr(new, name):
            continue
        if name in OF_THE_PATH and running.path != new.path:
            continue
        mistakes.append(Mistake(name, told("another value"), told("as it is: it changes with a restart only")))
    mistakes += _other_pairs(started.pairs, new.pairs)
    return mistakes


def _other_pairs(was: Mapping[str, PairSpec], now: Mapping[str, PairSpec]) -> list[Mistake]:
    found = [
        Mistake(f"pair {name}", told("another value"), told("as it is: it changes with a restart only"))
        for name in {*was} ^ {*now}
    ]
    for name in [one for one in now if one in was]:
        found += [
            Mistake(f"pair {name}.{key}", told("another value"), told("as it is: it changes with a restart only"))
            for key in other_keys(was[name], now[name])
        ]
    return found


def _as_started(site: Site) -> Site:
    """The site as its run keeps it."""
    kept = run_dir_of(site) / "site.toml"
    return load_site(site.path, as_kept=kept) if kept.is_file() else site


def _send(site: Site, found: RulesInForce, command: ChangeRules, differences: Sequence[str]) -> int:
    """Judge, show what changes, send, and say what became of it."""
    if not command.who.strip() or not command.reason.strip():
        message = told("--who and --reason have to say something; both go on record")
        raise WrongCallError(message)
    ended = {one.rule_id for one in found.standings if one.state in ENDED_STANDINGS}
    rules = {one.rule_id: one for one in found.rules if one.rule_id not in ended or one.rule_id in command.removed}
    pairs = {one.pair_id: one for one in found.pairs}
    mistakes = command_mistakes(command, rules, pairs, site.instruments, clock.utc_ns())
    if mistakes:
        return _refuse(site, mistakes)
    if differences:
        out(lines(differences), site.language)
    with RulesClient(site.bus_dir) as client:
        answer = client.ask(command, TIMEOUT_NS)
    if not isinstance(answer, CommandAnswered):
        return _silent(site)
    out(told("{}: {}", told("done") if answer.done else told("refused"), answer.text), site.language)
    return OK if answer.done else FAILED


def _in_force(site: Site) -> RulesInForce | None:
    with RulesClient(site.bus_dir) as client:
        answer = client.ask(AskRules(_id(site)), TIMEOUT_NS)
    return answer if isinstance(answer, RulesInForce) else None


def _id(site: Site) -> str:
    return IdCounter("R", next_epoch(site.state_dir)).next()


def _silent(site: Site) -> int:
    say(told("the trigger did not answer; nothing is known. Is the site up? `cmc status {}`", site.path), site.language)
    return FAILED


def _refuse(site: Site, mistakes: Sequence[Mistake]) -> int:
    told_lines = [told("{} = {}: right would be {}", one.key, one.value, one.remedy) for one in mistakes]
    out(joined("\n", [*told_lines, told("refused; nothing was changed")]), site.language)
    return FAILED


def _typed(rule_id: str, error: ErrorDetails) -> Mistake:
    place = ".".join(str(part) for part in error["loc"])
    key = f"rule {rule_id}.{place}"
    if error["type"] == "missing":
        return Mistake(key, told("missing"), told("a value; a new rule needs all that a site file's does"))
    value = json.dumps(error["input"], default=str, ensure_ascii=False)[:60]
    if error["type"] == "extra_forbidden":
        name = str(error["loc"][-1])
        return Mistake(key, value, told("no such key; {}", nearest(name, RuleSection.model_fields)))
    return Mistake(key, value, type_remedy(error))


def _content(found: RulesInForce) -> dict[str, object]:
    pairs = {one.pair_id: one for one in found.pairs}
    standings = {one.rule_id: msgspec.structs.asdict(one) for one in found.standings}
    return {
        "site_digest": found.site_digest,
        "rules": [{**rule_keys(one, pairs), "standing": standings.get(one.rule_id)} for one in found.rules],
        "changed": found.changed,
        "conflicts": found.conflicts,
    }
