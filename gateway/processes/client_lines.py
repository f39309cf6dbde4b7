"""The sessions of clients as `cmc status` shows them, for a person and for a program. It decides nothing."""

from collections.abc import Iterator
from typing import Any

from gateway.bus.topics import ClientLine, ClientsStatus
from gateway.journal.told import Told, told


def client_lines(status: ClientsStatus | None) -> Iterator[Told]:
    """For a person; nothing where no process for clients is heard of."""
    if status is None:
        return
    where = ", ".join(f"{host}:{port}" for host, port in status.ports)
    yield told("  clients on {}: {} orders, {} rejected, {} turned away", where, status.orders, status.rejected,
               status.turned_away)  # fmt: skip
    for one in status.sessions:
        yield _line(one)


def _line(one: ClientLine) -> Told:
    name, kind = f"{one.client_id:<14}", told("drop copy") if one.drop_copy else told("orders")
    if not one.up:
        return told("  {} {} {} DOWN, {} open orders: {}", name, one.version, kind, one.open_orders,
                    one.detail or told("no logon yet"))  # fmt: skip
    line = told("TLS") if one.tls else told("plain")
    return told("  {} {} {} up from {} ({}), {} open orders, {} bytes wait", name, one.version, kind, one.address, line,
                one.open_orders, one.pending_bytes)  # fmt: skip


def client_content(status: ClientsStatus | None) -> list[dict[str, Any]]:
    """For a program."""
    if status is None:
        return []
    return [{name: getattr(one, name) for name in one.__struct_fields__} for one in status.sessions]
