"""What a venue says of the positions of our account when it is asked, in FIX's words: RequestForPositions(35=AN).

The venue acknowledges with 35=AO, which tells how many PositionReports(35=AP) follow, one for each instrument, or more
where it keeps hedge flags, prompts or days apart. Lots are whole. Nothing is decided here.
"""

from gateway.model.base import Message


class PositionsAcked(Message):
    """35=AO. `total` is TotalNumPosReports(727), -1 where the venue does not say; `failure` says why it has no answer,
    with PosReqResult(728), PosReqStatus(729) and Text(58); empty when it has one.
    """

    venue_id: str
    recv_ns: int
    request_id: str
    total: int
    failure: str


class PositionLine(Message):
    """35=AP: lots of one instrument, or of one of its parts. Days are None where the venue does not tell them apart."""

    venue_id: str
    recv_ns: int
    request_id: str
    instrument_id: str
    account: str
    long_lots: int
    short_lots: int
    long_today_lots: int | None
    short_today_lots: int | None
    hedge_flag: str
    prompt: str
    trading_day: str
    """ClearingBusinessDate(715), YYYYMMDD: the day whose "today" it is; empty where the venue does not say."""
    total: int = -1
    """TotalNumPosReports(727) where it is repeated here."""
