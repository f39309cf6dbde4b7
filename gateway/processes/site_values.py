"""How the values that the programs take (`site.py`) are made of the checked text of a site file.

Milliseconds and seconds become nanoseconds, money becomes whole 1e-9, units and named factors become one factor. It
judges nothing: `site_checks.py` has.

What can go wrong: nothing is rounded here; a factor is a fraction, because no decimal holds one over 31.1034768.
"""

import hashlib
import json
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path

from gateway.feed.clock_settings import US, ClockSettings
from gateway.feed.freshness import FreshnessSettings
from gateway.fix.dialect import Dialect
from gateway.model.base import PRICE_E9
from gateway.model.instrument import Instrument
from gateway.model.order import TimeInForce
from gateway.model.site import InstrumentLimits, SiteLimits, VenueSpec
from gateway.processes.durations import MS, SECOND
from gateway.processes.fixings import Fixing
from gateway.processes.rule_keys import fee_rows, rule_spec
from gateway.processes.site import (
    BusSettings,
    JournalSettings,
    PerformanceSettings,
    RecorderSettings,
    SessionSettings,
    Site,
    SupervisorSettings,
    VenueSettings,
    WatchSettings,
)
from gateway.processes.site_calendars import CalendarSettings
from gateway.processes.site_clients import clients_settings
from gateway.processes.site_file import (
    AskPositions,
    BusSection,
    ClockSection,
    FreshnessSection,
    InstrumentSection,
    JournalSection,
    PerformanceSection,
    SessionSection,
    SiteFile,
    SupervisorSection,
    VenueSection,
    WatchSection,
)
from gateway.processes.site_library import notes as library_notes
from gateway.processes.site_pairs import lots_notes, pair_spec


def make_site(
    file: Path,
    bus_dir: Path,
    written: SiteFile,
    dialects: Mapping[str, Dialect],
    passwords: Mapping[tuple[int, str], str],
) -> Site:
    """The site of a checked file; `dialects` by venue id, `passwords` by (venue's place, session)."""
    top = written.site
    venues = [(index, one, dialects[one.id]) for index, one in enumerate(written.venue)]
    known = {one.id: one for one in written.instrument}
    accounts = {one.id: one.account for one in written.venue}
    return Site(
        path=file.resolve(),
        name=top.name,
        language=top.language,
        stage=top.stage,
        state_dir=(file.parent / top.state_dir).resolve(),
        bus_dir=bus_dir,
        journal=_journal(written.journal),
        recorder=RecorderSettings(written.recorder.segment_mb * 2**20, written.recorder.segment_minutes * 60 * SECOND),
        supervisor=_supervisor(written.supervisor),
        watch=_watch(written.watch),
        bus=_bus(written.bus),
        performance=_performance(written.performance),
        limits=_limits(written),
        venues={one.id: _venue(one, dialect, index, passwords) for index, one, dialect in venues},
        instruments={one.id: _instrument(one, accounts[one.venue], dialects[one.venue]) for one in written.instrument},
        instrument_limits={one.id: _instrument_limits(one) for one in written.instrument if one.tradable},
        pairs={one.id: pair_spec(one, known) for one in written.pair},
        rules={one.id: rule_spec(one) for one in written.rule},
        calendars=calendar_settings(file, written),
        freshness=_freshness(written.freshness),
        fixings={one.id: _fixing(one) for one in written.instrument if one.fixing is not None},
        digest=_digest(written),
        notes=(*lots_notes(written, known), *library_notes(written)),
        clients=clients_settings(file, written, passwords),
    )


def calendar_settings(file: Path, written: SiteFile) -> CalendarSettings:
    """Which instrument has which trading hours, and the site's own files of them."""
    top = written.site
    return CalendarSettings(
        products={one.id: one.calendar for one in written.instrument if one.calendar},
        holidays_file=(file.parent / top.holidays_file).resolve() if top.holidays_file else None,
        sessions_file=(file.parent / top.sessions_file).resolve() if top.sessions_file else None,
    )


