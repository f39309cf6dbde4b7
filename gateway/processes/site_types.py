"""What would be right where a key of the site file has a value of the wrong type or out of range, in words of ours.

pydantic finds the mistake; its kinds are named here one by one, so that each can be said in any language. A kind that
is not known is told in pydantic's own words.
"""

from pydantic_core import ErrorDetails

from gateway.journal.told import told, told_by

_WHOLE, _NUMBER = told("a whole number"), told("a number")
_TRUTH, _LIST, _TABLE = told("true or false"), told("a list"), told("a table")
_PLAIN = {
    "int_type": _WHOLE,
    "int_parsing": _WHOLE,
    "int_from_float": _WHOLE,
    "float_type": _NUMBER,
    "float_parsing": _NUMBER,
    "bool_type": _TRUTH,
    "bool_parsing": _TRUTH,
    "string_type": told("text in quotes"),
    "tuple_type": _LIST,
    "list_type": _LIST,
    "dict_type": _TABLE,
    "model_type": _TABLE,
}
_LIMITED = {
    "greater_than": (told("greater than {}"), "gt"),
    "greater_than_equal": (told("greater than or equal to {}"), "ge"),
    "less_than_equal": (told("less than or equal to {}"), "le"),
    "less_than": (told("less than {}"), "lt"),
    "string_pattern_mismatch": (told("text of the form {}"), "pattern"),
    "string_too_short": (told("text of at least {} characters"), "min_length"),
    "string_too_long": (told("text of at most {} characters"), "max_length"),
    "too_short": (told("a list of at least {}"), "min_length"),
    "too_long": (told("a list of at most {}"), "max_length"),
    "enum": (told("one of {}"), "expected"),
}
"""What is said, and which figure of pydantic's goes into it."""


def type_remedy(error: ErrorDetails) -> str:
    """What would be right instead."""
    kind, known = error["type"], error.get("ctx", {})
    if kind in _PLAIN:
        return _PLAIN[kind]
    if kind in _LIMITED:
        words, figure = _LIMITED[kind]
        return told(words.template, known[figure])
    cause = known.get("error")
    if isinstance(cause, ValueError) and cause.args:
        return told_by(cause)
    text = error["msg"]
    return text[:1].lower() + text[1:]
