"""What the host says of its own clock."""

from gateway.model.clock import HostClock
from gateway.processes import clock
from gateway.processes.host_clock import HostWatch, tracking

LINE = (
    "C0A80101,192.168.1.1,3,1781487000.123,0.000012345,-0.000001,0.000020,-12.345,0.001,0.050,0.000800000,0.000100000,"
    "64.2,Normal"
)


def test_the_kernel_is_asked_and_utc_is_read_beside_the_monotonic_clock() -> None:
    """A reading names its source, and its difference of UTC and monotonic time is that of now, within a second."""
    reading = HostWatch().read()
    assert reading.status.source in ("adjtimex", "chrony", "none")
    assert abs(clock.utc_ns() - clock.monotonic_ns() - reading.utc_minus_monotonic_ns) < 10**9


def test_a_line_of_chrony_is_read() -> None:
    """The error is the offset, half of the root delay and the root dispersion together."""
    assert tracking(LINE) == HostClock("chrony", True, 12_345, 512_345, -12_345)


def test_chrony_that_is_not_synchronised_says_so() -> None:
    """Its last field is the leap status."""
    said = tracking(LINE.replace("Normal", "Not synchronised"))
    assert said is not None
    assert not said.synchronised


def test_another_line_is_nothing() -> None:
    """What is no tracking line, or holds words for numbers, is not believed."""
    assert tracking("506 Cannot talk to daemon") is None
    assert tracking(LINE.replace("0.000012345", "soon")) is None
