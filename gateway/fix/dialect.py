"""Loads a venue's dialect: a TOML file that says how this venue speaks FIX, checked against its data dictionary.

A venue is added with two files, a dictionary and a dialect, and no code. The keys, with their meaning, stand in
`dialects/domestic44.toml`; a field's value in a `[message.NAME]` table comes from one of these sources:

- `=TEXT`: always TEXT;
- `constant:NAME`: a value that the site file gives for the session (SenderSubID, CustomerOrFirm);
- `instrument:NAME`: a value that it gives for the instrument under `fields` (a prompt date, a SecurityID);
- a word of `SOURCES`, such as `cl_ord_id`, `price` or `position_effect`.

A source without a value (the price of a market order, an OrderID not yet known, a constant that the site leaves out)
leaves its field out. `position_effect` stands for all fields that `[orders.position_effect]` names. A group is a list
of entries (`dialect_groups.py`).

What can go wrong: a key that is unknown, missing or of the wrong kind, a tag that the dictionary does not have in that
message, a source that does not exist: `DialectError` with the file, the key, the value and what would be right.
"""

import re
import tomllib
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

from gateway.feed.clock_settings import StampClocks
from gateway.fix.dialect_clock import TIME_DIGITS, ClockTable
from gateway.fix.dialect_groups import FieldRule, GroupError, GroupRule, group_rules, is_source
from gateway.fix.dialect_market import MarketTable, SessionWords
from gateway.fix.dialect_positions import POSITIONS, TOLD, PositionTable, PositionWords
from gateway.fix.dialect_tables import DialectError
from gateway.fix.dictionary import SPECS, Dictionary, MessageSpec, read_dictionary
from gateway.model.order import ExecType, PositionEffect, TimeInForce

__all__ = ["DIALECTS", "Dialect", "DialectError", "MessageRule", "load_dialect"]

DIALECTS = Path(__file__).with_name("dialects")

SOURCES = (
    "cl_ord_id",
    "orig_cl_ord_id",
    "order_id",
    "account",
    "symbol",
    "exchange",
    "side",
    "transact_time",
    "order_qty",
    "ord_type",
    "price",
    "time_in_force",
    "expire_date",
    "position_effect",
    "hedge_flag",
    "request_id",
    "trading_day",
)
MD_SOURCES = ("md_req_id", "subscription", "depth")
LOGON_SOURCES = ("username", "password", "password_length")
CANCEL = "cancel_on_disconnect"
MESSAGES = ("new_order", "cancel", "replace", "status_request")
OPTIONAL_MESSAGES = ("mass_status_request", "mass_cancel", "mass_cancel_symbol")
KEY_PARTS = ("venue", "account")
MULTIPLIER = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9})?", re.ASCII)


class MessageRule(NamedTuple):
    """A message that we write: MsgType(35), its fields in the order of the file, its groups."""

    msg_type: str
    fields: tuple[FieldRule, ...]
    groups: tuple[GroupRule, ...] = ()


class Dialect(NamedTuple):
    """How a venue speaks FIX; see `dialects/domestic44.toml` for each key."""

    name: str
    path: Path
    begin_string: str
    dictionary: Dictionary
    time_digits: int
    utc_offset_ns: int
    logon: tuple[FieldRule, ...]
    incremental: bool
    rpt_seq: bool
    depth: int
    low_limit: str
    high_limit: str
    md_request: tuple[FieldRule, ...]
    md_entry_types: tuple[str, ...]
    md_symbol: tuple[FieldRule, ...]
    times_in_force: frozenset[TimeInForce]
    exec_key: tuple[str, ...]
    mass_status: str
    mass_cancel: bool
    exec_types: Mapping[str, ExecType]
    exec_trans_types: Mapping[str, ExecType | None]
    position_effects: Mapping[PositionEffect, tuple[tuple[str, str], ...]]
    messages: Mapping[str, MessageRule]
    stamps: StampClocks = StampClocks()
    """The stamps that the venue writes; the table `[clock]`, which a dialect may leave out."""
    position_tag: str = "290"
    """Where a level's place in the book stands: MDEntryPositionNo(290) or MDPriceLevel(1023)."""
    price_multiplier: Decimal = Decimal(1)
    """The venue's price times this is ours; an instrument of the site may have another."""
    positions: PositionWords | None = None
    """How 35=AP tells what we hold; None where the venue does not tell."""
    cancel_on_disconnect: tuple[FieldRule, ...] = ()
    """What the Logon asks with that our orders be cancelled when the session is lost; empty: it is not offered."""
    no_cancel_on_disconnect: str = ""
    """Why it is not offered, in words."""
    key_rules: tuple[FieldRule, ...] = ()
    """What tells two contracts under one Symbol(55) apart; empty: Symbol(55) is enough."""
    session_words: SessionWords | None = None
    """How TradingSessionStatus(35=h) speaks; None where the venue sends none."""
    adapter: str = ""
    """`module:factory` of a venue that does not speak FIX; then nothing of FIX is set here (`plain_dialect`)."""


