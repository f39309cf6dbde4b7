"""What `deploy/` holds: sites that check, plans that fit their sites, profiles, units, container files that name real things."""

from __future__ import annotations

import re
import shutil
import subprocess
import tomllib
from configparser import RawConfigParser
from decimal import Decimal
from pathlib import Path

import pytest

from acceptance.grey_plan import load_plan
from gateway.processes.deliver_grey import check_names
from gateway.processes.durations import SECOND
from gateway.processes.settings import load_site
from gateway.processes.site_open import RUN_FOLDER
from gateway.processes.supervisor import STOP_ORDER, TERM_GRACE_NS
from simulators.profile import read_profile

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"


@pytest.mark.parametrize("name", ["demo", "gold", "copper"])
def test_each_site_checks_and_its_plan_fits_it(name: str) -> None:
    """`cmc check` finds no mistake, and every pair, venue, contract and account of the plan is the site's."""
    site = load_site(DEPLOY / "sites" / f"{name}.toml", {})
    check_names(load_plan(DEPLOY / "plans" / f"{name}.toml"), site)
    assert site.venues.keys() >= {"SHFE"}


@pytest.mark.parametrize("name", ["gold", "copper"])
def test_a_desk_begins_in_shadow_with_named_approvers(name: str) -> None:
    """Nothing is sent before somebody has signed."""
    content = tomllib.loads((DEPLOY / "sites" / f"{name}.toml").read_text(encoding="utf-8"))
    assert content["site"]["stage"] == "shadow"
    assert len(content["approver"]) == 2
    assert content["journal"]["sync_before_send"] is True


@pytest.mark.parametrize("name", ["gold", "copper"])
def test_a_desk_holds_no_more_than_its_margin_carries(name: str) -> None:
    """Each venue's position limits, at the margin of a lot, stay within the margin that the site lets it use."""
    content = tomllib.loads((DEPLOY / "sites" / f"{name}.toml").read_text(encoding="utf-8"))
    traded = [one for one in content["instrument"] if one.get("tradable", True)]
    for venue in content["venue"]:
        own = [one for one in traded if one["venue"] == venue["id"]]
        needed = sum(one["max_position_lots"] * Decimal(one["margin_per_lot"]) for one in own)
        (available,) = (Decimal(one) for one in venue["margin_available"].values())
        assert 0 < needed <= available
        assert venue["max_net_lots"] == sum(one["max_position_lots"] for one in own)
        assert all(one["max_qty"] <= one["max_position_lots"] for one in own)


def test_what_the_documentation_names_is_there() -> None:
    """Each file and folder of deploy/ and tests/ in the page about delivery exists."""
    text = (ROOT / "docs" / "DELIVERY.md").read_text(encoding="utf-8")
    named = set(re.findall(r"(?:deploy|tests)/[\w./-]+\w", text))
    assert "deploy/container/compose.yaml" in named
    assert [one for one in named if not (ROOT / one).exists()] == []


def test_container_venues_listen_where_the_site_connects() -> None:
    """Ports, CompIDs and symbols of the two profiles are those of the demonstration's site."""
    site = load_site(DEPLOY / "sites" / "demo.toml", {})
    for name in ("shfe", "lme"):
        profile = read_profile(DEPLOY / "container" / f"{name}.toml")
        venue = site.venues[profile.venue.name]
        assert (venue.md.port, venue.orders.port) == (profile.venue.md_port, profile.venue.orders_port)
        assert (venue.md.target_comp_id, venue.md.sender_comp_id) == (
            profile.venue.comp_id,
            profile.venue.client_comp_id,
        )
        listed = {one.symbol for one in profile.instrument}
        assert {one.symbol for one in site.instruments.values() if one.venue_id == profile.venue.name} == listed


def test_the_container_has_no_root_and_copies_what_there_is() -> None:
    """The last USER is not root, every COPY names something of the repository, packages come by hash, no registry is named."""
    text = (DEPLOY / "container" / "Containerfile").read_text(encoding="utf-8")
    assert re.findall(r"^USER (\w+)$", text, re.MULTILINE) == ["cmc"]
    sources = [word for line in re.findall(r"^COPY (.+)$", text, re.MULTILINE) for word in line.split()[:-1]]
    assert [one for one in sources if not (ROOT / one).exists()] == []
    installed = re.findall(r"pip install (.+)$", text, re.MULTILINE)
    assert [("--require-hashes" in one, "--no-deps" in one) for one in installed] == [(True, False), (False, True)]
    assert re.findall(r"^ARG (.+)$", text, re.MULTILINE) == ["PYTHON=python:3.11-slim-bookworm"]
    assert re.findall(r"^FROM (.+)$", text, re.MULTILINE) == ["${PYTHON}"]


def test_what_is_sent_to_the_engine_is_what_the_image_takes() -> None:
    """.dockerignore lets through exactly what the Containerfile copies: no journal, no key, no environment of a clone."""
    text = (DEPLOY / "container" / "Containerfile").read_text(encoding="utf-8")
    sources = {word for line in re.findall(r"^COPY (.+)$", text, re.MULTILINE) for word in line.split()[:-1]}
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert lines[1] == "*"
    assert {line.removeprefix("!") for line in lines if line.startswith("!")} == sources
    assert {"sites/state", "sites/tls"} <= set(lines)


