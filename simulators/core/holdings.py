"""What an account holds at a venue, as the venue tells it when it is asked: from the same figures that it trades by."""

from collections.abc import Callable

from simulators.core.market import Market
from simulators.core.values import PositionsAck, PositionTold, VenueEvent


def positions_told(
    at_ns: int, req_id: str, account: str, markets: dict[str, Market], next_id: Callable[[], str]
) -> list[VenueEvent]:
    """The acknowledgement and a report for each instrument of which anything is held."""
    held = [(symbol, market) for symbol, market in markets.items() if any(market.position.told)]
    answers: list[VenueEvent] = [PositionsAck(at_ns, next_id(), req_id, account, len(held))]
    for symbol, market in held:
        position = market.position
        answers.append(
            PositionTold(
                *(at_ns, next_id(), req_id, account, symbol, *position.told),
                hedge_flag=position.hedge_flag,
                trade_date=market.trade_date,
                total=len(held),
            )
        )
    return answers