def load_dialect(source: str | Path, **changes: object) -> Dialect:
    """The dialect in the file `source`, or the shipped one of that name.

    `changes` are what a site file may say otherwise for one venue: `rpt_seq`, `times_in_force`, `depth`.
    """
    path = Path(source) if str(source).endswith(".toml") else DIALECTS / f"{source}.toml"
    reader = _Reader(path, _read(path))
    dialect = reader.plain() if reader.has("dialect", "adapter") else reader.dialect()
    reader.nothing_left()
    return _changed(dialect, changes)


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        shipped = ", ".join(sorted(file.stem for file in DIALECTS.glob("*.toml")))
        message = f"{path}: cannot be read ({error.strerror}); a dialect file, or one of the shipped: {shipped}"
        raise DialectError(message) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        message = f"{path}: not TOML ({error})"
        raise DialectError(message) from error


def _changed(dialect: Dialect, changes: Mapping[str, object]) -> Dialect:
    known = ("rpt_seq", "times_in_force", "depth")
    for key, value in changes.items():
        if key not in known:
            message = f"{dialect.path}: {key} = {value!r} cannot be changed by a site; {', '.join(known)} can"
            raise DialectError(message)
        if key == "times_in_force" and isinstance(value, (list, tuple)):
            offered = [text for text in value if text in list(TimeInForce)]
            if len(offered) != len(list(value)):
                message = f"{dialect.path}: times_in_force = {value!r}; right would be some of {', '.join(TimeInForce)}"
                raise DialectError(message)
            dialect = dialect._replace(times_in_force=frozenset(TimeInForce(text) for text in offered))
        elif key == "rpt_seq" and isinstance(value, bool):
            dialect = dialect._replace(rpt_seq=value)
        elif key == "depth" and isinstance(value, int) and value > 0:
            dialect = dialect._replace(depth=value)
        else:
            message = f"{dialect.path}: {key} = {value!r} is of the wrong kind"
            raise DialectError(message)
    return dialect


