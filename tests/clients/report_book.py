"""What an order management system may rely on, checked over every ExecutionReport(35=8) of a session, in order.

    identity     ExecID(17) is new each time but 0 on an answer (150=I); the same again only as PossResend(97)=Y, word
                 for word. OrderID(37) of a ClOrdID(11) never changes.
    quantity     OrderQty(38) = CumQty(14) + LeavesQty(151) while the order is open; LeavesQty is 0 when it has ended.
                 CumQty grows by LastQty(32) of a trade (150=F), falls by that of a bust (150=H), and else stays.
    price        AvgPx(6) is the average of the trades that still stand, cut to 1e-9.
    reference    a bust (150=H) and a correction (150=G) name in ExecRefID(19) the last report about a trade of the same
                 line; a correction changes its price and becomes that report itself, a bust may take back a part.
    state        OrdStatus(39) follows OrdStatus by the table below, and the ExecType(150) that makes it.

A line is the order itself (442=1, 442=3), or one leg of it on one side (442=2): a leg that is taken back is bought and
sold, and each side has a count of its own. FIX 4.2 says by ExecTransType(20) what the others say by ExecType(150).
"""

from dataclasses import dataclass, field
from fractions import Fraction

Fields = dict[str, str]
STATES = """
from open                to
-    0                   open
0    0 1 2 4 6 9 C E     open
1    0 1 2 4 6 9 C E     open
6    0 1 2 4 6 9 C E     open
E    0 1 2 4 6 9 C E     open
9    0 1 2 4 6 9 C E     open
2    2 4                 ended
4    2 4                 ended
C    2 C                 ended
"""
NEXT = {line.split()[0]: set(line.split()[1:-1]) for line in STATES.strip().splitlines()[1:]}
ENDED = frozenset({"2", "4", "8", "C"})
STATES_OF = {
    "0": {"0"}, "4": {"4"}, "C": {"C"}, "6": {"6"}, "E": {"E"}, "9": {"9"}, "8": {"8"}, "5": {"0", "1", "9"},
}  # fmt: skip
"""What OrdStatus(39) an ExecType(150) may come with; any where it is not here."""
UNIT = Fraction(1, 10**9)


@dataclass
class Line:
    """An order, or one side of one of its legs, as the reports have it so far."""

    status: str = "-"
    cum: int = 0
    left: int = 0
    value: Fraction = Fraction(0)
    trades: dict[str, tuple[int, Fraction]] = field(default_factory=dict)
    """ExecID of the last report about a trade -> what of it still stands, and its price."""


