"""What a client is told of the contracts it may trade: in each version all that an order needs to be right."""

from client_desk import CA, CU, PAIR, client, settings

from gateway.clients.decode import SecuritiesAsked
from gateway.clients.encode import ClientWriter
from gateway.clients.reference import Reference


def definition(begin_string: str, symbol: str, **more: object) -> dict[str, str]:
    """The one answer, as tags."""
    spec = client("F", begin_string=begin_string, max_units=5, max_lots=20, **more)
    asked = SecuritiesAsked("F", 2, "c", "d1", "0", symbol)
    (text,) = Reference(settings(spec), spec, ClientWriter(begin_string)).securities(asked, "A1")
    return dict(field.split("=", 1) for field in text.strip("\x01").split("\x01"))


def test_a_definition_says_tick_lots_and_the_most_of_this_client() -> None:
    """The most that may be ordered is the smaller of the venue's and the client's own."""
    leg = definition("FIX.4.4", CU, leg_orders=True)
    assert (leg["969"], leg["561"], leg["562"], leg["1140"]) == ("10", "1", "1", "20")
    assert definition("FIX.4.4", CU)["1140"] != "20", "who does not trade legs is told the venue's"
    pair = definition("FIX.4.4", PAIR)
    assert (pair["969"], pair["1140"], pair["555"]) == ("0.000000001", "5", "2")


def test_fix_42_says_in_words_what_it_has_no_fields_for() -> None:
    """Tick, unit and quantities in Text(58); none of the tags that 4.2 does not have."""
    leg = definition("FIX.4.2", CA, leg_orders=True)
    assert leg["58"].startswith("tick 0.5"), leg
    assert leg["58"].endswith("quantity 1 to 10"), "its venue takes no more at once"
    assert not leg.keys() & {"969", "996", "561", "562", "1140", "555"}
    assert definition("FIX.4.2", PAIR)["58"] == "tick 0.000000001, per t, quantity 1 to 5"
