"""The Vietnamese lunar calendar, for elders who give a child's lunar birthday; astronomical formulas of J. Meeus."""

from __future__ import annotations

import math
from functools import cache

_ZONE = 7.0 / 24.0
_JULIAN_OF_EPOCH = 2440588


@cache
def _new_moon(number: int) -> int:
    """Return the Julian day number, in Viet Nam, of the new moon ``number`` months after January 1900."""
    t = number / 1236.85
    moon = 2415020.75933 + 29.53058868 * number + 0.0001178 * t * t - 0.000000155 * t**3
    moon += 0.00033 * math.sin(math.radians(166.56 + 132.87 * t - 0.009173 * t * t))
    sun = math.radians(359.2242 + 29.10535608 * number - 0.0000333 * t * t)
    mean = math.radians(306.0253 + 385.81691806 * number + 0.0107306 * t * t)
    node = math.radians(21.2964 + 390.67050646 * number - 0.0016528 * t * t)
    shift = (0.1734 - 0.000393 * t) * math.sin(sun) + 0.0021 * math.sin(2 * sun) - 0.4068 * math.sin(mean)
    shift += 0.0161 * math.sin(2 * mean) - 0.0004 * math.sin(3 * mean) + 0.0104 * math.sin(2 * node)
    shift -= 0.0051 * math.sin(sun + mean) + 0.0074 * math.sin(sun - mean)
    shift += (
        0.0004 * math.sin(2 * node + sun)
        - 0.0004 * math.sin(2 * node - sun)
        - 0.0006 * math.sin(2 * node + mean)
    )
    shift += 0.0010 * math.sin(2 * node - mean) + 0.0005 * math.sin(2 * mean + sun)
    dynamic = -0.000278 + 0.000265 * t + 0.000262 * t * t
    return int(moon + shift - dynamic + 0.5 + _ZONE)


def _solar_sector(julian: int) -> int:
    """Return in which of twelve sectors of 30 degrees the sun stands at the start of the day."""
    t = (julian - 2451545.5 - _ZONE) / 36525
    anomaly = math.radians(357.52910 + 35999.05030 * t - 0.0001559 * t * t - 0.00000048 * t**3)
    centre = (1.914600 - 0.004817 * t - 0.000014 * t * t) * math.sin(anomaly)
    centre += (0.019993 - 0.000101 * t) * math.sin(2 * anomaly) + 0.000290 * math.sin(3 * anomaly)
    longitude = 280.46645 + 36000.76983 * t + 0.0003032 * t * t + centre
    return int((longitude % 360) / 30)


@cache
def _eleventh_month(year: int) -> int:
    """Return the Julian day on which the lunar month of the winter solstice of ``year`` begins."""
    last_day = _julian(year)
    number = int((last_day - 2415021) / 29.530588853)
    start = _new_moon(number)
    return _new_moon(number - 1) if _solar_sector(start) >= 9 else start


def _julian(year: int) -> int:
    """Return the Julian day number of 31 December."""
    return 365 * (year - 1970) + (year - 1969) // 4 + 364 + _JULIAN_OF_EPOCH


def lunar_day_month(day_number: int, year: int) -> tuple[int, int]:
    """Return lunar day and month (a leap month has its predecessor's number) of a day since 1970 in calendar ``year``.

    >>> lunar_day_month(17960, 2019)
    (29, 1)
    """
    julian = day_number + _JULIAN_OF_EPOCH
    number = int((julian - 2415021.076998695) / 29.530588853)
    start = _new_moon(number + 1)
    start = start if start <= julian else _new_moon(number)
    first, second = _eleventh_month(year - 1), _eleventh_month(year)
    if start >= second:
        first, second = second, _eleventh_month(year + 1)
    months = int((start - first) / 29)
    if second - first > 365 and months >= (leap := _leap_offset(first)):
        months -= 1 if months >= leap else 0
    return julian - start + 1, (months + 10) % 12 + 1


@cache
def _leap_offset(first: int) -> int:
    number = int((first - 2415021.076998695) / 29.530588853 + 0.5)
    last = -1
    for offset in range(1, 15):
        sector = _solar_sector(_new_moon(number + offset))
        if sector == last:
            return offset - 1
        last = sector
    return 14
