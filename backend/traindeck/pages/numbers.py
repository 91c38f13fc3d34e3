"""Format numbers for people. `static/js/numbers.js` has the same functions for the browser."""

import math
import re

UNITS = ("B", "kB", "MB", "GB", "TB")


def show_value(value: float | None) -> str:
    """Format a metric with four significant digits; None, which JSON has for NaN and infinities, as `NaN`."""
    if value is None or not math.isfinite(value):
        return "NaN"
    size = abs(value)
    if size >= 1e6 or 0 < size < 1e-4:
        mantissa, exponent = f"{value:.2e}".split("e")
        return f"{mantissa}e{int(exponent)}"
    if size >= 1000:
        return f"{value:,.0f}"
    shown = f"{value:.4g}"
    return f"{float(shown):.4f}" if 0.01 <= size < 1 else shown


def show_exact(value: float) -> str:
    """Format a float with all its digits: `1e-05` as `1e-5`, `3.0` as `3`."""
    return re.sub(r"\.0$", "", re.sub(r"e([+-])0*", r"e\1", repr(value)).replace("e+", "e"))


def show_count(count: int) -> str:
    """Format an integer with thousands separators: `60,000`."""
    return f"{count:,}"


def show_bytes(size: int) -> str:
    """Format a size in decimal units with three significant digits: `18.2 kB`."""
    amount = float(size)
    for unit in UNITS:
        if amount < 999.5 or unit == UNITS[-1]:
            break
        amount /= 1000
    return f"{size} B" if unit == "B" else f"{amount:.3g} {unit}"


def show_duration(seconds: float) -> str:
    """Format whole seconds in the two largest units: `42s`, `5m 07s`, `2h 14m`, `3d 04h`."""
    whole = max(int(seconds), 0)
    minutes, hours, days = whole // 60, whole // 3600, whole // 86400
    if days:
        return f"{days}d {hours % 24:02d}h"
    if hours:
        return f"{hours}h {minutes % 60:02d}m"
    if minutes:
        return f"{minutes}m {whole % 60:02d}s"
    return f"{whole}s"


def show_setting(value: object) -> str:
    """Format a parameter's value: `none` for null, `on` and `off` for booleans, `""` for empty text."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, float):
        return show_exact(value)
    return str(value) if value != "" else '""'
