"""The hidden prices that the synthetic books follow: a bounded random walk, and a basis that returns to its mean."""

from random import Random

from simulators.tapes.draws import MICRO, SECOND_NS, diffusion, wait_ns

LN2_E6 = 693_147
MS_NS = 1_000_000


class Walk:
    """A random walk in micro-ticks, `sigma` micro-ticks per root second, kept within `low` and `high`."""

    __slots__ = ("_at_ns", "_high", "_low", "_random", "_sigma", "value")

    def __init__(self, random: Random, value: int, sigma: int, low: int, high: int) -> None:
        self._random, self._sigma, self._low, self._high = random, sigma, low, high
        self._at_ns = 0
        self.value = value

    def advance(self, at_ns: int) -> int:
        """The value at `at_ns`."""
        step = diffusion(self._random, self._sigma, at_ns - self._at_ns)
        self._at_ns = at_ns
        self.value = min(self._high, max(self._low, self.value + step))
        return self.value


class Reverting:
    """The basis in micro-ticks around zero: exponential decay, shocks at random times, a small steady noise."""

    __slots__ = ("_at_ns", "_mean_shock_ns", "_next_shock_ns", "_noise", "_random", "_shock", "_tau_ns", "value")

    def __init__(self, random: Random, half_life_ms: int, shock_ms: int, shock: int, noise: int) -> None:
        self._random, self._shock, self._noise = random, shock, noise
        self._tau_ns = half_life_ms * MS_NS * MICRO // LN2_E6
        self._mean_shock_ns = shock_ms * MS_NS
        self._next_shock_ns = wait_ns(random, self._mean_shock_ns)
        self._at_ns = 0
        self.value = 0

    def advance(self, at_ns: int) -> int:
        """The value at `at_ns`, with the shocks that came before it."""
        while self._next_shock_ns <= at_ns:
            self._decay(self._next_shock_ns)
            size = self._shock * (512 + self._random.getrandbits(10)) // 1024
            self.value += size if self._random.getrandbits(1) else -size
            self._next_shock_ns += wait_ns(self._random, self._mean_shock_ns)
        self._decay(at_ns)
        return self.value

    def _decay(self, at_ns: int) -> None:
        """First-order decay: steps are far shorter than the half-life, and never longer than the time constant."""
        dt_ns = at_ns - self._at_ns
        self._at_ns = at_ns
        self.value += (
            diffusion(self._random, self._noise, dt_ns) - self.value * min(dt_ns, self._tau_ns) // self._tau_ns
        )


class Arrivals:
    """Times of book changes: calm stretches and bursts of exponential length, each with its own rate."""

    __slots__ = ("_burst", "_calm", "_in_burst", "_random", "_until_ns", "next_ns")

    def __init__(self, random: Random, calm: tuple[int, int], burst: tuple[int, int]) -> None:
        """`calm` and `burst` are (mean length in ms, changes per second)."""
        self._random = random
        self._calm = (calm[0] * MS_NS, SECOND_NS // calm[1])
        self._burst = (burst[0] * MS_NS, SECOND_NS // burst[1])
        self._in_burst = False
        self._until_ns = wait_ns(random, self._calm[0])
        self.next_ns = 0
        self.advance()

    def advance(self) -> None:
        """Draw the time of the next change; a wait that a change of state cuts short is drawn anew from there."""
        at_ns = self.next_ns
        while True:
            drawn = at_ns + wait_ns(self._random, (self._burst if self._in_burst else self._calm)[1])
            if drawn <= self._until_ns:
                self.next_ns = drawn
                return
            at_ns = self._until_ns
            self._in_burst = not self._in_burst
            self._until_ns = at_ns + wait_ns(self._random, (self._burst if self._in_burst else self._calm)[0])
