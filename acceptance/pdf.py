"""The sign-off on paper: the same document as a PDF, Chinese under English, with the pictures of the page.

It shows the document and judges nothing; the document's digest stands on every sheet, so that paper and page can be
held against each other. Chinese is set in a TrueType font that is embedded where one is found or named (`font`); else
in Adobe's STSong-Light, which a reader supplies by itself and which is not embedded.

What can go wrong: `reportlab` is an extra of the package; without it PdfError says how to install it. A font file that
cannot be embedded (one with PostScript outlines, say) is refused with its name.
"""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple
from xml.sax.saxutils import escape

from acceptance.document import canonical
from acceptance.judge import Judged
from acceptance.pages import word
from acceptance.picture import HEIGHT, WIDTH, Line, Shape, picture
from gateway.journal.told import told

CID_FONT = "STSong-Light"
FONT_PLACES = (
    "/usr/share/fonts/truetype/wqy/wqy-zenhei.ttc",
    "/usr/share/fonts/truetype/wqy/wqy-microhei.ttc",
    "/usr/share/fonts/truetype/arphic/uming.ttc",
    "/usr/share/fonts/truetype/droid/DroidSansFallbackFull.ttf",
    "/System/Library/Fonts/STHeiti Light.ttc",
    "C:/Windows/Fonts/simsun.ttc",
)
_SCALE = 0.58
_MOST_FINDINGS = 8
"""Of a criterion; how many more there are is told."""
_COLOURS = {
    "grid": "#e1e5ea",
    "axis": "#5c6877",
    "bound": "#b42318",
    "interval": "#18794e",
    "value": "#1b2430",
    "curve": "#1f5fbf",
    "tick": "#5c6877",
}
_WIDTHS = {"interval": 2.2, "value": 2.0, "curve": 1.2, "bound": 1.0}
_VERDICTS = {"pass": "#18794e", "fail": "#b42318", "not enough": "#8a5a00"}


class PdfError(Exception):
    """The PDF cannot be made; says why and what would do."""


class _Library(NamedTuple):
    """What is used of reportlab."""

    platypus: Any
    styles: Any
    colors: Any
    units: Any
    pages: Any
    metrics: Any
    ttfonts: Any
    cidfonts: Any
    shapes: Any


def write_pdf(path: Path, content: Mapping[str, Any], judged: Sequence[Judged], font: Path | None = None) -> str:
    """Write the PDF; the name of the Chinese font that it uses."""
    library = _library()
    name = _font(library, font)
    sheet = _Sheet(library, name)
    flow = [*_head(sheet, content), *_criteria(sheet, content, judged), *_tables(sheet, content)]
    template = library.platypus.SimpleDocTemplate(
        str(path),
        pagesize=library.pages.A4,
        title=f"{content['product']}: {word('title', 'en')}",
        author=content["approver"]["name"],
        leftMargin=18 * library.units.mm,
        rightMargin=18 * library.units.mm,
        topMargin=16 * library.units.mm,
        bottomMargin=18 * library.units.mm,
        invariant=1,
    )
    footer = (
        f"{content['product']} {content['version']}  {content['date']} UTC  SHA-256 of the document {digest(content)}"
    )

    def foot(canvas: Any, page: Any) -> None:  # noqa: ANN401 - reportlab's
        canvas.setFont("Helvetica", 6.5)
        canvas.drawString(18 * library.units.mm, 10 * library.units.mm, footer)
        canvas.drawRightString(library.pages.A4[0] - 18 * library.units.mm, 10 * library.units.mm, str(page.page))

    template.build(flow, onFirstPage=foot, onLaterPages=foot)
    return name


def digest(content: Mapping[str, Any]) -> str:
    """The SHA-256 of the document without what is only known once the PDF is written."""
    known = {key: value for key, value in content.items() if key not in {"page_sha256", "files"}}
    return hashlib.sha256(canonical(known)).hexdigest()


