"""Turns what a venue says of positions, 35=AO and 35=AP, into values of `gateway.model.position`.

Which PosType(703) says what is the dialect's. A type that it does not name says nothing here (what is due to be
delivered, say, is no lot that can be closed). Nothing is guessed: a quantity that is no whole number of lots, a symbol
that the site does not have makes the message one that cannot be used.
"""

from collections.abc import Mapping

from gateway.fix import tags
from gateway.fix.dialect import Dialect
from gateway.fix.instrument_key import InstrumentKeys
from gateway.fix.scan import BadField, Fields, Sizes, need, scan, scan_group, whole
from gateway.model.instrument import Instrument
from gateway.model.position import PositionLine, PositionsAcked

POSITION_TYPES = frozenset({tags.MsgType.REQUEST_FOR_POSITIONS_ACK, tags.MsgType.POSITION_REPORT})
_HELD = frozenset({"0", "2"})
"""PosReqResult(728): a valid request, with positions or without."""
_REFUSED = "2"
"""PosReqStatus(729)."""
_MEMBERS = frozenset({tags.POS_TYPE, tags.LONG_QTY, tags.SHORT_QTY, tags.POS_QTY_STATUS})


class PositionDecoder:
    """Decodes what one venue tells of positions; `instruments` by Symbol(55)."""

    def __init__(self, dialect: Dialect, venue_id: str, instruments: Mapping[str, Instrument]) -> None:
        self._words = dialect.positions
        self._venue_id = venue_id
        self._keys = InstrumentKeys(dialect, venue_id, instruments)
        self._sizes = Sizes()

    def decode(self, msg_type: str, raw: str, recv_ns: int) -> PositionsAcked | PositionLine:
        """35=AO or 35=AP; BadField when it cannot be used."""
        acked = msg_type == tags.MsgType.REQUEST_FOR_POSITIONS_ACK
        return self._acked(raw, recv_ns) if acked else self._line(raw, recv_ns)

    def _acked(self, raw: str, recv_ns: int) -> PositionsAcked:
        fields = scan(raw)
        result = need(fields, tags.POS_REQ_RESULT, "PosReqResult")
        status = fields.get(tags.POS_REQ_STATUS, "0")
        said = f"PosReqResult(728) {result} PosReqStatus(729) {status} {fields.get(tags.TEXT, '')}".rstrip()
        failure = "" if result in _HELD and status != _REFUSED else said
        total = 0 if result == "2" else _total(fields)
        return PositionsAcked(self._venue_id, recv_ns, fields.get(tags.POS_REQ_ID, ""), total, failure)

    def _line(self, raw: str, recv_ns: int) -> PositionLine:
        words = self._words
        if words is None:
            raise BadField("MsgType(35)", "AP", "a dialect with [positions]")
        counted = f"\x01{tags.NO_POSITIONS}=" in raw  # a line without the group tells of no lots
        group = (tags.NO_POSITIONS, tags.POS_TYPE, _MEMBERS, "NoPositions")
        fields, entries = scan_group(raw, *group) if counted else (scan(raw), [])
        instrument = self._keys.of(fields)
        held = {entry[tags.POS_TYPE]: self._lots(entry) for entry in entries}
        apart = bool(words.today) and (words.today in held or words.earlier in held)
        today, earlier = (held.get(name, (0, 0)) for name in (words.today, words.earlier))
        if apart:
            long_lots, short_lots = today[0] + earlier[0], today[1] + earlier[1]
        elif words.total and words.total in held:
            long_lots, short_lots = held[words.total]
        elif not entries:
            long_lots = short_lots = 0
        else:
            raise BadField("PosType(703)", ", ".join(held), f"one of {words.total or words.today} in the group 702")
        return PositionLine(
            self._venue_id,
            recv_ns,
            fields.get(tags.POS_REQ_ID, ""),
            instrument.instrument_id,
            fields.get(tags.ACCOUNT, ""),
            long_lots,
            short_lots,
            today[0] if apart else None,
            today[1] if apart else None,
            fields.get(words.hedge_flag, "") if words.hedge_flag else "",
            fields.get(words.prompt, "") if words.prompt else "",
            fields.get(tags.CLEARING_BUSINESS_DATE, ""),
            _total(fields),
        )

    def _lots(self, entry: Fields) -> tuple[int, int]:
        long_text, short_text = entry.get(tags.LONG_QTY, "0"), entry.get(tags.SHORT_QTY, "0")
        return self._sizes.lots(long_text, "LongQty(704)"), self._sizes.lots(short_text, "ShortQty(705)")


def _total(fields: Fields) -> int:
    text = fields.get(tags.TOTAL_NUM_POS_REPORTS, "")
    return whole(text, "TotalNumPosReports(727)") if text else -1