class _Reader(ClockTable, PositionTable, MarketTable):
    """The tables of one dialect."""

    def plain(self) -> Dialect:
        """Of a venue that does not speak FIX: what programs ask of every dialect, and nothing of FIX."""
        names: list[Any] = self._kind("orders", "position_effects", list, [])
        forces = [self._enum("orders.times_in_force", force, TimeInForce) for force in self._tifs()]
        return Dialect(
            name=self._kind("dialect", "name", str),
            path=self._path,
            begin_string="",
            dictionary=Dictionary(self._path, "", {}, frozenset(), {}),
            time_digits=0,
            utc_offset_ns=0,
            logon=(),
            incremental=self._kind("market_data", "incremental", bool, default=False),
            rpt_seq=self._kind("market_data", "rpt_seq", bool, default=False),
            depth=self._kind("market_data", "depth", int),
            low_limit="",
            high_limit="",
            md_request=(),
            md_entry_types=(),
            md_symbol=(),
            times_in_force=frozenset(forces),
            exec_key=(),
            mass_status=self._one_of("orders", "mass_status", ("AF", "H")),
            mass_cancel=self._kind("orders", "mass_cancel", bool),
            exec_types={},
            exec_trans_types={},
            position_effects={self._enum("orders.position_effects", one, PositionEffect): () for one in names},
            messages={},
            stamps=self._stamps(),
            positions=TOLD if self._kind("orders", "positions", bool, default=False) else None,
            price_multiplier=self._multiplier(),
            adapter=self._kind("dialect", "adapter", str),
        )

    def dialect(self) -> Dialect:
        dictionary = self._dictionary()
        form = self._one_of("market_data", "form", ("snapshot", "incremental"))
        mass_cancel = self._kind("orders", "mass_cancel", bool)
        mass_status = self._one_of("orders", "mass_status", ("AF", "H"))
        needed = list(MESSAGES)
        needed += ["mass_status_request"] if mass_status == "AF" else []
        needed += ["mass_cancel", "mass_cancel_symbol"] if mass_cancel else []
        positions = self._positions(dictionary)
        needed += [POSITIONS] if positions is not None else []
        request, entry_types = self._md_request(dictionary)
        md_symbol = self._group_fields("request_symbol", dictionary)
        return Dialect(
            name=self._kind("dialect", "name", str),
            path=self._path,
            begin_string=self._begin_string(dictionary),
            dictionary=dictionary,
            time_digits=TIME_DIGITS[self._one_of("time", "resolution", tuple(TIME_DIGITS))],
            utc_offset_ns=self._kind("time", "utc_offset_minutes", int) * 60_000_000_000,
            logon=self._fields("logon", dictionary.messages["A"], dictionary.header, LOGON_SOURCES),
            incremental=form == "incremental",
            rpt_seq=self._kind("market_data", "rpt_seq", bool),
            depth=self._kind("market_data", "depth", int),
            low_limit=self._kind("market_data", "low_limit", str, ""),
            high_limit=self._kind("market_data", "high_limit", str, ""),
            md_request=request,
            md_entry_types=entry_types,
            md_symbol=md_symbol,
            times_in_force=frozenset(self._enum("orders.times_in_force", tif, TimeInForce) for tif in self._tifs()),
            exec_key=self._exec_key(dictionary),
            mass_status=mass_status,
            mass_cancel=mass_cancel,
            exec_types=self._exec_types("exec_type"),
            exec_trans_types=self._exec_trans_types(),
            position_effects=self._position_effects(dictionary),
            messages={name: self._message(name, dictionary) for name in needed},
            stamps=self._stamps(),
            positions=positions,
            no_cancel_on_disconnect=self._kind(CANCEL, "none", str, "") if self.has(CANCEL, "none") else "",
            cancel_on_disconnect=self._fields(CANCEL, dictionary.messages["A"], frozenset(), ()),
            position_tag=self._position(dictionary),
            key_rules=self._key_rules(md_symbol),
            session_words=self._session_words(dictionary),
            price_multiplier=self._multiplier(),
        )

    def _position(self, dictionary: Dictionary) -> str:
        tag: str = self._kind("market_data", "position", str, "")
        if tag and tag not in dictionary.messages["W"].groups["268"].members:
            self._refuse("market_data.position", tag, "a tag of the entries of 35=W, such as 290 or 1023")
        return tag or "290"

    def _multiplier(self) -> Decimal:
        text = self._kind("dialect", "price_multiplier", str, "1")
        if not MULTIPLIER.fullmatch(text) or not Decimal(text):
            self._refuse("dialect.price_multiplier", text, 'a decimal above 0 in quotes, such as "0.01"')
        return Decimal(text)

    def nothing_left(self) -> None:
        """Refuse keys that no rule took: a misspelt key must not pass in silence."""
        for table, content in self._root.items():
            if not isinstance(content, dict):
                self._refuse(table, content, "a table")
            for key, value in content.items():
                if value != {}:
                    self._refuse(f"{table}.{key}", value, "no such key here; see gateway/fix/dialects/domestic44.toml")

    def _dictionary(self) -> Dictionary:
        transport = self._kind("dialect", "transport_dictionary", str, "")
        path = self._spec(self._kind("dialect", "dictionary", str))
        return read_dictionary(path, self._spec(transport) if transport else None)

    def _spec(self, name: str) -> Path:
        beside = self._path.parent / name
        return beside if beside.exists() else SPECS / name

    def _begin_string(self, dictionary: Dictionary) -> str:
        text: str = self._kind("dialect", "begin_string", str)
        if text != dictionary.begin_string:
            self._refuse("dialect.begin_string", text, f"{dictionary.begin_string}, as {dictionary.path} says")
        return text

    def _md_request(self, dictionary: Dictionary) -> tuple[tuple[FieldRule, ...], tuple[str, ...]]:
        table = self._table("market_data.request", self._sub("market_data", "request"))
        types = table.pop("267", None)
        if not isinstance(types, list) or not all(isinstance(item, str) for item in types):
            self._refuse("market_data.request.267", types, 'a list of MDEntryType(269), such as ["0", "1", "2"]')
        spec = dictionary.messages["V"]
        return self._rules("market_data.request", table, spec.tags | dictionary.header, MD_SOURCES), tuple(types)

    def _group_fields(self, key: str, dictionary: Dictionary) -> tuple[FieldRule, ...]:
        table = self._sub("market_data", key)
        members = frozenset(dictionary.messages["V"].groups["146"].members)
        return self._rules(f"market_data.{key}", table, members, ("symbol", "exchange"))

    def _fields(
        self, name: str, spec: MessageSpec, header: frozenset[str], sources: tuple[str, ...]
    ) -> tuple[FieldRule, ...]:
        return self._rules(name, self._root.pop(name, {}), spec.tags | header, sources)

    def _message(self, name: str, dictionary: Dictionary) -> MessageRule:
        table = self._sub("message", name)
        msg_type = table.pop("35", None)
        spec = dictionary.messages.get(str(msg_type))
        if spec is None:
            self._refuse(f"message.{name}.35", msg_type, f"one of {', '.join(dictionary.messages)}")
        try:
            groups = group_rules(table, spec)
        except GroupError as error:
            self._refuse(f"message.{name}.{error.tag}", error.value, error.right)
        fields = self._rules(f"message.{name}", table, spec.tags | dictionary.header, SOURCES)
        missing = sorted(spec.required - {field.tag for field in fields}, key=int)
        if missing:
            self._refuse(f"message.{name}.{missing[0]}", None, f"a source; {dictionary.path} requires the field")
        return MessageRule(str(msg_type), fields, groups)

    def _rules(
        self, place: str, table: dict[str, Any], tags: frozenset[str], sources: tuple[str, ...]
    ) -> tuple[FieldRule, ...]:
        for tag, source in table.items():
            if tag not in tags:
                self._refuse(f"{place}.{tag}", source, "a tag that the dictionary has in this message")
            if not is_source(source, sources):
                self._refuse(f"{place}.{tag}", source, f"=TEXT, constant:NAME or one of {', '.join(sources)}")
        return tuple(FieldRule(tag, source) for tag, source in table.items())

    def _tifs(self) -> list[Any]:
        value: list[Any] = self._kind("orders", "times_in_force", list)
        return value

    def _exec_key(self, dictionary: Dictionary) -> tuple[str, ...]:
        parts = self._kind("orders", "exec_key", list)
        report = dictionary.messages["8"]
        for part in parts:
            if part not in KEY_PARTS and part not in report.tags:
                self._refuse("orders.exec_key", part, "venue, account or a tag of the execution report, as text")
        if "17" not in parts:
            self._refuse("orders.exec_key", parts, 'a list with "17", ExecID, in it')
        return tuple(parts)

    def _exec_types(self, key: str) -> dict[str, ExecType]:
        table = self._sub("orders", key)
        return {value: self._exec_type(f"orders.{key}.{value}", name) for value, name in table.items()}

    def _exec_trans_types(self) -> dict[str, ExecType | None]:
        table = self._sub("orders", "exec_trans_type", optional=True)
        place = "orders.exec_trans_type"
        return {value: self._exec_type(f"{place}.{value}", name) if name else None for value, name in table.items()}

    def _exec_type(self, place: str, name: object) -> ExecType:
        if name not in ExecType.__members__:
            self._refuse(place, name, f"one of {', '.join(ExecType.__members__)}")
        return ExecType[str(name)]

    def _position_effects(self, dictionary: Dictionary) -> dict[PositionEffect, tuple[tuple[str, str], ...]]:
        tags = dictionary.messages["D"].tags
        effects = {}
        for effect, fields in self._sub("orders", "position_effect").items():
            place = f"orders.position_effect.{effect}"
            if not isinstance(fields, dict) or not all(isinstance(value, str) for value in fields.values()):
                self._refuse(place, fields, 'a table of tags and texts, such as { 77 = "O" }')
            for tag in fields:
                if tag not in tags:
                    self._refuse(f"{place}.{tag}", fields[tag], "a tag that the dictionary has in 35=D")
            effects[self._enum(place, effect, PositionEffect)] = tuple(fields.items())
        return effects
