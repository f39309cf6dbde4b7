"""The sign-off as a page that needs nothing else: English and Chinese, light and dark, with the signed document in it.

The page's own digest is that of its bytes with the signed block empty; the block holds the document, which holds that
digest, and the signature. So a change of a single character of either shows. It loads nothing from elsewhere.
"""

import hashlib
import json
import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, StrictUndefined, Template
from markupsafe import Markup

from acceptance.document import Slipped, action_taken
from acceptance.judge import Judged
from acceptance.picture import HEIGHT, WIDTH, Line, Shape, picture
from gateway.journal.timeline import start_ns, timeline
from gateway.journal.told import said
from gateway.journal.units import duration, money

LANGUAGES = ("en", "zh")
BEGIN, END = '<script type="application/json" id="signed">', "</script><!-- signed -->"


@cache
def _words() -> dict[str, dict[str, str]]:
    text = files("acceptance").joinpath("words.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def word(key: str, language: str) -> str:
    """One language's word; a key that is missing shows as itself."""
    return _words().get(key, {}).get(language, key)


def both(key: str) -> Markup:
    """Both languages' words; the page shows one."""
    return shown({language: word(key, language) for language in LANGUAGES})


def shown(texts: Mapping[str, str]) -> Markup:
    """A text of the document that it holds in both languages."""
    spans = Markup('<span class="{0}" lang="{0}">{1}</span>')
    return Markup("").join(spans.format(language, texts[language]) for language in LANGUAGES)


def render(content: Mapping[str, Any], judged: Sequence[Judged]) -> str:
    """The page with an empty signed block."""
    pictures = {one.criterion.id: svg(picture(one)) for one in judged}
    return _template("report.html.j2").render(content=content, pictures=pictures, begin=BEGIN, end=END)


def render_slipped(one: Slipped, number: int) -> str:
    """The page of one pair trade that lost more than its budget."""
    trade = one.trade
    moments = [(duration(at.at_ns - start_ns(trade)), at.what, at.detail) for at in timeline(trade)]
    last = trade.last
    lost = money(last.slippage_e9) if last else "-"
    action = action_taken(trade)
    return _template("slippage.html.j2").render(
        one=one,
        number=number,
        lost=lost,
        budget=money(one.budget_e9),
        action={language: said(action, language) for language in LANGUAGES},
        moments=moments,
    )


def digest(page: str) -> str:
    """The SHA-256 of a page with its signed block empty."""
    return hashlib.sha256(_emptied(page).encode("utf-8")).hexdigest()


def with_signature(page: str, content: Mapping[str, Any], signature: str) -> str:
    """The page with the document and its signature in the block."""
    return page.replace(BEGIN + END, BEGIN + _block(content, signature) + END)


def signed_block(page: str) -> tuple[dict[str, Any], str]:
    """The document and the signature in a page's block.

    ValueError when it has none, more than one, or one with a single character that this program would not write: what
    stands there is no part of the page's digest, and a browser would show markup that was slipped in.
    """
    if page.count(BEGIN) != 1 or page.count(END) != 1:
        message = "no signed block"
        raise ValueError(message)
    text = page.partition(BEGIN)[2].partition(END)[0]
    found = json.loads(text)
    content, signature = dict(found["document"]), str(found["signature"])
    if text != _block(content, signature):
        message = "the signed block is not as it was written"
        raise ValueError(message)
    return content, signature


def _block(content: Mapping[str, Any], signature: str) -> str:
    block = json.dumps({"document": content, "signature": signature}, ensure_ascii=False, sort_keys=True)
    # No "<" of a run's words can end the block for a browser.
    return block.replace("<", "\\u003c")


def svg(shapes: Sequence[Shape]) -> Markup:
    """Shapes as inline SVG; nothing for none."""
    if not shapes:
        return Markup("")
    parts = [Markup('<svg viewBox="0 0 {:.0f} {:.0f}" role="img">').format(WIDTH, HEIGHT)]
    for one in shapes:
        if isinstance(one, Line):
            points = " ".join(f"{x:.1f},{y:.1f}" for x, y in one.points)
            parts.append(Markup('<polyline class="{}" points="{}"/>').format(one.role, points))
        else:
            text = Markup('<text class="{} {}" x="{:.1f}" y="{:.1f}">{}</text>')
            parts.append(text.format(one.role, one.anchor, one.x, one.y, one.words))
    return Markup("").join([*parts, Markup("</svg>")])


def _emptied(page: str) -> str:
    head, begin, rest = page.partition(BEGIN)
    _, end, tail = rest.partition(END)
    return head + begin + end + tail


def _template(name: str) -> Template:
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.globals.update(t=both, both=shown, style=Markup(_style()))  # noqa: S704 - our own file
    return environment.from_string(files("acceptance").joinpath(name).read_text(encoding="utf-8"))


@cache
def _style() -> str:
    return files("acceptance").joinpath("report.css").read_text(encoding="utf-8")
