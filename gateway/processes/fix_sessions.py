"""Which FIX sessions a process opens, of what the site says of its venues."""

from gateway.fix.session_settings import SessionSettings
from gateway.processes.durations import SECOND
from gateway.processes.site import Site


def fix_sessions(site: Site, kind: str) -> list[SessionSettings]:
    """The FIX sessions of one kind, "md", "orders", "watch" or "drop_copy"; the key is `VENUE.kind`."""
    sessions = []
    for venue_id, venue in site.venues.items():
        kinds = {"md": venue.md, "orders": venue.orders, "watch": venue.watch, "drop_copy": venue.drop_copy}
        one = kinds[kind]
        if one is None:
            continue
        sessions.append(
            SessionSettings(
                key=f"{venue_id}.{kind}",
                venue_id=venue_id,
                kind="md" if kind == "md" else "orders",
                dialect=venue.dialect,
                host=one.host,
                port=one.port,
                sender_comp_id=one.sender_comp_id,
                target_comp_id=one.target_comp_id,
                sender_sub_id=one.constants.get("sender_sub_id", ""),
                heart_bt_int_s=one.heart_bt_int_s,
                reset_on_logon=kind == "md",
                username=one.username,
                password=one.password,
                start_time=one.start_time,
                end_time=one.end_time,
                cancel_on_disconnect=kind == "orders" and venue.cancel_on_disconnect,
                reconnect_backoff_s=(venue.reconnect_min_ns / SECOND, venue.reconnect_max_ns / SECOND),
            )
        )
    return sessions
