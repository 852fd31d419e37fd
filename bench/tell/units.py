"""Numbers for people: the unit that fits, and no more digits than can be read."""

import math

KIB = 1024
US_PER_S = 1e6


def seconds(value: float, digits: int = 3) -> str:
    """A time: so many digits, and the unit that fits."""
    if not math.isfinite(value):
        return "never"
    for unit, size in (("s", 1), ("ms", 1e-3), ("us", 1e-6)):
        if abs(value) >= 0.9995 * size:
            whole = math.floor(math.log10(abs(value) / size) + 1e-3) + 1
            return f"{value / size:.{max(0, digits - whole)}f} {unit}"
    return f"{value * 1e9:.0f} ns"


def size(count: float) -> str:
    """Bytes, with three digits."""
    for unit, of in (("GiB", KIB**3), ("MiB", KIB**2), ("KiB", KIB)):
        if abs(count) >= of:
            return f"{count / of:.3g} {unit}"
    return f"{count:.0f} bytes"


def plain(value: float) -> str:
    """A count or a ratio: whole numbers whole, others with three digits."""
    if not math.isfinite(value):
        return "none"
    return f"{value:,.0f}" if value == round(value) else f"{value:.3g}"


def per_second(value: float) -> str:
    """A rate."""
    return f"{value:,.0f}/s" if math.isfinite(value) else "none"


WRITERS = {  # by the unit that findings and prices have
    "s": seconds,
    "B": size,
    "1": plain,
    "/s": per_second,
    "%": lambda value: f"{value:.1%}" if math.isfinite(value) else "none",
    "MiB/s": lambda value: per_second(value).replace("/s", " MiB/s"),
}


def words(value: float, unit: str) -> str:
    """A number in its unit."""
    return WRITERS[unit](value)
