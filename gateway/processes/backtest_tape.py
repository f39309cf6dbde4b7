"""Which tape a backtest plays, from when to when: synthetic, recorded, a folder in the csv form, or a run's record.

Pairs of the site are played whose every instrument the tape holds; the others are left out, and said. A tape that holds
none of them, or a time outside of it, is a wrong call, told with what the tape has. Times are the market's: the zone of
the first leg's calendar, else Shanghai.

What can go wrong: a tape that does not say when it begins. Then 09:00 of its trading date is assumed, and said.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

from gateway.journal.frame import CorruptJournalError
from gateway.journal.parquet import NoParquetError
from gateway.journal.reader import JOURNAL_FOLDER, RunNotFoundError
from gateway.journal.site_facts import SiteFactsError
from gateway.journal.to_tape import write_tape
from gateway.journal.told import Told, told
from gateway.model.instrument import Instrument
from gateway.model.site import PairSpec
from gateway.processes.backtest_time import instant_ns, local, midnight_ns, shown
from gateway.processes.calendars import load_templates
from gateway.processes.cli import WrongCallError
from gateway.processes.durations import SECOND
from gateway.processes.settings import Site
from gateway.trigger.price import PairFormula
from simulators.core.tape import Tape
from simulators.tapes import TAPES, TapeError, load_tape
from simulators.tapes.csvform.form import EVENTS
from simulators.tapes.csvform.reader import CsvTape
from simulators.tapes.cut import CutTape, HeldTape
from simulators.tapes.recorded.pairs import PAIRS

SYNTHETIC, CSV, RUN = "synthetic", "csv", "run"
BEIJING = ZoneInfo("Asia/Shanghai")
DAY_S = 86_400
SYNTHETIC_S = 3600
"""How much of a synthetic tape is played when nothing else is said: an hour."""
OPENS_NS = 9 * 3600 * SECOND
"""Assumed time of day at which a tape begins that does not say it."""
ZERO_TIME = "00:00:00"


class Asked(NamedTuple):
    """What the command line says of the tape."""

    tape: str
    name: str
    seed: int
    begin: str
    end: str


class Chosen(NamedTuple):
    """A tape with its place in time: its time 0 is `start_utc_ns`."""

    tape: Tape
    kind: str
    start_utc_ns: int
    zone: ZoneInfo
    pairs: tuple[str, ...]
    """Pairs of the site that it can be played to."""
    assumed: tuple[Told, ...]

    @property
    def end_utc_ns(self) -> int:
        return self.start_utc_ns + self.tape.duration_ns


def market_zone(site: Site) -> ZoneInfo:
    """The zone of the first leg that has a calendar; Shanghai's where none has."""
    templates = load_templates(site.calendars.sessions_file)
    for name in [leg.instrument_id for pair in site.pairs.values() for leg in pair.legs]:
        rows = templates.get(site.calendars.products.get(name, ""), ())
        if rows:
            return ZoneInfo(rows[-1].zone)
    return BEIJING


def needed(pair: PairSpec, site: Site) -> tuple[str, ...]:
    """Every instrument that a pair is priced with."""
    return PairFormula(pair, site.instruments).instrument_ids


def choose(asked: Asked, site: Site, out_dir: Path) -> Chosen:
    """The tape; WrongCallError where there is none. A run's record is written as a tape under `out_dir`."""
    zone = market_zone(site)
    try:
        if asked.tape == SYNTHETIC:
            chosen = _synthetic(asked, site, zone)
        elif Path(asked.tape, EVENTS).is_file():
            chosen = _csv(asked, Path(asked.tape), zone, CSV)
        elif Path(asked.tape, JOURNAL_FOLDER).is_dir():
            write_tape(Path(asked.tape), out_dir / "tape")
            chosen = _csv(asked, out_dir / "tape", zone, RUN)
        elif Path(asked.tape).is_dir():
            chosen = _recorded(asked, site, zone)
        else:
            message = told("--tape {}: no such folder; `synthetic`, a folder of recorded sets, one with {}, or a run's",
                           asked.tape, EVENTS)  # fmt: skip
            raise WrongCallError(message)
    except (TapeError, RunNotFoundError, CorruptJournalError, SiteFactsError, NoParquetError, OSError) as error:
        message = told("--tape {}: {}", asked.tape, error)
        raise WrongCallError(message) from error
    return chosen._replace(pairs=_playable(asked, chosen.tape, site))


