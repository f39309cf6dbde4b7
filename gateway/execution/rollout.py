"""Where the installation stands in its rollout plan, and what this stage lets through. Pure.

A plan is given by a command, begins at its first stage, and from there goes up one stage at a time, on the word of one
of its approvers with the digest of the record that they signed; down by any named person, or by itself (`tripwire.py`).
What is asked before a stage may be left is judged outside (`cmc stage`); here nothing is measured over days.

Checks change nothing, for a rehearsal runs them too: what an opportunity came to is noted when its intent is taken in.
A pair trade keeps the size and the limits that it was opened with: a fall-back stops new ones, not what is open.

What can go wrong: a plan that is none, a stage that is skipped, an unknown approver: refused, and nothing changes.
"""

import msgspec

from gateway.execution.ledger import Ledger
from gateway.execution.rollout_standing import Standing
from gateway.model.rollout import SHADOW, STAGES, Rollout, StageLimits
from gateway.model.trade import Command, Intent

_DIGEST_DIGITS = 64


def begin(ledger: Ledger, command: Command, at_ns: int) -> tuple[bool, str]:
    """The command `rollout`: a plan, as JSON; the one in force already is left as it is."""
    try:
        plan = msgspec.json.decode(command.argument, type=Rollout)
    except (msgspec.DecodeError, ValueError) as error:
        return False, f"no rollout plan: {error}"
    if fault := _fault(ledger, plan):
        return False, f"plan {plan.name}: {fault}"
    if ledger.rollout is not None and ledger.rollout.plan == plan:
        return True, f"plan {plan.name} is in force, at {ledger.rollout.stage.name}"
    if command.who not in plan.approvers:
        return False, f"{command.who!r} is no approver of plan {plan.name}; one of {', '.join(plan.approvers)}"
    ledger.rollout = Standing(plan, at_ns)
    ledger.rollout.orders_before = ledger.orders_ever
    ledger.stage = plan.stages[0].kind
    return True, f"plan {plan.name} begins at {plan.stages[0].name}"


def _fault(ledger: Ledger, plan: Rollout) -> str:
    """What a plan must hold to for execution's sake; the rest is the file's check."""
    kinds = [one.kind for one in plan.stages]
    if any(kind not in STAGES for kind in kinds) or sorted(kinds, key=STAGES.index) != kinds or set(kinds) != {*STAGES}:
        return f"stages {', '.join(kinds)}: {', '.join(STAGES)} in this order, none left out"
    names = [one.name for one in plan.stages]
    if len(set(names)) != len(names) or not plan.approvers:
        return "every stage has a name of its own, and there is an approver"
    settings = ledger.settings
    accounts = {one.account for one in settings.venues.values()} | {
        one.account for one in settings.instruments.values()
    }
    for stage in plan.stages:
        limits = stage.limits
        for what, listed, there in (
            ("pair", limits.pairs, settings.pairs),
            ("venue", limits.venues, settings.venues),
            ("instrument", limits.instruments, settings.instruments),
            ("account", limits.accounts, accounts),
        ):
            unknown = [name for name in listed if name not in there]
            if unknown:
                return f"stage {stage.name}: no {what} {', '.join(unknown)}"
    return ""


def move(ledger: Ledger, command: Command, at_ns: int) -> tuple[bool, str]:
    """The command `stage` while a plan is in force: `NAME` down, `NAME DIGEST` one stage up."""
    standing = ledger.rollout
    assert standing is not None  # noqa: S101 - the caller has looked
    name, _, digest = command.argument.partition(" ")
    plan = standing.plan
    place = plan.place(name)
    if place < 0:
        return False, f"plan {plan.name} has no stage {name!r}; one of {', '.join(one.name for one in plan.stages)}"
    if place > standing.place + 1:
        skipped = plan.stages[standing.place + 1].name
        return False, f"{standing.stage.name} to {name} skips {skipped}; a plan goes up one stage at a time"
    if place > standing.place:
        if command.who not in plan.approvers:
            return False, f"{command.who!r} is no approver of plan {plan.name}; one of {', '.join(plan.approvers)}"
        if len(digest) != _DIGEST_DIGITS or not set(digest) <= set("0123456789abcdef"):
            return (
                False,
                f"going up to {name} needs the digest of a signed record; `cmc stage {name} --key FILE` makes it",
            )
    was = standing.stage.name
    if place != standing.place:
        enter(ledger, place, at_ns)
    return True, f"stage {was} to {name}"