class _Sheet:
    """Styles and small makers."""

    def __init__(self, library: _Library, chinese: str) -> None:
        self.library = library
        self._chinese = chinese
        base = library.styles.ParagraphStyle("text", fontName="Helvetica", fontSize=8.5, leading=11.5, wordWrap="LTR")
        self._styles = {
            "text": base,
            "title": library.styles.ParagraphStyle("title", base, fontSize=17, leading=21, spaceAfter=2),
            "head": library.styles.ParagraphStyle("head", base, fontSize=12, leading=15, spaceBefore=10, spaceAfter=4),
            "small": library.styles.ParagraphStyle("small", base, fontSize=7, leading=9, textColor="#5c6877"),
            "mono": library.styles.ParagraphStyle("mono", base, fontName="Courier", fontSize=6.2, leading=8),
        }

    def text(self, words: str, style: str = "text") -> Any:  # noqa: ANN401 - a flowable
        """Words in either script: what Helvetica has not is set in the Chinese font."""
        return self.library.platypus.Paragraph(self._marked(words), self._styles[style])

    def both(self, english: str, chinese: str, style: str = "text") -> Any:  # noqa: ANN401
        """English, and Chinese under it where it is another text."""
        marked = self._marked(english)
        if chinese and chinese != english:
            marked += "<br/>" + self._marked(chinese)
        return self.library.platypus.Paragraph(marked, self._styles[style])

    def word(self, key: str) -> str:
        """A word of the report in both languages."""
        english, chinese = word(key, "en"), word(key, "zh")
        return english if english == chinese else f"{english} {chinese}"

    def table(self, rows: Sequence[Sequence[Any]], widths: Sequence[float], *, head: bool = True) -> Any:  # noqa: ANN401
        """A table with rules between its rows."""
        made = self.library.platypus.Table(rows, colWidths=widths, repeatRows=1 if head else 0, hAlign="LEFT")
        made.setStyle(
            [
                ("VALIGN", (0, 0), (-1, -1), "TOP"),
                ("LINEBELOW", (0, 0), (-1, -1), 0.4, "#dfe3e8"),
                ("LEFTPADDING", (0, 0), (-1, -1), 0),
                ("RIGHTPADDING", (0, 0), (-1, -1), 6),
                ("TOPPADDING", (0, 0), (-1, -1), 2),
                ("BOTTOMPADDING", (0, 0), (-1, -1), 3),
            ]
        )
        return made

    def drawing(self, shapes: Sequence[Shape]) -> Any:  # noqa: ANN401
        """The picture of a criterion; y runs upwards on paper."""
        shape = self.library.shapes
        made = shape.Drawing(WIDTH * _SCALE, HEIGHT * _SCALE)
        for one in shapes:
            colour = self.library.colors.HexColor(_COLOURS[one.role])
            if isinstance(one, Line):
                points = [number for x, y in one.points for number in (x * _SCALE, (HEIGHT - y) * _SCALE)]
                width = _WIDTHS.get(one.role, 0.6)
                made.add(shape.PolyLine(points, strokeColor=colour, strokeWidth=width))
            else:
                words = one.words.replace("\N{MICRO SIGN}", "u").replace("\N{EN DASH}", "-")
                where = (one.x * _SCALE, (HEIGHT - one.y) * _SCALE)
                made.add(
                    shape.String(
                        *where, words, fontName="Helvetica", fontSize=6, fillColor=colour, textAnchor=one.anchor
                    )
                )
        return made

    def _marked(self, words: str) -> str:
        parts, chinese = [], False
        for char in words:
            other = not _in_helvetica(char)
            if other != chinese:
                parts.append(f'<font name="{self._chinese}">' if other else "</font>")
                chinese = other
            parts.append(escape(char))
        return "".join([*parts, "</font>" if chinese else ""])


def _in_helvetica(char: str) -> bool:
    try:
        char.encode("cp1252")
    except UnicodeEncodeError:
        return False
    return True


def _head(sheet: _Sheet, content: Mapping[str, Any]) -> list[Any]:
    verdict = content["verdict"]
    colour = _VERDICTS.get(verdict, "#5c6877")
    runs = "; ".join(f"{run['name']} ({', '.join(_of_run(run))})" for run in content["runs"])
    configs = "; ".join(config for run in content["runs"] for config in run["config"])
    rows = [
        ("approver", content["approver"]["name"]),
        ("date", content["date"]),
        ("stage", content["stage"]),
        ("product", f"{content['product']} {content['version']}"),
        ("build", content["build"]),
        ("config", configs),
        ("versions", "; ".join(f"{name} {value}" for name, value in content["versions"].items())),
        ("machine", "; ".join(f"{name} {value}" for name, value in content["machine"].items())),
        ("runs", runs),
        ("public_key", content["approver"]["public_key"]),
    ]
    heading = sheet.text(f"{content['product']}: {sheet.word('title')}", "title")
    said = sheet.both(word(f"overall_{verdict}", "en"), word(f"overall_{verdict}", "zh"))
    result = sheet.table([[sheet.text(sheet.word(verdict), "title"), said]], [150, 340], head=False)
    result.setStyle([("LINEBEFORE", (0, 0), (0, 0), 4, colour), ("LEFTPADDING", (0, 0), (0, 0), 8)])
    warned = _deviations(sheet, content)
    about = sheet.table([[sheet.text(sheet.word(key), "small"), sheet.text(value)] for key, value in rows], [130, 360])
    return [heading, result, *warned, sheet.library.platypus.Spacer(1, 6), about]


