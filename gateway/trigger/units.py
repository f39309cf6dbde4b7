"""Exact conversion of a quoted price from one unit to another: by how much a price per `from` is multiplied to become
one per `to`.

A price per ounce becomes one per gram by division by the grams of an ounce, so the factor is size(to) / size(from).
Units of one kind convert into one another (mass into mass), no others. A bushel is a mass only together with its
commodity, hence `bu_soy`.

Sources: the avoirdupois pound is 0.45359237 kg and the troy ounce 31.1034768 g by definition (international yard and
pound agreement, 1959); the short ton is 2000 lb; the bushel of soybeans is 60 lb (CBOT rulebook).
"""

from fractions import Fraction

_POUND_G = Fraction("453.59237")

_UNITS: dict[str, tuple[str, Fraction]] = {
    "g": ("mass", Fraction(1)),
    "kg": ("mass", Fraction(1000)),
    "t": ("mass", Fraction(10**6)),
    "lb": ("mass", _POUND_G),
    "oz": ("mass", Fraction("31.1034768")),
    "st": ("mass", 2000 * _POUND_G),
    "bu_soy": ("mass", 60 * _POUND_G),
    "bbl": ("volume", Fraction(1)),
    "point": ("index", Fraction(1)),
    "share": ("share", Fraction(1)),
    "usd": ("US dollar", Fraction(1)),
    "eur": ("euro", Fraction(1)),
    "gbp": ("pound sterling", Fraction(1)),
}

KNOWN_UNITS = tuple(_UNITS)


class UnitError(ValueError):
    """A unit that is not known, or two that measure different things."""


def unit_factor(from_unit: str, to_unit: str) -> Fraction:
    """What a price per `from_unit` is multiplied by to be one per `to_unit`, exact."""
    from_kind, from_size = _lookup(from_unit, f"from {from_unit!r} to {to_unit!r}")
    to_kind, to_size = _lookup(to_unit, f"from {from_unit!r} to {to_unit!r}")
    if from_kind != to_kind:
        message = f"a price does not convert from {from_unit!r} ({from_kind}) to {to_unit!r} ({to_kind})"
        raise UnitError(message)
    return to_size / from_size


def _lookup(unit: str, where: str) -> tuple[str, Fraction]:
    if unit not in _UNITS:
        message = f"unit {unit!r} is not known ({where}); one of {', '.join(_UNITS)}"
        raise UnitError(message)
    return _UNITS[unit]