class ReportBook:
    """Takes the reports of one session in order; `wrong` says what did not hold."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.wrong: list[str] = []
        self.lines: dict[tuple[str, ...], Line] = {}
        self.orders: dict[str, str] = {}
        """ClOrdID -> OrderID."""
        self.told: dict[str, Fields] = {}
        """By ExecID, in the order in which they came."""
        self.rejected: dict[str, Fields] = {}
        """ClOrdID -> the report that it is not taken."""

    def take(self, report: Fields) -> None:
        """One report."""
        kind = exec_type(report)
        if kind == "I":
            self._answer(report)
        elif self._is_new(report):
            self.told[report["17"]] = report
            if kind == "8":
                self._rejected(report)
            else:
                self._identity(report)
                self._line(report, kind)

    def status(self, cl_ord_id: str) -> str:
        """OrdStatus(39) of an order by one of its ClOrdIDs; empty: never heard of."""
        line = self.lines.get((self.orders.get(cl_ord_id, ""),))
        return line.status if line is not None else "8" if cl_ord_id in self.rejected else ""

    def cum(self, cl_ord_id: str) -> int:
        """Its CumQty(14)."""
        return self.lines[(self.orders[cl_ord_id],)].cum

    def _is_new(self, report: Fields) -> bool:
        before = self.told.get(report["17"])
        if before is None:
            return True
        plain = {"8", "9", "10", "34", "35", "43", "52", "97", "122"}
        same = {tag: value for tag, value in report.items() if tag not in plain}
        if report.get("97") != "Y" or same != {tag: value for tag, value in before.items() if tag not in plain}:
            self._say(report, f"ExecID(17)={report['17']} was told before")
        return False

    def _rejected(self, report: Fields) -> None:
        self._is(report, "39", "8")
        self._is(report, "14", "0")
        self._is(report, "151", "0")
        self.rejected.setdefault(report["11"], report)

    def _identity(self, report: Fields) -> None:
        if "11" not in report:
            return  # a trade of the house, counted by its venue only
        known = self.orders.setdefault(report["11"], report["37"])
        if known != report["37"]:
            self._say(report, f"OrderID(37)={report['37']}, but {known} before")

    def _answer(self, report: Fields) -> None:
        self._is(report, "17", "0")
        line = self.lines.get((report["37"],))
        if line is None:
            self._say(report, "an answer about an order that was never told of")
            return
        self._is(report, "14", str(line.cum))
        self._is(report, "151", str(line.left))
        if report["39"] not in NEXT[line.status]:
            self._say(report, f"an answer 39={report['39']} after 39={line.status}")

    def _line(self, report: Fields, kind: str) -> None:
        is_leg = report["442"] == "2"
        line = self.lines.setdefault((report["37"], report["55"], report["54"]) if is_leg else (report["37"],), Line())
        change = self._trade(report, kind, line)
        cum, left, status = int(report["14"]), int(report["151"]), report["39"]
        if cum != line.cum + change:
            self._say(report, f"CumQty(14)={cum}, but {line.cum} and {change:+} are {line.cum + change}")
        if status in ENDED and not (is_leg and left):
            if left:
                self._say(report, f"LeavesQty(151)={left}, but 39={status} has none left")
        elif cum + left != int(report["38"]):
            self._say(report, f"CumQty(14)={cum} and LeavesQty(151)={left} are not OrderQty(38)={report['38']}")
        average = line.value / cum if cum else Fraction(0)
        if abs(Fraction(report["6"]) - average) > UNIT:
            self._say(report, f"AvgPx(6)={report['6']}, but the trades average {float(average):.9f}")
        if not is_leg:
            self._state(report, kind, line.status)
        line.cum, line.left, line.status = cum, left, status

    def _trade(self, report: Fields, kind: str, line: Line) -> int:
        """Lots by which the line changes."""
        if kind == "F":
            lots, px = int(report["32"]), Fraction(report["31"])
            if lots <= 0:
                self._say(report, f"LastQty(32)={lots} of a trade")
            line.trades[report["17"]] = (lots, px)
            line.value += lots * px
            return lots
        if kind == "G":
            stands, px = line.trades.pop(report.get("19", ""), (0, Fraction(0)))
            if stands != int(report["32"]):
                self._say(report, f"ExecRefID(19)={report.get('19')} names no trade of {report['32']} that stands")
            line.trades[report["17"]] = (stands, Fraction(report["31"]))
            line.value += stands * (Fraction(report["31"]) - px)
            return 0
        if kind == "H":
            lots = int(report["32"])
            stands, px = line.trades.get(report.get("19", ""), (0, Fraction(0)))
            if stands < lots:
                self._say(report, f"ExecRefID(19)={report.get('19')} names no trade of {lots} that stands")
            else:
                line.trades[report["19"]] = (stands - lots, px)
            line.value -= lots * px
            return -lots
        if "32" in report:
            self._say(report, f"LastQty(32) in 150={kind}")
        return 0

    def _state(self, report: Fields, kind: str, before: str) -> None:
        status = report["39"]
        if status not in NEXT.get(before, set()) or (before == "-") != (kind == "0"):
            self._say(report, f"39={status} after 39={before}")
        if status not in STATES_OF.get(kind, {status}):
            self._say(report, f"39={status} in 150={kind}")
        if before in ENDED and kind not in ("F", "G", "H", "D"):
            self._say(report, f"150={kind} after the end, 39={before}")
        if kind == "F" and (status == "2") != (int(report["14"]) >= int(report["38"])):
            self._say(report, f"39={status} at CumQty(14)={report['14']} of {report['38']}")

    def _is(self, report: Fields, tag: str, value: str) -> None:
        if report.get(tag) != value:
            self._say(report, f"{tag}={report.get(tag)}, not {value}")

    def _say(self, report: Fields, what: str) -> None:
        shown = "|".join(f"{tag}={value}" for tag, value in report.items() if tag not in ("8", "9", "10", "49", "56"))
        self.wrong.append(f"{self.name}: {what}: {shown}")


def exec_type(report: Fields) -> str:
    """ExecType(150) as FIX 4.4 has it."""
    if report["8"] != "FIX.4.2":
        return report["150"]
    told = {"1": "H", "2": "G", "3": "I"}.get(report["20"], report["150"])
    return "F" if told in ("1", "2") else told
