"""What the gateway's end says in a certification: reports of orders that go nowhere, and answers to what a client asks
beside the scripts. Pure: it writes to the player, which has the line.

It never prices or trades anything; its prices are made up and say so.
"""

from acceptance.certify.player import RESEND, Player
from acceptance.certify.wire import Heard

FIX42 = "FIX.4.2"
PRICE = "-150"


def macros(version: str, pair: str, legs: tuple[str, ...]) -> dict[str, str]:
    """Reports by name, in the words of the version; `{order}`, `{symbol}`, `{side}`, `{qty}` are the client's."""
    is_42 = version == FIX42
    kind = "|20=0" if is_42 else ""
    trade, part = ("2", "1") if is_42 else ("F", "F")
    own = f"37=C{{order}}|11={{order}}|17=E{{out}}|55={{symbol}}|54={{side}}|442=3|60={{now}}{kind}"
    last = f"|31={PRICE}|6={PRICE}"
    made = {
        "new": f"35=8|{own}|150=0|39=0|38={{qty}}|151={{qty}}|14=0|6=0",
        "filled": f"35=8|{own}|150={trade}|39=2|38={{qty}}|32={{qty}}|151=0|14={{qty}}{last}",
        "part": f"35=8|{own}|150={part}|39=1|38=2|32=1|151=1|14=1{last}",
        "rejected": f"35=8|{own}|150=8|39=8|38={{qty}}|151=0|14=0|6=0|103=99|58=disarmed: a rehearsed reject",
        "pending": f"35=8|{own}|11={{cancel}}|41={{order}}|150=6|39=6|38={{qty}}|151={{qty}}|14=0|6=0",
        "cancelled": f"35=8|{own}|11={{cancel}}|41={{order}}|150=4|39=4|38={{qty}}|151=0|14=0|6=0|58=by_client",
        "replacing": f"35=8|{own}|11={{cancel}}|41={{order}}|150=E|39=E|38={{qty}}|151={{qty}}|14=0|6=0",
        "replaced": f"35=8|{own}|11={{cancel}}|41={{order}}|150=5|39=0|38={{qty}}|151={{qty}}|14=0|6=0",
        "ended": f"35=8|{own}|150=4|39=4|38={{qty}}|151=0|14=0|6=0|58=mass_cancel",
        "restated": f"35=8|{own}|150=D|39=0|378=99|38={{qty}}|151={{qty}}|14=0|6=0|58=repair: P1 is REPAIRING",
        "late": "35=9|37=C{order}|11={cancel}|41={order}|39=2|434=1|102=0|60={now}|58=too_late: the order is filled",
        "bust": _bust(own, is_42=is_42),
        "copy": f"35=8|37=D%1|11=copy%1|17=E{{out}}|55={pair}|54=1|442=3|60={{now}}{kind}"
        f"|150=0|39=0|38=1|151=1|14=0|6=0{'' if is_42 else '|797=Y'}",
    }
    for index, name in enumerate(legs, 1):
        leg = own.replace("{symbol}", name).replace("442=3", "442=2").replace("{side}", "1" if index == 1 else "2")
        made[f"leg{index}"] = f"35=8|{leg}|150={trade}|39=2|38=1|32=1|151=0|14=1|31=1|6=1"
    return {name: _last_of_each(text) for name, text in made.items()}


def _bust(own: str, *, is_42: bool) -> str:
    what = own.replace("20=0", "20=1") if is_42 else own
    return f"35=8|{what}|19=E{{out-1}}|150={'4' if is_42 else 'H'}|39=4|38={{qty}}|32={{qty}}|31={PRICE}|151=0|14=0|6=0"


def _last_of_each(text: str) -> str:
    """A tag stands once: the last value counts."""
    found = dict(part.split("=", 1) for part in text.split("|"))
    return "|".join(f"{tag}={value}" for tag, value in found.items())


def serve(player: Player, heard: Heard) -> bool:
    """Answer what a client may ask at any time; False: it may not."""
    if heard.kind == RESEND:
        begin = heard.get("7")
        player.send(f"35=4|34={begin}|43=Y|122={{now}}|123=Y|36={{out}}")
        return True
    answer = _ANSWERS.get(heard.kind)
    if answer is None:
        return False
    text = answer
    for tag in ("262", "320", "335", "336", "584", "11", "37"):
        text = text.replace(f"<{tag}>", heard.get(tag) or "none")
    if text:
        player.send(text)
    return True


_ANSWERS = {
    "V": "35=Y|262=<262>|281=0|58=a certification has no prices",
    "x": "35=y|320=<320>|322=1|560=2|58=a certification has no list",
    "c": "35=d|320=<320>|322=1|323=5|58=a certification has no definitions",
    "g": "35=h|335=<335>|336=<336>|340=2",
    "H": "35=j|372=H|380=1|58=a certification keeps no orders",
    "AF": "35=j|372=AF|380=1|58=a certification keeps no orders",
}
