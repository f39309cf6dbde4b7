"""What a site file may say of clients: the example, and each mistake by its key, its value and what would be right."""

import shutil
import time
import tomllib
from pathlib import Path
from typing import Any

import pytest
from client_rig import PAIR, ROOT, client

from gateway.model.conditions import Window
from gateway.model.order import TimeInForce
from gateway.processes.client_hours import AtClose, Reset, SessionHours
from gateway.processes.settings import SiteError, load_site
from gateway.processes.supervisor import commands
from gateway.processes.toml_text import toml_text

DAY = {"zone": "Asia/Shanghai", "days": ["mon", "tue", "wed", "thu", "fri"], "from_time": "09:00:00"}
DAY |= {"until_time": "15:00:00"}
WEEK = [
    DAY | {"days": [*DAY["days"], "sat", "sun"], "from_time": begin, "until_time": end}
    for begin, end in (("00:00:00", "12:00:00"), ("12:00:00", "00:00:00"))
]
PAUSE = "client[0].reset = daily: right would be hours with a pause in each day (daily) or week (weekly)"


def load(folder: Path, clients: list[dict[str, Any]], **top: Any) -> Any:  # noqa: ANN401 keys of the site
    """The demo's site with these clients."""
    content = tomllib.loads((ROOT / "sites/demo.toml").read_text(encoding="utf-8"))
    content["clients"], content["client"] = top, clients
    path = folder / "site.toml"
    path.write_text(toml_text(content), encoding="utf-8")
    return load_site(path, {"CMC_CLIENT__FUND1__PASSWORD": "s3cret"} if clients else {})


def test_the_example_is_a_site_that_can_be_used(tmp_path: Path) -> None:
    """With certificates of the command that it names."""
    certificates = pytest.importorskip("gateway.processes.client_certificates", reason="needs `cryptography`")
    shutil.copyfile(ROOT / "sites/clients.toml", tmp_path / "clients.toml")
    with pytest.raises(SiteError, match=r"clients.certificate_file = tls/server.pem: right would be a PEM file"):
        load_site(tmp_path / "clients.toml", {})
    certificates.make(tmp_path / "tls", ["FUND2", "DROP"], time.time_ns())
    site = load_site(tmp_path / "clients.toml", {})
    assert list(site.clients.specs) == ["FUND1", "FUND2", "DROP"]
    assert site.clients.specs["FUND2"].times_in_force == (TimeInForce.IOC, TimeInForce.FOK)


def test_the_process_is_started_where_there_are_clients_and_nowhere_else(tmp_path: Path) -> None:
    """A site without any is started as before."""
    assert "clients" not in commands(load(tmp_path, []), tmp_path, tmp_path)
    assert list(commands(load(tmp_path, [client("FUND1")], port=9876), tmp_path, tmp_path))[-1] == "clients"


def test_a_password_comes_from_the_environment_or_a_file_and_is_not_shown(tmp_path: Path) -> None:
    """Nor does it count in the digest."""
    one = load(tmp_path, [client("FUND1")], port=9876)
    assert one.clients.entries["FUND1"].password == "s3cret"
    assert "s3cret" not in repr(one)
    (tmp_path / "secret").write_text("other\n", encoding="utf-8")
    two = load(tmp_path, [client("FUND1"), client("FUND2", password_file="secret")], port=9876)
    assert two.clients.entries["FUND2"].password == "other"


def test_hours_are_read_as_they_stand(tmp_path: Path) -> None:
    """A day's and a night's window; none: always open, numbers that go on, each client's own choice at a disconnect."""
    night = DAY | {"from_time": "21:00:00", "until_time": "02:30:00"}
    one = load(tmp_path, [client("FUND1", hours=[DAY, night], reset="daily", at_close="keep"), client("G")], port=9876)
    workdays = (0, 1, 2, 3, 4)
    windows = tuple(
        Window("Asia/Shanghai", workdays, begin * 3600, end) for begin, end in ((9, 15 * 3600), (21, 2 * 3600 + 1800))
    )
    assert one.clients.hours == {"FUND1": SessionHours(windows, Reset.DAILY, AtClose.KEEP), "G": SessionHours()}


@pytest.mark.parametrize(
    ("clients", "top", "words"),
    [
        ([client("F")], {}, "clients.port = 0: right would be a port for clients of this machine, or tls_host"),
        ([client("F")], {"port": 1, "tls_host": "::"}, "clients.tls_port = 0: right would be tls_host and"),
        ([client("F")], {"tls_host": "::", "tls_port": 1}, "client[0].certificate_cn = missing: right would be"),
        ([client("F"), client("F")], {"port": 1}, "client[1].id = F: right would be another"),
        ([client("F", pairs=["CU"])], {"port": 1}, "client[0].pairs = CU: right would be one of CU-CA"),
        ([client("F", instruments=[], leg_orders=True)], {"port": 1}, "client[0].instruments = missing"),
        ([client("F", addresses=["10.0.0.1/8"])], {"port": 1}, "client[0].addresses = 10.0.0.1/8: right would be"),
        ([client("F", max_units=6)], {"port": 1}, "client[0].max_units = 6: right would be at most max_units of pair"),
        ([client("F", certificate_sha256="abc")], {"port": 1}, "certificate_sha256 = abc: right would be 64 hex"),
        ([client("F", version="FIX.4.3")], {"port": 1}, "client[0].version"),
        ([client("F", password_file="no")], {"port": 1}, "client[0].password_file = no: right would be a file"),
        ([client("F")], {"port": 1, "heart_bt_min_s": 200}, "clients.heart_bt_min_s = 200: right would be at most"),
        ([client("F", reset="daily")], {"port": 1}, "client[0].reset = daily: right would be with hours: numbers begin"),
        ([client("F", reset="monthly")], {"port": 1}, 'client[0].reset = "monthly": right would be one of'),
        ([client("F", at_close="never")], {"port": 1}, 'client[0].at_close = "never": right would be one of'),
        ([client("D", reset="daily", hours=[DAY], drop_copy=True)], {"port": 1}, 'reset = daily: right would be "never"'),
        ([client("F", hours=[DAY | {"zone": "Asia/Shangai"}])], {"port": 1}, "client[0].hours[0].zone = Asia/Shangai: right"),
        ([client("F", hours=[DAY | {"until_time": "09:00:00"}])], {"port": 1}, "client[0].hours[0].until_time = 09:00:00: right"),
        ([client("F", reset="daily", hours=WEEK)], {"port": 1}, PAUSE),
        ([client("F", reset="weekly", hours=WEEK)], {"port": 1}, "client[0].reset = weekly: right would be hours with a pause"),
    ],
)  # fmt: skip
def test_a_mistake_names_its_key_its_value_and_what_would_be_right(
    tmp_path: Path, clients: list[dict[str, Any]], top: dict[str, Any], words: str
) -> None:
    """And nothing starts."""
    content = tomllib.loads((ROOT / "sites/demo.toml").read_text(encoding="utf-8"))
    content["clients"], content["client"] = top, clients
    path = tmp_path / "site.toml"
    path.write_text(toml_text(content), encoding="utf-8")
    with pytest.raises(SiteError) as error:
        load_site(path, {})
    assert words in str(error.value), str(error.value)
    assert PAIR