def test_the_compose_file_publishes_nothing() -> None:
    """No service has ports; each is read-only, unprivileged, in the one namespace that has loopback alone."""
    text = (DEPLOY / "container" / "compose.yaml").read_text(encoding="utf-8")
    assert "ports:" not in text
    assert text.count("<<: *hardened") == 4
    assert re.findall(r'network_mode: "(.+)"', text) == ["none", *["service:loopback"] * 3]
    for wanted in ('user: "10001:10001"', "read_only: true", "cap_drop: [ALL]", "no-new-privileges:true", "init: true"):
        assert wanted in text
    for path in re.findall(r"/opt/cmc/(deploy/\S+\.toml)", text):
        assert (ROOT / path).is_file()


def longest_stop_s(name: str) -> float:
    """How long `cmc up` may take to end on this site: balance, then each process its grace."""
    site = load_site(DEPLOY / "sites" / f"{name}.toml", {})
    return (site.supervisor.stop_timeout_ns + (len(STOP_ORDER) + 1) * TERM_GRACE_NS) / SECOND


def test_the_engine_waits_for_a_balanced_stop() -> None:
    """The grace of the compose file is longer than the longest stop of its site."""
    text = (DEPLOY / "container" / "compose.yaml").read_text(encoding="utf-8")
    (grace_s,) = re.findall(r"stop_grace_period: (\d+)s", text)
    assert int(grace_s) > longest_stop_s("demo")


def unit_of(name: str) -> RawConfigParser:
    """A unit file; of a key that stands twice the last."""
    unit = RawConfigParser(strict=False)
    unit.optionxform = str  # type: ignore[assignment,method-assign]
    unit.read(DEPLOY / "systemd" / name)
    return unit


@pytest.mark.parametrize("name", ["cmc@.service", "cmc-venue@.service"])
def test_units_run_as_a_user_of_their_own(name: str) -> None:
    """Not as root, with no capability and nothing of the system to write to; `systemd-analyze` finds no mistake."""
    service = dict(unit_of(name)["Service"])
    assert (service["User"], service["ProtectSystem"], service["NoNewPrivileges"]) == ("cmc", "strict", "yes")
    assert (service["CapabilityBoundingSet"], service["UMask"], service["LimitCORE"]) == ("", "0077", "0")
    if shutil.which("systemd-analyze"):
        words = ["systemd-analyze", "verify", str(DEPLOY / "systemd" / name)]
        said = subprocess.run(words, capture_output=True, text=True, check=False, timeout=30).stderr
        assert [line for line in said.splitlines() if "is not executable" not in line] == []


@pytest.mark.parametrize("name", ["demo", "gold", "copper"])
def test_the_unit_waits_for_a_balanced_stop(name: str) -> None:
    """TimeoutStopSec is longer than the longest stop of each site, so that systemd kills nobody who balances."""
    assert int(unit_of("cmc@.service")["Service"]["TimeoutStopSec"]) > longest_stop_s(name)


def test_a_dead_supervisor_takes_nobody_with_it() -> None:
    """The unit ends the supervisor alone; what it leaves is balanced and ended by `cmc down` before it starts again."""
    text = (DEPLOY / "systemd" / "cmc@.service").read_text(encoding="utf-8")
    down = "/opt/cmc/.venv/bin/cmc down"
    assert re.findall(r"^(KillMode|ExecStop\w*)=-?(.+)$", text, re.MULTILINE) == [
        ("ExecStop", f"{down} /etc/cmc/%i.toml"),
        ("KillMode", "process"),
        ("ExecStopPost", f"{down} /etc/cmc/%i.toml"),
        ("ExecStopPost", f"{down} /var/lib/cmc/%i/{RUN_FOLDER}/site.toml"),
    ]


@pytest.mark.parametrize("name", ["gold", "copper"])
def test_a_desk_lies_where_its_unit_lets_it(name: str) -> None:
    """Sockets in the unit's run-time directory of this instance, state of its own in the unit's state directory."""
    service = unit_of("cmc@.service")["Service"]
    site = load_site(DEPLOY / "sites" / f"{name}.toml", {})
    assert str(site.bus_dir) == "/run/" + service["RuntimeDirectory"].replace("%i", name)
    assert str(site.state_dir) == f"/var/lib/{service['StateDirectory']}/{name}"
    assert service["RuntimeDirectoryMode"] == service["StateDirectoryMode"] == "0700"


def test_the_runbook_speaks_of_every_gate_in_both_languages() -> None:
    """As many sections in Chinese as in English; each alarm of its table is an alarm."""
    from gateway.model.trade import AlarmName

    english, chinese = (
        (DEPLOY / "runbook" / name).read_text(encoding="utf-8") for name in ("RUNBOOK.md", "RUNBOOK.zh.md")
    )
    assert english.count("\n## ") == chinese.count("\n## ") == 7
    names = set(re.findall(r"^\| ([a-z_, ]+) \|", english, re.MULTILINE))
    listed = {word.strip() for row in names for word in row.split(",")}
    assert listed <= {one.value for one in AlarmName}
