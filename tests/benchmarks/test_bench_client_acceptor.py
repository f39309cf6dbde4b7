"""The benchmark of the client acceptor runs, and every order of its load is acknowledged."""

from benchmarks.client_acceptor import measure, running, table


def test_every_order_of_the_load_and_of_the_probe_is_acknowledged() -> None:
    """Two sessions at 50 orders/s for a second beside the probe."""
    with running(2) as (port, clients):
        one = measure(port, clients, 2, 50, 1)
    assert (one.sent, one.acked) == (150, 150)
    assert one.probe is not None
    assert one.probe.count == 50
    assert one.probe.max_ns < 10**10, "an order without an answer counts as 10 s"
    assert "150/150" in table([one], 2)