def _synthetic(asked: Asked, site: Site, zone: ZoneInfo) -> Chosen:
    name = asked.name or _name_for(
        site, SYNTHETIC, ((one, load_tape(SYNTHETIC, one, "", 0, 1)) for one in TAPES[SYNTHETIC])
    )
    short = load_tape(SYNTHETIC, name, "", asked.seed, 1)
    starts_ns = midnight_ns(short.instruments[0].trading_date, BEIJING) + OPENS_NS
    begin_ns, end_ns = _window(asked, zone, starts_ns, None, starts_ns + SYNTHETIC_S * SECOND)
    seconds = -(-(end_ns - starts_ns) // SECOND)
    if begin_ns < starts_ns or end_ns <= begin_ns:
        raise _outside(asked, short.name, zone, starts_ns, None)
    tape = load_tape(SYNTHETIC, name, "", asked.seed, seconds)
    assumed = told("the tape begins at {}, its date and time of day are assumed", shown(starts_ns, zone))
    return Chosen(_cut(tape, begin_ns - starts_ns, end_ns - starts_ns), SYNTHETIC, begin_ns, zone, (), (assumed,))


def _csv(asked: Asked, folder: Path, zone: ZoneInfo, kind: str) -> Chosen:
    tape = load_tape("csv", folder.name, str(folder.parent), asked.seed, 400 * DAY_S)
    assert isinstance(tape, CsvTape)  # noqa: S101 its kind
    starts_ns = tape.start_utc_ns
    assumed: tuple[Told, ...] = ()
    if starts_ns is None:
        starts_ns = midnight_ns(tape.instruments[0].trading_date, zone) + OPENS_NS
        assumed = (told("the tape does not say when it begins: {} is assumed", shown(starts_ns, zone)),)
    last_ns = starts_ns + tape.duration_ns
    begin_ns, end_ns = _window(asked, zone, starts_ns, last_ns, last_ns)
    if kind == RUN:
        assumed += (
            told("the record holds what was received: it is played as it came, orders take the whole round trip"),
        )
    return Chosen(_cut(tape, begin_ns - starts_ns, end_ns - starts_ns), kind, begin_ns, zone, (), assumed)


def _recorded(asked: Asked, site: Site, zone: ZoneInfo) -> Chosen:
    given = ((one, load_tape("recorded", one, asked.tape, asked.seed, 1)) for one in TAPES["recorded"])
    base, _, start = (asked.name or _name_for(site, asked.tape, given)).partition("@")
    whole = load_tape("recorded", f"{base}@{ZERO_TIME}", asked.tape, asked.seed, DAY_S)
    midnight = midnight_ns(whole.instruments[0].trading_date, BEIJING)
    held = tuple(whole.events())
    last_ns = midnight + held[-1].at_ns + SECOND
    start = start or PAIRS[base].start
    begun = asked if asked.begin else asked._replace(begin=f"{local(midnight, BEIJING):%Y-%m-%d}T{start}+08:00")
    begin_ns, end_ns = _window(begun, zone, midnight, last_ns, last_ns)
    since_s, seconds = (begin_ns - midnight) // SECOND, -(-(end_ns - begin_ns) // SECOND)
    at = f"{since_s // 3600:02d}:{since_s // 60 % 60:02d}:{since_s % 60:02d}"
    # The same stretch by its own name says what is derived and assumed of it; its events were read above.
    named = load_tape("recorded", f"{base}@{at}", asked.tape, asked.seed, seconds)
    cut = CutTape(HeldTape(whole, held), begin_ns - midnight, end_ns - midnight)
    tape = HeldTape(named, tuple(cut.events()))
    dates = sorted({one.trading_date for one in tape.instruments})
    assumed = (told("dates differ ({}): told as the first instrument's", ", ".join(dates)),) if len(dates) > 1 else ()
    return Chosen(tape, "recorded", begin_ns, zone, (), assumed)


def _cut(tape: Tape, begin_ns: int, end_ns: int) -> Tape:
    return tape if begin_ns == 0 and end_ns == tape.duration_ns else CutTape(tape, begin_ns, end_ns)


def _window(asked: Asked, zone: ZoneInfo, first_ns: int, last_ns: int | None, default_ns: int) -> tuple[int, int]:
    """From and to; `last_ns` None: the tape goes on as long as it is asked to."""
    begin_ns = instant_ns(asked.begin, "--from", zone, first_ns, is_end=False) if asked.begin else first_ns
    end_ns = instant_ns(asked.end, "--to", zone, first_ns, is_end=True) if asked.end else default_ns
    if last_ns is not None and asked.end:
        end_ns = min(end_ns, last_ns)
    if end_ns <= begin_ns or begin_ns < first_ns or (last_ns is not None and begin_ns >= last_ns):
        raise _outside(asked, asked.tape, zone, first_ns, last_ns)
    return begin_ns, end_ns


def _outside(asked: Asked, name: str, zone: ZoneInfo, first_ns: int, last_ns: int | None) -> WrongCallError:
    end = "..." if last_ns is None else shown(last_ns, zone)
    return WrongCallError(
        told("--from {} --to {}: the tape {} has {} to {} ({})", asked.begin or "-", asked.end or "-", name,
             shown(first_ns, zone), end, zone.key)
    )  # fmt: skip


def _name_for(site: Site, what: str, tapes: Iterable[tuple[str, Tape]]) -> str:
    """The tape that holds what the site's pairs need."""
    held = {name: _held(tape) for name, tape in tapes}
    for name, keys in held.items():
        if any(_is_held(pair, keys, site) for pair in site.pairs.values()):
            return name
    known = "; ".join(f"{name}: {', '.join('.'.join(key) for key in keys)}" for name, keys in held.items())
    message = told("--tape {}: none of its tapes holds a pair of the site; they hold {}", what, known)
    raise WrongCallError(message)


def _playable(asked: Asked, tape: Tape, site: Site) -> tuple[str, ...]:
    held = _held(tape)
    pairs = tuple(name for name, pair in site.pairs.items() if _is_held(pair, held, site))
    if not pairs:
        wanted = "; ".join(f"{name}: {', '.join(needed(pair, site))}" for name, pair in site.pairs.items())
        has = ", ".join(map(".".join, held))
        message = told(
            "--tape {}: it holds no pair of the site ({}); the tape {} has {}", asked.tape, wanted, tape.name, has
        )
        raise WrongCallError(message)
    listed = {_key(one): one for one in site.instruments.values()}
    for item in tape.instruments:
        one = listed.get((item.venue, item.symbol))
        if one is not None and item.tick * one.price_multiplier != one.tick:
            message = told("--tape {}: the tick of {} is {} on the tape, {} in the site", asked.tape, one.instrument_id,
                           item.tick, one.tick)  # fmt: skip
            raise WrongCallError(message)
    return pairs


def _is_held(pair: PairSpec, held: Mapping[tuple[str, str], None], site: Site) -> bool:
    names = (name for name in needed(pair, site) if name not in site.fixings)
    return all(_key(site.instruments[name]) in held for name in names)


def _held(tape: Tape) -> dict[tuple[str, str], None]:
    return {(one.venue, one.symbol): None for one in tape.instruments}


def _key(instrument: Instrument) -> tuple[str, str]:
    return instrument.venue_id, instrument.symbol
