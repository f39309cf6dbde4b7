"""A pair's trading days in words, English and Chinese, for `cmc check`.

It decides nothing: it writes what `calendars.pair_days` found, in Beijing time. A trap that comes back at the same time
of day is told once, after the days, with the number of days that have it; one that is not is told below its day.
"""
# ruff: noqa: RUF001 Chinese text has Chinese commas

from collections import Counter
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from gateway.feed.calendar import Session
from gateway.feed.calendar_pair import DAY_NS, Trap, TrapName
from gateway.processes.calendars import MINUTE_NS, SECOND_NS, SHORT_HORIZON_DAYS, PairDay, PairOutlook

ZONE = ZoneInfo("Asia/Shanghai")
_TRAPS = {
    "en": {
        TrapName.UNKNOWN: "hours not known, counts as shut",
        TrapName.HOME_HOLIDAY: "holiday at home, overseas trades on",
        TrapName.AWAY_HOLIDAY: "holiday overseas, home trades",
        TrapName.NO_NIGHT: "no night session before a holiday, overseas trades on",
        TrapName.HALF_DAY: "closes early",
        TrapName.CLOCK_CHANGE: "clocks changed there, opens",
        TrapName.AWAY_HALT: "halt overseas within the home session",
        TrapName.AWAY_SHUT: "shut overseas within the home session",
        TrapName.AWAY_BREAK: "daily break overseas",
        TrapName.HOME_BREAK: "break at home, overseas trades on",
        TrapName.HOME_SHUT: "shut at home, overseas trades on",
    },
    "zh": {
        TrapName.UNKNOWN: "交易时间未知，视为休市",
        TrapName.HOME_HOLIDAY: "境内休市，境外照常交易",
        TrapName.AWAY_HOLIDAY: "境外休市，境内照常交易",
        TrapName.NO_NIGHT: "节前无夜盘，境外照常交易",
        TrapName.HALF_DAY: "提前收市",
        TrapName.CLOCK_CHANGE: "当地夏令时切换，开盘",
        TrapName.AWAY_HALT: "境内交易时段内境外暂停",
        TrapName.AWAY_SHUT: "境内交易时段内境外未开市",
        TrapName.AWAY_BREAK: "境外每日休息",
        TrapName.HOME_BREAK: "境内小节休息，境外照常交易",
        TrapName.HOME_SHUT: "境内收市，境外照常交易",
    },
}
_NOTES_ZH = {"an hour later": "晚一小时", "an hour earlier": "早一小时"}
_WEEKDAYS = {"en": ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"), "zh": tuple("一二三四五六日")}


def outlook_text(pair_id: str, outlook: PairOutlook, language: str = "en") -> list[str]:
    """Lines: the pair and its state, its next trading days with windows and traps, and what is not known."""
    zh = language == "zh"
    daily = Counter(key for day in outlook.days for key in dict.fromkeys(map(_time_of_day, day.traps)))
    lines = [_head(pair_id, outlook, zh=zh)]
    for day in outlook.days:
        lines.append(_day(day, zh=zh))
        lines += [f"      {_trap(trap, zh=zh)}" for trap in day.traps if daily[_time_of_day(trap)] < 2]  # noqa: PLR2004 comes back
    for (times, name, product), number in daily.items():
        if number >= 2:  # noqa: PLR2004 as above
            days = f"{number}/{len(outlook.days)} {'天' if zh else 'days'}"
            lines.append(f"  {days}  {times} {name} {product}: {_TRAPS[language][name]}")
    return [*lines, *(_horizon(*one, zh=zh) for one in outlook.horizon_days if one[1] < SHORT_HORIZON_DAYS)]


def always_open_text(instrument_id: str, language: str = "en") -> str:
    """Said loudly of an instrument without a calendar."""
    if language == "zh":
        return f"警告：{instrument_id} 未设置 calendar，视为全天候开市，任何时间都可能下单"
    return f"WARNING: {instrument_id} has no calendar: it counts as always open, orders may go out at any time"


def _horizon(product: str, days: int, *, zh: bool) -> str:
    if zh:
        return f"  警告：{product} 的交易日历只到 {days} 天后，请更新 holidays 库或站点的 holidays_file"
    return (
        f"  WARNING: {product}: hours are known for {days} more days only, then nothing is traded; renew the holiday "
        f"library or the site's holidays_file"
    )


def _head(pair_id: str, outlook: PairOutlook, *, zh: bool) -> str:
    minutes = outlook.minutes_until_shut
    opens = _stamp(outlook.next_open_ns, outlook.at_utc_ns)
    if minutes is None:
        state = "之后没有已知的交易时段" if zh else "no window is known from now on"
    elif outlook.is_open:
        state = f"开市中，{minutes} 分钟后收市" if zh else f"open, shuts in {minutes} min"
    else:
        state = f"未开市，{opens} 开市，{minutes} 分钟后收市" if zh else f"shut, opens {opens}, shuts in {minutes} min"
    return f"{pair_id}: {' x '.join(outlook.products)}: {state} ({'北京时间' if zh else 'Beijing time'})"


def _day(day: PairDay, *, zh: bool) -> str:
    noon = datetime.strptime(f"{day.trade_date}12", "%Y%m%d%H").replace(tzinfo=ZONE)
    weekday = _WEEKDAYS["zh" if zh else "en"][noon.weekday()]
    noon_ns = (noon - datetime(1970, 1, 1, tzinfo=UTC)).days * DAY_NS
    total = sum(one.close_ns - one.open_ns for one in day.windows) // MINUTE_NS
    windows = ", ".join(_window(one, noon_ns) for one in day.windows) or ("无" if zh else "none")
    return f"  {noon:%Y-%m-%d} {weekday}  {windows}  ({total} {'分钟' if zh else 'min'})"


def _window(window: Session, near_ns: int) -> str:
    return f"{_stamp(window.open_ns, near_ns)}-{_local(window.close_ns):%H:%M}"


def _trap(trap: Trap, *, zh: bool) -> str:
    note = _NOTES_ZH.get(trap.note, trap.note) if zh else trap.note
    words = _TRAPS["zh" if zh else "en"][trap.name]
    stretch = f"{_local(trap.start_ns):%m-%d %H:%M}-{_stamp(trap.end_ns, trap.start_ns)}"
    return f"{stretch} {trap.name} {trap.product}: {words}{f' ({note})' if note else ''}"


def _time_of_day(trap: Trap) -> tuple[str, TrapName, str]:
    """What makes two traps the same one on two days; those with a reason or over a day never are."""
    stretch = f"{_local(trap.start_ns):%H:%M}-{_local(trap.end_ns):%H:%M}"
    if trap.note or trap.end_ns - trap.start_ns >= DAY_NS:
        stretch = f"{trap.start_ns}"
    return stretch, trap.name, trap.product


def _stamp(at_ns: int | None, near_ns: int) -> str:
    """Hours and minutes, with the date where it is not that of `near_ns`."""
    if at_ns is None:
        return "?"
    local = _local(at_ns)
    return f"{local:%H:%M}" if local.date() == _local(near_ns).date() else f"{local:%m-%d %H:%M}"


def _local(at_ns: int) -> datetime:
    return datetime.fromtimestamp(at_ns // SECOND_NS, tz=ZONE)