def enter(ledger: Ledger, place: int, at_ns: int) -> None:
    """Stand at this stage from now on."""
    standing = ledger.rollout
    assert standing is not None  # noqa: S101 - whoever moves has looked
    standing.enter(place, at_ns, ledger.orders_ever)
    ledger.stage = standing.stage.kind


def refuses(ledger: Ledger, intent: Intent, at_ns: int) -> str:
    """Why this stage does not let an intent through; empty when it does, or when no plan is in force."""
    standing = ledger.rollout
    if standing is None or intent.pair_id not in ledger.settings.pairs:
        return ""
    stage = standing.stage
    if stage.kind == SHADOW:
        return f"stage {stage.name} sends nothing"
    found = _named(ledger, intent, stage.limits) or _counted(ledger, intent, standing)
    if not found and len(intent.legs) > 1 and not standing.lets_through(intent, at_ns):
        found = f"not among the {stage.limits.share_e6 / 10_000:g} % of opportunities"
    return f"stage {stage.name}: {found}" if found else ""


def _named(ledger: Ledger, intent: Intent, limits: StageLimits) -> str:
    if limits.pairs and intent.pair_id not in limits.pairs:
        return f"pair {intent.pair_id} is not among {', '.join(limits.pairs)}"
    for leg in intent.legs:
        instrument = ledger.settings.instruments.get(leg.instrument_id)
        if instrument is None:
            continue
        account = instrument.account or ledger.settings.venues[instrument.venue_id].account
        for what, name, allowed in (
            ("instrument", leg.instrument_id, limits.instruments),
            ("venue", instrument.venue_id, limits.venues),
            ("account", account, limits.accounts),
        ):
            if allowed and name not in allowed:
                return f"{what} {name} is not among {', '.join(allowed)}"
    return ""


def _counted(ledger: Ledger, intent: Intent, standing: Standing) -> str:
    limits = standing.stage.limits
    if limits.max_units is not None and intent.units > limits.max_units:
        return f"{intent.units} units, at most {limits.max_units}"
    if limits.max_open_trades is not None and len(ledger.open_trades) >= limits.max_open_trades:
        return f"{len(ledger.open_trades)} pair trades open, at most {limits.max_open_trades}"
    orders = ledger.orders_ever - standing.orders_before
    if limits.max_orders is not None and orders + len(intent.legs) > limits.max_orders:
        return f"{orders} orders so far, at most {limits.max_orders}"
    held = ledger.pair_units.get(intent.pair_id, 0)
    after = held + intent.side.sign * intent.units
    if limits.max_pair_units is not None and abs(after) > max(limits.max_pair_units, abs(held)):
        return f"{after} units of {intent.pair_id}, at most {limits.max_pair_units}"
    if limits.max_position_lots is not None:
        for leg in intent.legs:
            if leg.instrument_id not in ledger.settings.instruments:
                continue
            worst = abs(ledger.exposure.furthest_with(leg))
            if worst > limits.max_position_lots:
                return f"{leg.instrument_id}: up to {worst} lots, at most {limits.max_position_lots}"
    return ""


def sized(ledger: Ledger, intent: Intent) -> Intent:
    """The intent with no more units than the stage allows; as it is where its rule wants more at once, or is unknown.

    A smaller size of the same books at the same limits is never worse to fill.
    """
    standing = ledger.rollout
    most = standing.stage.limits.max_units if standing is not None else None
    rule = ledger.settings.rules.get(intent.rule_id)
    if most is None or intent.units <= most or rule is None or rule.min_units > most:
        return intent
    legs = tuple([msgspec.structs.replace(leg, qty_lots=leg.ratio_lots * most) for leg in intent.legs])
    return msgspec.structs.replace(intent, units=most, legs=legs)
