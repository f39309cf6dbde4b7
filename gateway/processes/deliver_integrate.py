"""`cmc deliver integrate`: certification dialogs against a site's venues, or against simulators started for it.

Each session, order type and market-data request of `acceptance/dialogs` is played with every step's expected, actual
and FIX log; clock and network are measured; with simulators, pair trades of one unit are made end to end and
reconciled. Exit codes: 0 all came out, 1 a step did not, 2 a wrong call.

The dialogs use up numbers of the sessions and open positions of a lot: play them on a venue's test environment.
"""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from gateway.journal.told import environment_language, said, told, told_by

if TYPE_CHECKING:
    from acceptance.integrate_dialog import Dialog
    from acceptance.integrate_play import Played

OK, FAILED, WRONG_CALL = 0, 1, 2


def register(steps: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add it."""
    text = "Play the certification dialogs against the venues of a site (docs/DELIVERY.md)."
    one = steps.add_parser("integrate", help=text, description=text)
    one.add_argument("site", nargs="?", type=Path, default=None, metavar="SITE", help="whose venues; or --simulators")
    one.add_argument("--simulators", action="store_true", help="against simulators that are started for it")
    one.add_argument("--dialogs", type=Path, default=None, metavar="DIR", help="default: acceptance/dialogs")
    one.add_argument("--trades", type=int, default=3, metavar="N", help="with --simulators: pair trades (default 3)")
    one.add_argument("--seed", type=int, default=7, help="of the simulators (default 7)")
    one.add_argument("--out", type=Path, default=Path("runs/integrate"), metavar="DIR", help="where the report goes")
    one.set_defaults(handler=_integrate)


def _integrate(parsed: argparse.Namespace) -> int:
    from acceptance.integrate_dialog import DialogFileError  # noqa: PLC0415 a command loads what it needs
    from gateway.processes.deliver_world import WorldError  # noqa: PLC0415

    if (parsed.site is None) != parsed.simulators:
        _complain(told("name a SITE, or --simulators: one of the two"))
        return WRONG_CALL
    try:
        return integrate(parsed)
    except DialogFileError as error:
        _complain(told_by(error))
        return WRONG_CALL
    except (WorldError, OSError) as error:
        _complain(told_by(error))
        return FAILED


def integrate(parsed: argparse.Namespace) -> int:
    """The whole step."""
    from acceptance.integrate_dialog import DIALOGS, load_dialogs  # noqa: PLC0415
    from acceptance.integrate_paper import evidence, paper  # noqa: PLC0415
    from acceptance.paper import render, write_json  # noqa: PLC0415
    from gateway.processes import clock  # noqa: PLC0415
    from gateway.processes.integrate_venues import play_site, trade  # noqa: PLC0415
    from gateway.processes.site_open import load  # noqa: PLC0415

    dialogs = load_dialogs(parsed.dialogs or DIALOGS)
    parsed.out.mkdir(parents=True, exist_ok=True)
    traded = None
    if parsed.simulators:
        played = _simulated(parsed, dialogs)
        traded = trade(parsed.out / "trades", parsed.trades, parsed.seed) if parsed.trades else None
        subject = "simulators"
    else:
        site = load(parsed.site)
        played, subject = play_site(site, dialogs), site.name
    made = paper(played, traded, subject, clock.utc_ns())
    content = made.plain() | {"kind": "integrate", "steps": evidence(played)}
    (parsed.out / "integrate.json").write_text(write_json(content), encoding="utf-8")
    page = parsed.out / "integrate.html"
    page.write_text(render(made), encoding="utf-8")
    for table in played:
        for one in table.results:
            if one.came.value in {"fail", "not run"}:
                _say(told("{}: {}: {}: {}: {}", one.venue, one.dialog, one.step.do, told(one.came.value), one.actual))
    _say(told("{}: {}", told(made.verdict), page))
    return OK if made.verdict == "pass" else FAILED


def _simulated(parsed: argparse.Namespace, dialogs: "list[Dialog]") -> "list[Played]":
    from gateway.processes.deliver_world import venues  # noqa: PLC0415
    from gateway.processes.integrate_venues import play_site  # noqa: PLC0415
    from gateway.processes.settings import load_site  # noqa: PLC0415
    from gateway.processes.toml_text import toml_text  # noqa: PLC0415

    with venues(parsed.out / "dialogs", seed=parsed.seed, seconds=120, network="none") as at:
        path = at.folder / "site.toml"
        path.write_text(toml_text(at.site_tables()), encoding="utf-8")
        return play_site(load_site(path), dialogs)


def _complain(text: str) -> None:
    print(said(text, environment_language()), file=sys.stderr)  # noqa: T201 a command line speaks


def _say(text: str) -> None:
    print(said(text, environment_language()))  # noqa: T201 the command's answer
