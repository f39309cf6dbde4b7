"""A day of clients on real processes, drawn from a seed: orders of every kind, cut lines, kill -9 of each process in turn,
venues that reject, delay, double, bust. Then three records are compared: what each client was told, what execution wrote
into its journal, and what the venues wrote down themselves.

    PYTHONPATH=tests/clients python -m tests.clients.client_day --seeds 20 --first 1

Every fill is told once and every order's end is told; nothing is told that did not happen; an order is accepted once,
ever. A day that fails prints its seed, and its folder is kept.
"""

import argparse
import os
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

sys.path.insert(0, str(Path(__file__).parents[2]))
sys.path.insert(0, str(Path(__file__).parent))

from client_rig import CA, CU, PAIR, client, free_port, stamp
from day_client import DayClient
from day_compare import differences

from gateway.model.trade import Verb
from tests.chaos.rig import AWAY, VENUES, Rig, RigError
from tests.chaos.world import VENUE_FAULTS, site
from tests.chaos.world import profile as faulty

VERSIONS = {"FUND1": "FIX.4.4", "FUND2": "FIXT.1.1", "FUND3": "FIX.4.2"}
DROP = "DROP"
KILLS = ("clients", "execution", "trigger", "feed", "clients", *VENUES, "clients")
"""Ended by kill -9, in an order that the seed draws."""
MORE_FAULTS = ({"name": "correct", "probability": 0.03, "params": {"delay_ms": 500}},)
BUSTS = {"name": "bust", "probability": 0.05, "params": {"delay_ms": 700}}
"""Away only: at home a bust of lots that were closed meanwhile would leave the simulator with fewer than none. A venue that
is silent about an order's bust as well has told nobody: there is no silence where there are busts."""
BACK_S, REST_S = 40, 40


class Length(NamedTuple):
    """How long a day is."""

    kills: int = len(KILLS)
    actions: int = 14
    """Between two kills."""


