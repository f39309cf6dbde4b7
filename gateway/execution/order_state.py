"""One order's machine.

An order is open from the moment it is in the journal until the venue's final word. What the venue says may come twice,
late or out of order, so every row below exists in real life. A fill changes quantities always, whatever the state: the
state only tells whether more may come. Silence and a lost session lead to IN_DOUBT, never to a second send.

Inputs: `acked` the venue has it; `filled` part of it, `completed` all of it was filled; `ended` cancelled, rejected,
expired or done for the day; `cancel_sent`, `cancel_refused` of our own cancel; `unsent` it never left; `doubted` its
session was lost or a reply is overdue; `status_open` and `status_unknown` are the venue's answers to our question. An
order that the venue once knew and then does not know is a contradiction that venue_words.py finds before it asks here;
one that never reached the venue is done, even where a cancel and its refusal have made it look like a working one.
"""

from enum import StrEnum

from gateway.model.trade import OrderState


class OrderInput(StrEnum):
    """What can happen to an order."""

    ACKED = "acked"
    FILLED = "filled"
    COMPLETED = "completed"
    ENDED = "ended"
    CANCEL_SENT = "cancel_sent"
    CANCEL_REFUSED = "cancel_refused"
    UNSENT = "unsent"
    DOUBTED = "doubted"
    STATUS_OPEN = "status_open"
    STATUS_UNKNOWN = "status_unknown"


class IllegalInputError(RuntimeError):
    """An input that this state cannot have: our own mistake, or a venue that contradicts itself."""


_TABLE = """
state      | acked      filled     completed ended cancel_sent cancel_refused unsent doubted  status_open status_unknown
sent       | working    working    done      done  cancelling  sent           done   in_doubt working     done
working    | working    working    done      done  cancelling  working        -      in_doubt working     done
cancelling | cancelling cancelling done      done  cancelling  working        -      in_doubt cancelling  done
in_doubt   | in_doubt   in_doubt   done      done  -           in_doubt       done   in_doubt working     done
done       | done       done       done      done  -           done           done   done     working     done
"""


def read_table(text: str) -> dict[str, dict[str, str]]:
    """`state` -> input -> next state, of a table in the form above; "-" is an illegal input."""
    header, *rows = [line.split() for line in text.strip().splitlines()]
    return {row[0]: {name: cell for name, cell in zip(header[2:], row[2:], strict=True) if cell != "-"} for row in rows}


TRANSITIONS: dict[OrderState, dict[OrderInput, OrderState]] = {
    OrderState(state): {OrderInput(name): OrderState(following) for name, following in cells.items()}
    for state, cells in read_table(_TABLE).items()
}


def next_state(state: OrderState, given: OrderInput) -> OrderState:
    """The state after `given`; IllegalInputError, and nothing changed, when the table has no such move."""
    following = TRANSITIONS[state].get(given)
    if following is None:
        message = f"order is {state.value}: {given.value} cannot happen"
        raise IllegalInputError(message)
    return following