def _of_run(run: Mapping[str, Any]) -> list[str]:
    ways = [f"{venue} {way}" for venue, way in run["networks"].items()]
    words = [f"{run['started']} UTC", *run["hosts"], *run["version"], *run["build"], str(run["pair_trades"]), *ways]
    return [one for one in words if one]


def _deviations(sheet: _Sheet, content: Mapping[str, Any]) -> list[Any]:
    """Where the criteria are not the product's own, and what is not asked at this stage."""
    flow: list[Any] = []
    if content["deviations"]:
        lines = [sheet.text(sheet.word("deviations"), "head")]
        lines.append(sheet.both(word("deviations_said", "en"), word("deviations_said", "zh"), "small"))
        for one in content["deviations"]:
            less = [f"{word('less', language)} " if one["less"] else "" for language in ("en", "zh")]
            lines.append(sheet.both(f"- {less[0]}{one['en']}", f"- {less[1]}{one['zh']}"))
        box = sheet.table([[lines]], [490], head=False)
        box.setStyle([("LINEBEFORE", (0, 0), (0, 0), 4, "#8a5a00"), ("LEFTPADDING", (0, 0), (0, 0), 8)])
        flow.append(box)
    if content["not_asked"]:
        flow.append(sheet.text(f"{sheet.word('not_asked')} {', '.join(content['not_asked'])}", "small"))
    return flow


def _criteria(sheet: _Sheet, content: Mapping[str, Any], judged: Sequence[Judged]) -> list[Any]:
    flow: list[Any] = [sheet.text(sheet.word("criteria"), "head")]
    shapes = {one.criterion.id: picture(one) for one in judged}
    for one in content["criteria"]:
        figures = [f"{sheet.word('found')} {one['found']}", f"{sheet.word('bound')} {one['bound']}"]
        if "part" in one["exact"]:
            figures.append(f"{one['exact']['part']} / {one['exact']['whole']}")
        if one["interval"]:
            figures.append(f"{100 * one['confidence']:g} % {sheet.word('interval')} {one['interval']}")
        figures.append(f"n = {one['size']}" + (f" ({one['needed']} {sheet.word('needed')})" if one["needed"] else ""))
        left = [
            sheet.text(f"{sheet.word(one['verdict'])}   {one['id']}"),
            sheet.both(one["en"], one["zh"], "small"),
            sheet.text("; ".join(figures)),
        ]
        left += [sheet.text(words, "small") for words in _beside_figure(sheet, one)]
        if one["why"]["en"]:
            left.append(sheet.both(one["why"]["en"], one["why"]["zh"], "small"))
        left += [sheet.both(text["en"], text["zh"], "small") for text in one["findings"][:_MOST_FINDINGS]]
        more = len(one["findings"]) - _MOST_FINDINGS + one["more_findings"]
        left += [sheet.text(f"+ {more}", "small")] if more > 0 else []
        drawn = sheet.drawing(shapes[one["id"]]) if shapes[one["id"]] else ""
        width = WIDTH * _SCALE
        row = sheet.table([[left, drawn]], [500 - width, width], head=False)
        colour = _VERDICTS.get(one["verdict"], "#5c6877")
        row.setStyle([("LINEBEFORE", (0, 0), (0, 0), 2.5, colour), ("LEFTPADDING", (0, 0), (0, 0), 6)])
        flow.append(sheet.library.platypus.KeepTogether([row]))
    return flow


def _beside_figure(sheet: _Sheet, one: Mapping[str, Any]) -> list[str]:
    found = [f"{sheet.word('left_out')} {one['left_out']}"] if one["left_out"] else []
    if blocks := one["blocks"]:
        worth = f"{sheet.word('worth')} {blocks['worth']}"
        worst = f" ({sheet.word('worst')})" if blocks["worst"] else ""
        found.append(f"{sheet.word('blocks')}: {blocks['blocks']}, {worth}, {blocks['interval']}{worst}")
    return found


