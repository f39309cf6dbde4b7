"""Random draws in whole numbers: the same seed gives the same tape on every machine, byte for byte.

`random.Random` (Mersenne Twister) gives the same bits everywhere; `gauss` and `expovariate` would pass them through
the C library's logarithm and cosine, which may differ in the last bit. So a normal draw is a count of bits
(binomial, 256 fair bits, standard deviation 8), and an exponential draw is looked up in a table that `decimal`
computes, whose rounding is defined.

What can go wrong: the normal's tails end at 16 standard deviations and its grain is an eighth of one; the exponential's
largest draw is about 9 means. Neither matters to a tape, both would to a study of extremes.
"""

from decimal import Context
from math import isqrt
from random import Random

MICRO = 1_000_000
SECOND_NS = 1_000_000_000
NORMAL_BITS = 256
NORMAL_MEAN = NORMAL_BITS // 2
NORMAL_SD = 8
"""Square root of 256 / 4."""
ROOT_SECOND = isqrt(SECOND_NS)
TABLE_BITS = 12


def _exponential_table() -> tuple[int, ...]:
    """Quantiles of the exponential law of mean 1, in millionths, at the middles of 4096 equal shares."""
    context = Context(prec=15)
    size = 1 << TABLE_BITS
    middles = (context.divide(2 * i + 1, 2 * size) for i in range(size))
    return tuple(int(-context.multiply(context.ln(middle), MICRO)) for middle in middles)


EXPONENTIAL = _exponential_table()


def wait_ns(random: Random, mean_ns: int) -> int:
    """An exponential waiting time of mean `mean_ns`, at least 1 microsecond."""
    return max(1_000, mean_ns * EXPONENTIAL[random.getrandbits(TABLE_BITS)] // MICRO)


def diffusion(random: Random, sigma: int, dt_ns: int) -> int:
    """A normal step of standard deviation `sigma` per square root of a second, over `dt_ns`."""
    eighths = random.getrandbits(NORMAL_BITS).bit_count() - NORMAL_MEAN
    return sigma * isqrt(dt_ns) * eighths // (NORMAL_SD * ROOT_SECOND)


def quantile(random: Random, table: tuple[int, ...]) -> int:
    """A draw from a law given by 17 quantiles (0/16 .. 16/16), straight lines between them."""
    bits = random.getrandbits(12)
    low = table[bits >> 8]
    return low + (((table[(bits >> 8) + 1] - low) * (bits & 255)) >> 8)