def _digest(written: SiteFile) -> str:
    text = json.dumps(written.model_dump(mode="json"), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def _e9(value: Decimal) -> int:
    """`value` in whole 1e-9; the checks have seen to it that it is one."""
    return int(value * PRICE_E9)


def _e9_or_none(value: Decimal | None) -> int | None:
    return None if value is None else _e9(value)


def _journal(one: JournalSection) -> JournalSettings:
    return JournalSettings(
        one.fdatasync_interval_ms * MS, one.sync_before_send, one.min_free_mb * 2**20, one.alarm_every_s * SECOND
    )


def _supervisor(one: SupervisorSection) -> SupervisorSettings:
    return SupervisorSettings(one.restarts_max, one.restarts_window_s * SECOND, one.stop_timeout_s * SECOND)


def _watch(one: WatchSection) -> WatchSettings:
    return WatchSettings(
        one.heartbeat_timeout_ms * MS, one.restart_timeout_ms * MS, one.kill_answer_ms * MS, one.retry_ms * MS
    )


def _bus(one: BusSection) -> BusSettings:
    return BusSettings(one.high_water_mark, one.heartbeat_interval_ms * MS, one.pair_price_interval_ms * MS)


def _fixing(one: InstrumentSection) -> Fixing:
    return Fixing(int((one.fixing or Decimal(0)) / one.tick), one.fixing_date, one.fixing_source)


def _freshness(one: FreshnessSection) -> FreshnessSettings:
    return FreshnessSettings(
        one.window, one.warm_up, one.quantile_pct, one.factor_pct, one.least_ms * MS, one.most_ms * MS
    )


def _performance(one: PerformanceSection) -> PerformanceSettings:
    return PerformanceSettings(one.warm_interval_ms * MS)


def _limits(written: SiteFile) -> SiteLimits:
    one = written.limits
    return SiteLimits(
        max_open_trades=one.max_open_trades,
        max_orders_per_s=one.max_orders_per_s,
        throttle_trades=one.throttle_trades,
        throttle_window_ns=one.throttle_window_s * SECOND,
        daily_loss_e9={currency: _e9(loss) for currency, loss in one.daily_loss.items()},
        max_currency_e9={currency: _e9(most) for currency, most in one.max_currency.items()},
        max_legged_trades=one.max_legged_trades,
        on_breach=one.on_breach,
        orders_per_intent=one.orders_per_intent,
        ended_trades_kept=one.ended_trades_kept,
    )


def _venue(one: VenueSection, dialect: Dialect, index: int, passwords: Mapping[tuple[int, str], str]) -> VenueSettings:
    spec = VenueSpec(
        venue_id=one.id,
        account=one.account,
        mass_status=dialect.mass_status == "AF",
        time_in_force=tuple(force for force in TimeInForce if force in dialect.times_in_force),
        market_orders=one.market_orders,
        status_timeout_ns=one.status_timeout_ms * MS,
        max_gross_lots=one.max_gross_lots,
        max_net_lots=one.max_net_lots,
        margin_available_e9=None
        if one.margin_available is None
        else {currency: _e9(money) for currency, money in one.margin_available.items()},
        tells_positions=dialect.positions is not None,
        ask_positions=dialect.positions is not None and one.ask_positions is not AskPositions.NEVER,
        positions_interval_ns=one.ask_positions_interval_s * SECOND,
        exec_key=dialect.exec_key,
    )
    return VenueSettings(
        spec=spec,
        dialect=dialect,
        md=_session("md", one.md, passwords.get((index, "md"), "")),
        orders=_session("orders", one.orders, passwords.get((index, "orders"), "")),
        reconnect_min_ns=int(one.reconnect_min_s * SECOND),
        reconnect_max_ns=int(one.reconnect_max_s * SECOND),
        watch=None if one.watch is None else _session("orders", one.watch, passwords.get((index, "watch"), "")),
        drop_copy=None
        if one.drop_copy is None
        else _session("orders", one.drop_copy, passwords.get((index, "drop_copy"), "")),
        cancel_on_disconnect=one.cancel_on_disconnect,
        clock=_clock(one.clock),
    )


def _clock(one: ClockSection) -> ClockSettings:
    return ClockSettings(
        interval_ns=one.test_request_interval_ms * MS,
        window_ns=one.window_s * SECOND,
        max_drift_ppb=one.max_drift_ppm * 1000,
        wander_ppb=one.wander_ppb,
        live_ns=one.live_s * SECOND,
        asymmetry_ns=None if one.asymmetry_us is None else one.asymmetry_us * US,
        asymmetry_error_ns=(one.asymmetry_error_us or 0) * US,
        utc_error_ns=None if one.utc_error_us is None else one.utc_error_us * US,
    )


def _session(kind: str, one: SessionSection, password: str) -> SessionSettings:
    constants = dict(one.constants)
    if one.sender_sub_id:
        constants["sender_sub_id"] = one.sender_sub_id
    return SessionSettings(
        kind=kind,
        host=one.host,
        port=one.port,
        sender_comp_id=one.sender_comp_id,
        target_comp_id=one.target_comp_id,
        heart_bt_int_s=one.heart_bt_int_s,
        username=one.username,
        password=password,
        constants=constants,
        start_time=one.start_time,
        end_time=one.end_time,
    )


def _instrument(one: InstrumentSection, account: str, dialect: Dialect) -> Instrument:
    return Instrument(
        instrument_id=one.id,
        venue_id=one.venue,
        symbol=one.symbol,
        tick=one.tick,
        lot_units=one.lot_units,
        unit=one.unit,
        currency=one.currency,
        point_value=one.point_value if one.point_value is not None else one.lot_units,
        position_model=one.position_model,
        min_qty_lots=one.min_qty,
        max_qty_lots=one.max_qty,
        tradable=one.tradable,
        account=account,
        hedge_flag=one.hedge_flag,
        lock=one.lock,
        price_multiplier=one.price_multiplier or dialect.price_multiplier,
        reference_price=one.reference_price,
        reference_within_pct=one.reference_within_pct or Decimal(0),
        fields=one.fields,
        fees=fee_rows(one),
    )


def _instrument_limits(one: InstrumentSection) -> InstrumentLimits:
    return InstrumentLimits(
        instrument_id=one.id,
        max_position_lots=one.max_position_lots or 0,
        max_orders_per_day=one.max_orders_per_day or 0,
        max_order_value_e9=_e9(one.max_order_value or Decimal(0)),
        collar_ticks=one.collar_ticks or 0,
        max_cancels_per_day=one.max_cancels_per_day,
        margin_per_lot_e9=_e9_or_none(one.margin_per_lot),
    )