def _beside(sheet: _Sheet, content: Mapping[str, Any]) -> list[Any]:
    """First shot and our own refusals for each network, and the load tests."""
    names = ("network", "intents", "order-acceptance", "pair-completion", "first-shot", "refused")
    rows = [[sheet.text(sheet.word(name), "small") for name in names]]
    keys = ("network", "intents", "order_acceptance", "pair_completion", "first_shot")
    rows += [
        [*(sheet.text(str(one[key])) for key in keys), sheet.text(", ".join(one["refused"]) or "-")]
        for one in content["beside"]
    ]
    flow = [sheet.text(sheet.word("beside"), "head"), sheet.table(rows, [130, 45, 75, 75, 75, 95])]
    if content["load_tests"]:
        heads = [sheet.text(sheet.word(name), "small") for name in ("load_test", "requests", "failures")]
        tests = [[*heads, sheet.text("p99", "small"), sheet.text(sheet.word("against"), "small")]]
        tests += [
            [sheet.text(one["name"]), sheet.text(str(one["requests"])), sheet.text(str(one["failures"])),
             sheet.text(one["p99"]), sheet.text(" ".join(one["against"].values()), "mono")]
            for one in content["load_tests"]
        ]  # fmt: skip
        flow.append(sheet.table(tests, [130, 60, 60, 70, 175]))
    return flow


def _tables(sheet: _Sheet, content: Mapping[str, Any]) -> list[Any]:
    flow: list[Any] = [*_beside(sheet, content), sheet.text(sheet.word("slipped"), "head")]
    keys = ("trade", "pair", "lost", "budget", "action")
    rows: list[list[Any]] = [[sheet.text(sheet.word(key), "small") for key in keys]]
    rows += [
        [
            sheet.text(one["trade"]),
            sheet.text(one["pair"]),
            sheet.text(one["slippage"]),
            sheet.text(one["budget"]),
            sheet.both(one["action"]["en"], one["action"]["zh"], "small"),
        ]
        for one in content["slipped"]
    ]
    none = sheet.text(sheet.word("none"), "small")
    flow.append(sheet.table(rows, [100, 70, 70, 70, 185]) if content["slipped"] else none)
    flow.append(sheet.text(sheet.word("open_points"), "head"))
    flow += [sheet.both(f"- {one['en']}", f"- {one['zh']}") for one in content["open_points"]] or [none]
    flow.append(sheet.text(sheet.word("limits"), "head"))
    limits = [[sheet.text(one["key"], "mono"), sheet.text(one["value"], "mono")] for one in content["limits"]]
    flow.append(
        sheet.table([[sheet.text(sheet.word(key), "small") for key in ("limit", "value")], *limits], [300, 190])
    )
    flow.append(sheet.text(sheet.word("evidence"), "head"))
    files = [
        [sheet.text(one["path"], "mono"), sheet.text(str(one["size_bytes"]), "mono"), sheet.text(one["sha256"], "mono")]
        for one in content["evidence"]
    ]
    heads = [[sheet.text(sheet.word(key), "small") for key in ("file", "bytes", "sha256")], *files]
    flow.append(sheet.table(heads, [190, 50, 255]))
    flow.append(sheet.both(word("signed_how", "en"), word("signed_how", "zh"), "small"))
    return flow


def _font(library: _Library, given: Path | None) -> str:
    """Register the Chinese font; its name."""
    for place in [given] if given is not None else [Path(name) for name in FONT_PLACES]:
        if not place.is_file():
            if given is not None:
                message = told("{}: no such font file", place)
                raise PdfError(message)
            continue
        try:
            library.metrics.registerFont(library.ttfonts.TTFont("Chinese", str(place), subfontIndex=0))
        except library.ttfonts.TTFError as error:
            if given is None:
                continue
            message = told("{}: this font cannot be embedded: {}; one with TrueType outlines can", place, error)
            raise PdfError(message) from error
        return "Chinese"
    library.metrics.registerFont(library.cidfonts.UnicodeCIDFont(CID_FONT))
    return CID_FONT


def _library() -> _Library:
    try:
        from reportlab import platypus  # noqa: PLC0415 an extra of the package
        from reportlab.graphics import shapes  # noqa: PLC0415
        from reportlab.lib import colors, pagesizes, styles, units  # noqa: PLC0415
        from reportlab.pdfbase import cidfonts, pdfmetrics, ttfonts  # noqa: PLC0415
    except ImportError as error:
        message = told("the PDF needs the package reportlab: pip install 'cross-market-connect[deliver]'")
        raise PdfError(message) from error
    return _Library(platypus, styles, colors, units, pagesizes, pdfmetrics, ttfonts, cidfonts, shapes)
