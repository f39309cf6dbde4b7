"""All rules of a trigger: which are watched, what execution says of each, how each stands, and their change at once.

A change is built beside what is there and put in its place when nothing can go wrong any more. A rule that is replaced
keeps what a restart would let it keep (`RuleMemory`) and nothing else, so that to change a rule is to restart with it.
Whether rules contradict each other is judged before (`gateway/processes/rule_checks.py`).

What can go wrong: more and more ended rules. Those beyond `ENDED_KEPT` are forgotten, oldest first, unless a trade of
theirs is open; what is done for every command goes over the others only.
"""

from collections.abc import Collection, Iterable, Sequence
from itertools import islice

import msgspec

from gateway.model.rules import ChangeRules, RuleMemory, RuleStanding, RuleStandingState
from gateway.model.site import RuleSpec
from gateway.trigger.band import Band, Sampler, most_samples
from gateway.trigger.pool import Pool, pool_names
from gateway.trigger.rule import RuleMachine, RuleState

ENDED_KEPT = 100
"""For whoever asks what became of a rule of late."""


def carried(memory: RuleMemory | None, old: RuleSpec | None, new: RuleSpec) -> RuleMemory | None:
    """What a rule remembers under settings `new`: one that had ended lives again when its settings are others."""
    if memory is None or not memory.ended or old == new:
        return memory
    return msgspec.structs.replace(
        memory, ended="", reason="", filled_units=0, before_units=0, birth_units=memory.net_units
    )