class Day(Rig):
    """The installation and its clients. `play` is the day; `found` what did not hold."""

    def __init__(self, folder: Path, seed: int, length: Length | None = None) -> None:
        super().__init__(folder, seed=seed, seconds=400, tune=_profile, tune_site=self._site)
        self.seed, self.length = seed, length or Length()
        self.random = Random(seed)  # noqa: S311 a day is drawn from its seed
        self.port = free_port()
        self.funds = [DayClient(self.port, name, version, self.random) for name, version in VERSIONS.items()]
        self.drop = DayClient(self.port, DROP, "FIX.4.4", self.random)
        self.ids = 0
        self.ordered: dict[str, dict[str, list[tuple[int, Any]]]] = {name: {} for name in VERSIONS}
        """Client -> ClOrdID -> the fields of the order, as they went out."""
        self.asked: dict[str, dict[str, str]] = {name: {} for name in VERSIONS}
        """Client -> ClOrdID of a cancel or a replacement -> its OrigClOrdID."""
        self.said: list[str] = []

    def play(self) -> list[str]:
        """The whole day; what did not hold."""
        self.arm()
        self.until("every client is in", self.all_up, BACK_S)
        self.until("orders are taken", self._taken, BACK_S)
        names = self.random.sample(KILLS, len(KILLS))[: self.length.kills]
        for name in names:
            self._trade(self.length.actions)
            self._strike(name)
        self._trade(self.length.actions)
        self._rest()
        return differences(self)

    def all_up(self) -> bool:
        self.turn()
        return all(one.up for one in [*self.funds, self.drop])

    def turn(self) -> None:
        """Let the clients take what came."""
        for one in [*self.funds, self.drop]:
            one.turn()

    def until(self, what: str, done: Callable[[], Any], seconds: float = 30, every: float = 0.005) -> float:
        """As of a rig; the clients live on meanwhile."""

        def look() -> Any:  # noqa: ANN401
            if all(venue in self.venues for venue in VENUES) and self.up is not None:
                self.turn()
            return done()

        return super().until(what, look, seconds, every)

    def close(self) -> None:
        for one in [*self.funds, self.drop]:
            one.close()
        super().close()

    # What happens -----------------------------------------------------------------------------------------------------

    def _site(self, content: dict[str, Any]) -> None:
        site(content)
        content["rule"][0] |= {"cool_down_ms": 1500, "max_units": 100}
        content["clients"] = {"port": self.port}
        content["pair"][0] |= {"max_open_trades": 50, "max_units": 100_000}
        content["limits"] |= {"max_open_trades": 100}
        more = {"leg_orders": True, "max_lots": 50, "orders_per_s": 200}
        content["client"] = [client(name, version=version, **more) for name, version in VERSIONS.items()]
        content["client"][1]["cancel_on_disconnect"] = True
        content["client"].append(client(DROP, drop_copy=True, pairs=[], instruments=[]))

    def _taken(self) -> bool:
        """Whether execution and trigger are heard of: an order that nothing meets is acknowledged."""
        one = self.funds[0]
        self.turn()
        pending = [name for name in self.ordered[one.name] if not one.book.status(name)]
        if not pending:
            self._order(one, price="-90000", force="3", side="1", qty=1)
        return any(one.book.status(name) not in ("", "8") for name in self.ordered[one.name])

    def _trade(self, actions: int) -> None:
        for _ in range(actions):
            one = self.random.choice(self.funds)
            wanted = self.random.choice(ACTIONS)
            wanted(self, one)
            self._pass(self.random.uniform(0, 0.12))

    def _pass(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while True:
            self.turn()
            left = end - time.monotonic()
            if left <= 0:
                return
            time.sleep(min(left, 0.005))

    def _strike(self, name: str) -> None:
        """Kill -9; it comes back, by the supervisor or as a venue that is started again."""
        self.said.append(f"kill {name}")
        if name in VENUES:
            self.venues[name].kill()
            self.venues[name].wait()
            self.start_venue(name)
        else:
            self.until(f"{name} runs", lambda: self._is_back(name, None), BACK_S)
            before = self.process(name)
            os.kill(before.pid, signal.SIGKILL)
            self.until(f"{name} is back", lambda: self._is_back(name, before), BACK_S)
        if self.random.random() < 0.5:
            self.until("armed and reconciled", lambda: self.reconciled() and self.armed(), BACK_S)

    def _is_back(self, name: str, before: object) -> bool:
        try:
            return self.process(name) != before
        except RigError:
            return False

    def _rest(self) -> None:
        """Everything is cancelled and comes to its end."""
        self.until("armed and reconciled", lambda: self.reconciled() and self.armed(), BACK_S)
        self.until("every client is in", self.all_up, BACK_S)
        self.until("every order has ended", self._all_ended, REST_S, every=0.05)
        self.until("disarmed", lambda: self.does(Verb.DISARM), REST_S)  # the house's own rule would trade on
        self.until("nothing is open", self.quiet, REST_S)
        self._pass(1.5)  # what a venue tells late: busts and corrections
        self.until("nothing is open", self.quiet, REST_S)
        self.until("nothing more is told", self._silent, REST_S)
        for one in [*self.funds, self.drop]:
            one.ask_all()
        self._pass(0.5)
        self.until("all of it came again", self._silent, REST_S)

    def _all_ended(self) -> bool:
        """Cancel what is open, ask about what was never heard of."""
        left = False
        for one in self.funds:
            for cl_ord_id in self.ordered[one.name]:
                status = one.book.status(cl_ord_id)
                if status in ("2", "4", "8", "C") or self._unknown(one, cl_ord_id):
                    continue
                left = True
                if status == "":
                    self._ask(one, cl_ord_id)
                elif status not in ("6", "E"):
                    self._cancel(one, cl_ord_id)
            self._pass(0.05)
        return not left

    def _unknown(self, one: DayClient, cl_ord_id: str) -> bool:
        """Whether the gateway has said that it never had such an order."""
        return any(told.get("11") == cl_ord_id and told["35"] == "8" for told in one.unknown)

    def _silent(self) -> bool:
        before = self._counts()
        self._pass(0.7)
        return before == self._counts()

    def _counts(self) -> list[tuple[int, int]]:
        return [(len(one.book.told), len(one.again or ())) for one in [*self.funds, self.drop]]

    # What clients do --------------------------------------------------------------------------------------------------

    def _new_id(self, one: DayClient) -> str:
        self.ids += 1
        return f"{one.name}-{self.ids}"

    def _order(self, one: DayClient, price: str, force: str, side: str, qty: int, symbol: str = PAIR) -> str:
        cl_ord_id = self._new_id(one)
        fields: list[tuple[int, Any]] = [(11, cl_ord_id), (21, 1), (55, symbol), (54, side), (60, stamp()), (38, qty)]
        fields += [(40, 2), (44, price), (59, force)]
        if one.send("D", *fields):
            self.ordered[one.name][cl_ord_id] = fields
        return cl_ord_id

    def immediate(self, one: DayClient) -> None:
        """A pair, at once: mostly at a limit that is met."""
        side = self.random.choice("12")
        met, missed = ("100000", "-100000") if side == "1" else ("-100000", "100000")
        price = met if self.random.random() < 0.85 else missed
        self._order(one, price, self.random.choice("34"), side, self.random.randint(1, 3))

    def resting(self, one: DayClient) -> None:
        """A pair that rests: half of them are met, sooner or later."""
        price = self.random.choice(("100000", "-10", "-40", "-100000"))
        self._order(one, price, self.random.choice("01"), "1", self.random.randint(1, 3))

    def leg(self, one: DayClient) -> None:
        """An order on a leg."""
        symbol, price = self.random.choice(((CU, "80000"), (CA, "10100"), (CU, "72000"), (CA, "9300")))
        force = self.random.choice("301" if symbol == CA else "3014")
        self._order(one, price, force, "1", self.random.randint(1, 5), symbol)

    def cancel(self, one: DayClient) -> None:
        """One of the last orders, open or not."""
        known = list(self.ordered[one.name])[-4:]
        if known:
            self._cancel(one, self.random.choice(known))

    def _cancel(self, one: DayClient, cl_ord_id: str) -> None:
        order = dict(self.ordered[one.name][cl_ord_id])
        name = self._new_id(one)
        fields = [(41, cl_ord_id), (11, name), (55, order[55]), (54, order[54]), (60, stamp())]
        if one.send("F", *fields):
            self.asked[one.name][name] = cl_ord_id

    def replace(self, one: DayClient) -> None:
        """Another limit and quantity for a pair's order; where it is not one that can be, it is refused."""
        known = list(self.ordered[one.name])[-3:]
        if not known:
            return
        cl_ord_id = self.random.choice(known)
        order = dict(self.ordered[one.name][cl_ord_id])
        name = self._new_id(one)
        price = self.random.choice(("100000", "-30")) if order[55] == PAIR else order[44]
        fields: list[tuple[int, Any]] = [(41, cl_ord_id), (11, name), (21, 1), (55, order[55]), (54, order[54])]
        fields += [(60, stamp()), (38, self.random.randint(1, 4)), (40, 2), (44, price), (59, order[59])]
        if one.send("G", *fields):
            self.asked[one.name][name] = cl_ord_id

    def again(self, one: DayClient) -> None:
        """An order that was sent before: as a possible resend, or without a word."""
        known = list(self.ordered[one.name])[-6:]
        if known:
            fields = self.ordered[one.name][self.random.choice(known)]
            one.send("D", *([(97, "Y")] if self.random.random() < 0.5 else []), *fields)

    def inquire(self, one: DayClient) -> None:
        """How an order stands."""
        known = list(self.ordered[one.name])[-6:]
        if known:
            self._ask(one, self.random.choice(known))

    def _ask(self, one: DayClient, cl_ord_id: str) -> None:
        order = dict(self.ordered[one.name][cl_ord_id])
        one.send("H", (11, cl_ord_id), (55, order[55]), (54, order[54]))

    def mass_cancel(self, one: DayClient) -> None:
        """All of a client's orders, or those of a symbol."""
        name = self._new_id(one)
        fields = [(11, name), (530, 7), (60, stamp())] if self.random.random() < 0.5 else []
        one.send("q", *(fields or [(11, name), (530, 1), (55, self.random.choice((PAIR, CU))), (60, stamp())]))

    def prices(self, one: DayClient) -> None:
        """Follow the pair from now on: what is told of it is never told again."""
        fields = [(262, self._new_id(one)), (263, 1), (264, 1), (265, 1), (267, 2), (269, 0), (269, 1)]
        one.send("V", *fields, (146, 1), (55, PAIR))

    def cut(self, one: DayClient) -> None:
        """The line breaks; sometimes that of the drop copy."""
        self.random.choice((one, one, self.drop)).cut()


ACTIONS: tuple[Callable[[Day, DayClient], None], ...] = (
    *[Day.immediate] * 6,
    *[Day.resting] * 4,
    *[Day.leg] * 3,
    *[Day.cancel] * 2,
    *[Day.replace] * 2,
    *[Day.again] * 2,
    Day.inquire,
    Day.mass_cancel,
    Day.prices,
    Day.cut,
)


def _profile(content: dict[str, Any], venue: str) -> None:
    faulty(content, venue)
    content["network"] = {"profile": "same-city"}
    faults = [dict(one) for one in (*VENUE_FAULTS, *MORE_FAULTS)]
    if venue == AWAY:
        faults = [one for one in faults if one["name"] != "silence"] + [dict(BUSTS)]
    content["fault"] = faults


def main() -> int:
    """Days by hand."""
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("--seeds", type=int, default=3, help="how many days")
    words.add_argument("--first", type=int, default=1, help="the first seed")
    given = words.parse_args()
    failed: list[int] = []
    told: Counter[str] = Counter()
    for seed in range(given.first, given.first + given.seeds):
        folder = Path(tempfile.mkdtemp(prefix=f"cmc-day-{seed}-"))
        day = Day(folder, seed)
        begun = time.monotonic()
        try:
            day.start()
            found = day.play()
        except RigError as error:
            found = [str(error), *(line for one in [*day.funds, day.drop] for line in one.book.wrong)]
        finally:
            day.close()
        told["orders"] += sum(len(one) for one in day.ordered.values())
        told["reports"] += sum(len(one.book.told) for one in day.funds)
        print(  # noqa: T201
            f"seed {seed}: {'FAILED' if found else 'ok'} in {time.monotonic() - begun:.0f} s, so far {dict(told)}; "
            f"{', '.join(day.said)}",
            flush=True,
        )
        if found:
            failed.append(seed)
            print(*[f"  {line}" for line in found], f"  kept: {folder}", sep="\n", flush=True)  # noqa: T201
        else:
            shutil.rmtree(folder, ignore_errors=True)
    print(f"{given.seeds} days, failed: {failed or 'none'}")  # noqa: T201
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
