"""The form of a csv tape: names of files and columns, and what a row may say. Reader and writer share it.

docs/TAPES.md describes it for people who bring their own recordings.
"""

INSTRUMENTS = "instruments.csv"
EVENTS = "events.csv"
TAPE = "tape.csv"
"""Optional: `name,label,duration_ns`, one row."""

INSTRUMENT_COLUMNS = (
    "venue", "symbol", "tick", "currency", "trading_date", "high_limit", "low_limit", "prev_settlement",
)  # fmt: skip
EVENT_COLUMNS = ("time", "venue", "symbol", "type", "bids", "asks", "price", "qty", "aggressor", "status")
TAPE_COLUMNS = ("name", "label", "duration_ns")
START_COLUMN = "start_utc_ns"
"""Of tape.csv, optional: nanoseconds since 1970 UTC at which a tape begins whose rows count from its start."""

BOOK, TRADE, STATUS = "book", "trade", "status"
STATUSES = {"2": "halt", "3": "resume", "17": "ready to trade", "18": "closed", "21": "auction"}
CONTINUOUS = ("3", "17")
"""Statuses in which a book may not be locked or crossed."""