class Rulebook:
    """Rules by id, in the order in which they came."""

    def __init__(self, specs: Iterable[RuleSpec], memories: Iterable[RuleMemory], silence_ns: int) -> None:
        self._silence_ns = silence_ns
        remembered = {one.rule_id: one for one in memories}
        self.machines = {one.rule_id: RuleMachine(one, silence_ns, remembered.get(one.rule_id)) for one in specs}
        self._alive = dict(self.machines)
        """Those that have not ended, in the same order; one that has ended leaves when it is next come by."""
        self._out: dict[str, RuleMachine] = {}
        """Those that have ended and of which an intent is still out: what became of it may never be heard."""
        self._pooled: frozenset[str] = frozenset()
        """Pairs with a rule that closes: there a rule may share a position with others."""
        self._nets = {name: one.net_units for name, one in remembered.items()}
        self._samplers: dict[tuple[str, int], Sampler] = {}
        self._said: dict[str, tuple[RuleStanding, RuleMemory]] = {}
        for machine in self.machines.values():
            if machine.spec.immediate and not machine.is_out and machine.ended_as is None:
                machine.end(RuleStandingState.EXPIRED, "the trigger was restarted")
        self._join(None)

    def live(self, pair_id: str) -> list[RuleMachine]:
        """The rules of a pair that may fire, now or later."""
        return [one for one in self._living() if one.spec.pair_id == pair_id]

    def specs(self, but: Collection[str] | None = None) -> tuple[RuleSpec, ...]:
        """All that have not been removed; with `but` only those that have not ended, and these."""
        removed = RuleStandingState.REMOVED
        if but is not None and not but:
            return tuple([one.spec for one in self._living()])
        kept = (one for one in self.machines.values() if one.ended_as is not removed)
        if but is None:
            return tuple([one.spec for one in kept])
        return tuple([one.spec for one in kept if one.ended_as is None or one.spec.rule_id in but])

    def memories(self) -> tuple[RuleMemory, ...]:
        """What each must not forget."""
        return tuple(one.memory() for one in self.machines.values())

    def change(self, command: ChangeRules, at_ns: int) -> set[str]:
        """Carry a change out; the pairs whose rules are others now."""
        made = {spec.rule_id: self._made(spec) for spec in command.rules}
        gone = [self.machines[name] for name in command.removed]
        replaces = not made.keys().isdisjoint(self.machines)
        self.machines.update(made)
        for machine in gone:
            machine.end(RuleStandingState.REMOVED, command.reason)
        if replaces:  # each keeps its place
            self._living()
            self._out = {name: one for name, one in self._out.items() if name not in made}
            self._alive = {name: one for name, one in self.machines.items() if one.ended_as is None}
        else:
            self._alive.update(made)
        touched = {one.spec.pair_id for one in (*made.values(), *gone)}
        self._join(touched)
        for sampler in self._samplers.values():
            sampler.begin(at_ns)
        return touched

    def hold(self, rule_id: str, net_units: int) -> None:
        """What execution holds by a rule's trades, one that is not known yet included."""
        self._nets[rule_id] = net_units
        if rule_id in self.machines:
            self.machines[rule_id].holds(net_units)

    # Samples of moving bands.

    def load(self, pair_id: str, interval_ns: int, samples: Sequence[int]) -> None:
        """Samples of the record, oldest first, before any of now."""
        sampler = self._samplers.get((pair_id, interval_ns))
        if sampler is None:
            return
        sampler.kept.extend(samples)
        for machine in self._sampled(sampler):
            if machine.spec.band is not None:
                machine.band, machine.changed = Band(machine.spec.band, sampler.kept), True

    def due_samplers(self, at_ns: int) -> list[Sampler]:
        """Those of which a sample is to be taken now."""
        return [one for one in self._samplers.values() if one.is_due(at_ns)]

    def sample(self, sampler: Sampler, sample_e9: int) -> None:
        """Take one in: the thresholds of its rules move."""
        sampler.kept.append(sample_e9)
        for machine in self._sampled(sampler):
            if machine.band is not None:
                was_warm = machine.band.is_warm
                machine.band.add(sample_e9)
                machine.changed = machine.changed or was_warm is not machine.band.is_warm

    def expire(self, at_ns: int) -> set[str]:
        """End the rules whose time is over; their pairs."""
        ended: set[str] = set()
        for machine in self._living():
            machine.expire(at_ns)
            if machine.ended_as is not None:
                ended.add(machine.spec.pair_id)
        for name, machine in list(self._out.items()):
            machine.expire(at_ns)
            if not machine.is_out:
                del self._out[name]
        return ended

    def due_ns(self, at_ns: int) -> int:
        """When, after `at_ns`, something is due by the clock alone; 0: nothing is."""
        due = [one.due_ns for one in self._samplers.values()]
        due += [next_ns for one in (*self._living(), *self._out.values()) if (next_ns := one.next_ns) > at_ns]
        return min(due, default=0)

    # How they stand.

    def news(self, at_ns: int) -> tuple[list[RuleStanding], list[RuleMemory]]:
        """How rules stand, and what they remember, where that is other than when this was last asked."""
        standings, memories = [], []
        for name, machine in self.machines.items():
            if not machine.changed:
                continue
            machine.changed = False
            now, memory = self.standing(machine, at_ns), machine.memory()
            last, written = self._said.get(name, (None, None))
            if last is None or msgspec.structs.replace(now, at_ns=last.at_ns) != last:
                standings.append(now)
            if memory != written:
                memories.append(memory)
            self._said[name] = (now, memory)
        if standings:
            self._forget()
        return standings, memories

    def all_standings(self, at_ns: int = 0) -> list[RuleStanding]:
        """How every rule stands, ended ones of late included; `at_ns` 0: as it was last told where it was."""
        made = []
        for name, machine in self.machines.items():
            last, _ = self._said.get(name, (None, None))
            made.append(self.standing(machine, at_ns) if at_ns or last is None else last)
        return made

    @staticmethod
    def standing(machine: RuleMachine, at_ns: int) -> RuleStanding:
        """A rule as its client sees it."""
        return RuleStanding(
            machine.spec.rule_id,
            machine.spec.pair_id,
            machine.standing(),
            machine.filled_units,
            machine.net_units,
            machine.out_units,
            machine.leaves_units(),
            machine.reason or ("" if machine.state is RuleState.FIRED else machine.obstacle(at_ns)),
            at_ns,
            machine.intent_id,
        )

    def _made(self, spec: RuleSpec) -> RuleMachine:
        old = self.machines.get(spec.rule_id)
        if old is None or old.ended_as is RuleStandingState.REMOVED:
            net_units = self._nets.get(spec.rule_id, 0)
            memory = RuleMemory(spec.rule_id, net_units, 0, birth_units=net_units)
            return RuleMachine(spec, self._silence_ns, memory, self._band(spec))
        band = None
        if spec.band is not None and old.band is not None and old.band.like(spec.band):
            band = old.band.again(spec.band)
        return RuleMachine(spec, self._silence_ns, carried(old.memory(), old.spec, spec), band or self._band(spec))

    def _band(self, spec: RuleSpec) -> Band | None:
        if spec.band is None:
            return None
        sampler = self._samplers.get((spec.pair_id, spec.band.interval_ns))
        return Band(spec.band, () if sampler is None else sampler.kept)

    def _sampled(self, sampler: Sampler) -> list[RuleMachine]:
        return [
            one
            for one in self.live(sampler.pair_id)
            if one.spec.band is not None and one.spec.band.interval_ns == sampler.interval_ns
        ]

    def _join(self, pair_ids: set[str] | None) -> None:
        """Give each rule its pool and each band its sampler; None: of all pairs."""
        alive = self._living()
        touched = {one.spec.pair_id for one in self.machines.values()} if pair_ids is None else pair_ids
        closing = {one.spec.pair_id for one in alive if Pool.is_closer(one.spec)}
        for pair_id in touched:
            if pair_ids is None or pair_id in closing or pair_id in self._pooled:
                self._pool(pair_id)
            self._sample_of(pair_id, [one for one in alive if one.spec.pair_id == pair_id])

    def _pool(self, pair_id: str) -> None:
        """Give each rule of a pair its pool: what one that has ended holds counts in it. Elsewhere each has its own."""
        machines = [one for one in self.machines.values() if one.spec.pair_id == pair_id]
        if any(Pool.is_closer(one.spec) for one in machines):
            self._pooled |= {pair_id}
        else:
            self._pooled -= {pair_id}
        pools: dict[str, Pool] = {}
        for name, pool_name in pool_names(one.spec for one in machines).items():
            pool = pools.setdefault(pool_name, Pool(pool_name))
            pool.members.append(self.machines[name])
            self.machines[name].pool = pool

    def _living(self) -> list[RuleMachine]:
        """Those that have not ended."""
        alive = list(self._alive.values())
        ended = [one.spec.rule_id for one in alive if one.ended_as is not None]
        if not ended:
            return alive
        for name in ended:
            machine = self._alive.pop(name)
            if machine.is_out:
                self._out[name] = machine
        return list(self._alive.values())

    def _sample_of(self, pair_id: str, alive: Iterable[RuleMachine]) -> None:
        most: dict[int, int] = {}
        for machine in alive:
            band = machine.spec.band
            if band is not None:
                most[band.interval_ns] = max(most.get(band.interval_ns, 0), most_samples(band))
        for interval_ns, kept in most.items():
            sampler = self._samplers.setdefault((pair_id, interval_ns), Sampler(pair_id, interval_ns, kept))
            sampler.resize(kept)
        for key in [one for one in self._samplers if one[0] == pair_id and one[1] not in most]:
            del self._samplers[key]

    def _forget(self) -> None:
        beyond = len(self.machines) - len(self._living()) - ENDED_KEPT
        if beyond <= 0:
            return
        ended = (name for name, one in self.machines.items() if one.ended_as is not None and not one.is_out)
        for name in list(islice(ended, beyond)):
            del self.machines[name]
            self._said.pop(name, None)
