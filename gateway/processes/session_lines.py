"""The FIX sessions of a process in the form in which they are published. It decides nothing."""

from gateway.bus.topics import SessionStatus
from gateway.model.port import Sessions


def session_lines(sessions: Sessions) -> tuple[SessionStatus, ...]:
    """One line for each session, in the order of the site file."""
    return tuple(
        SessionStatus(
            key=one.key,
            venue_id=one.venue_id,
            kind=one.kind,
            up=one.state == "up",
            since_ns=one.since_ns,
            attempts=one.attempts,
            detail=one.last_error,
            state=one.state,
            next_attempt_ns=one.next_attempt_ns if one.state == "waiting" else 0,
        )
        for one in sessions.status()
    )
