"""Positions in words: RequestForPositionsAck(35=AO), PositionReport(35=AP). Pure."""

from simulators.core.values import PositionsAck, PositionTold
from simulators.fix.words import DialectConfig

_FOUND, _NONE_FOUND = "0", "2"
_PROMPT = "541="


def positions_ack(answer: PositionsAck) -> str:
    """35=AO."""
    result = _FOUND if answer.total else _NONE_FOUND
    text = f"721={answer.rpt_id}\x01710={answer.req_id}\x01727={answer.total}\x01728={result}\x01729=0\x01"
    return text + f"1={answer.account}\x01581=1\x01"


def position_report(answer: PositionTold, config: DialectConfig, echo: str) -> str:
    """35=AP. `echo` is what orders of the symbol said of it: a prompt is given back."""
    text = f"721={answer.rpt_id}\x01710={answer.req_id}\x01724=0\x01727={answer.total}\x01728=0\x01"
    text += f"715={answer.trade_date}\x01" if answer.trade_date else ""
    text += f"1={answer.account}\x01581=1\x0155={answer.symbol}\x01"
    if config.words.domestic:
        text += f"207={config.exchange}\x01"
        text += f"20078={answer.hedge_flag}\x01" if answer.hedge_flag else ""
        lots = (("TQ", answer.long_today, answer.short_today), ("SOD", answer.long_earlier, answer.short_earlier))
    else:
        text += "".join(f"{field}\x01" for field in echo.split("\x01") if field.startswith(_PROMPT))
        longs, shorts = answer.long_today + answer.long_earlier, answer.short_today + answer.short_earlier
        lots = (("TOT", longs, shorts),)  # type: ignore[assignment]
    rows = "".join(f"703={kind}\x01704={longs}\x01705={shorts}\x01" for kind, longs, shorts in lots)
    return f"{text}702={len(lots)}\x01{rows}"
