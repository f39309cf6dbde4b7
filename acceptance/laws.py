"""Laws of probability that the intervals rest on: the incomplete beta function and what follows from it. Pure.

The continued fraction is Lentz's, as every numerical textbook has it; quantiles are found by halving, because a
bisection cannot run away. Floats stand for shares and probabilities here, never for prices.

What can go wrong: a share outside 0 to 1 is a ValueError that names it.
"""

from math import exp, lgamma, log, sqrt
from statistics import NormalDist

_TINY = 1e-300
_CLOSE = 3e-16
_MOST_TERMS = 10_000
_HALVINGS = 200


def incomplete_beta(a: float, b: float, share: float) -> float:
    """The regularised incomplete beta function: probability that a Beta(a, b) value is at most `share`."""
    if not 0.0 <= share <= 1.0:
        message = f"{share} is no share: 0 to 1"
        raise ValueError(message)
    if share in (0.0, 1.0):
        return share
    front = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(share) + b * log(1.0 - share))
    if share < (a + 1.0) / (a + b + 2.0):
        return front * _fraction(a, b, share) / a
    return 1.0 - front * _fraction(b, a, 1.0 - share) / b


def beta_quantile(a: float, b: float, probability: float) -> float:
    """The share below which a Beta(a, b) value lies with `probability`."""
    low, high = 0.0, 1.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if middle in (low, high):
            break
        if incomplete_beta(a, b, middle) < probability:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def binomial_at_most(count: int, trials: int, share: float) -> float:
    """Probability of at most `count` successes in `trials` of probability `share`."""
    if count < 0:
        return 0.0
    return 1.0 if count >= trials else incomplete_beta(trials - count, count + 1, 1.0 - share)


def student_quantile(freedom: int, probability: float) -> float:
    """The value below which Student's t of `freedom` degrees lies with `probability`."""
    if probability < 0.5:  # noqa: PLR2004 - the law is symmetric about its middle
        return -student_quantile(freedom, 1.0 - probability)
    share = beta_quantile(freedom / 2, 0.5, 2.0 * (1.0 - probability))
    return sqrt(freedom * (1.0 - share) / share) if share > 0.0 else float("inf")


def normal_quantile(probability: float) -> float:
    """The value below which the standard normal law lies with `probability`."""
    return NormalDist().inv_cdf(probability)


def _fraction(a: float, b: float, share: float) -> float:
    """The continued fraction of the incomplete beta function, by Lentz."""
    c, d = 1.0, 1.0 / _away_from_zero(1.0 - (a + b) * share / (a + 1.0))
    value = d
    for term in range(1, _MOST_TERMS):
        for factor in (
            term * (b - term) * share / ((a + 2 * term - 1) * (a + 2 * term)),
            -(a + term) * (a + b + term) * share / ((a + 2 * term) * (a + 2 * term + 1)),
        ):
            d = 1.0 / _away_from_zero(1.0 + factor * d)
            c = _away_from_zero(1.0 + factor / c)
            value *= d * c
        if abs(d * c - 1.0) < _CLOSE:
            break
    return value


def _away_from_zero(value: float) -> float:
    return value if abs(value) > _TINY else _TINY
