"""How figures read to people: nanoseconds, money, shares. Exact integers in, text out."""

from decimal import Decimal

from gateway.model.base import PRICE_E9

_MICRO, _MILLI, _SECOND = 1_000, 1_000_000, 1_000_000_000
_MINUTE = 60 * _SECOND


def duration(ns: int | None) -> str:
    """Give a time span in the unit that suits it: 840 ns, 12.5 us, 3.21 ms, 4.5 s, 2 min 05 s."""
    if ns is None:
        return "–"  # noqa: RUF001 - an en dash stands for "no figure"
    size = abs(ns)
    if size < _MICRO:
        return f"{ns} ns"
    if size < _MILLI:
        return f"{_three(ns / _MICRO)} µs"
    if size < _SECOND:
        return f"{_three(ns / _MILLI)} ms"
    if size < _MINUTE:
        return f"{_three(ns / _SECOND)} s"
    minutes, rest = divmod(ns // _SECOND, 60)
    return f"{minutes} min {rest:02d} s"


def money(value_e9: int) -> str:
    """Give an amount or a price from whole 1e-9, exactly, thousands apart, without needless zeros."""
    value = Decimal(value_e9) / PRICE_E9
    text = f"{value.normalize():,f}" if value else "0"
    return text.replace("-", "\N{MINUS SIGN}")


def rounded_money(value_e9: int) -> str:
    """Give an amount rounded to cents, for sums and axes."""
    return f"{Decimal(value_e9) / PRICE_E9:,.2f}".replace("-", "\N{MINUS SIGN}")


def percent(share: float | None) -> str:
    """Give a share in per cent with two places."""
    return "–" if share is None else f"{100 * share:.2f} %"  # noqa: RUF001 - as above


def _three(value: float) -> str:
    """Three significant figures, but never an exponent."""
    size = abs(value)
    places = 2 if size < 10 else 1 if size < 100 else 0  # noqa: PLR2004 - digits before the point
    return f"{value:.{places}f}"
