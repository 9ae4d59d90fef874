"""A calendar of delays: one square a day, one column a week, as PNG.

Pillow is imported when a picture is drawn, so that loading the definitions does not pay for it.
"""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Mapping

CELL = 14
GAP = 2
LEFT, TOP, BOTTOM = 40, 56, 44
EARLY, LATE = (222, 235, 247), (165, 15, 21)
MIDDLE = (253, 212, 158)
INK, PAPER, ABSENT = (40, 40, 40), (255, 255, 255), (235, 235, 235)
SCALE_MINUTES = 60.0
"""Days this late or later get the darkest red, or a few stormy days would pale the rest."""


def calendar(mean_delay_by_day: Mapping[dt.date, float | None]) -> bytes:
    """Draws the mean arrival delay of each day of a year; a day without flights stays grey."""
    from PIL import Image, ImageDraw

    first = min(mean_delay_by_day).replace(month=1, day=1)
    last = first.replace(month=12, day=31)
    weeks = column(last, first) + 1
    size = (LEFT + weeks * (CELL + GAP) + 16, TOP + 7 * (CELL + GAP) + BOTTOM)
    image = Image.new("RGB", size, PAPER)
    draw = ImageDraw.Draw(image)
    draw.text((LEFT, 10), f"Mean arrival delay of New York's flights, {first.year}", fill=INK)
    for row, name in ((0, "Mon"), (2, "Wed"), (4, "Fri"), (6, "Sun")):
        draw.text((8, TOP + row * (CELL + GAP) + 1), name, fill=INK)
    day = first
    while day <= last:
        x = LEFT + column(day, first) * (CELL + GAP)
        y = TOP + day.weekday() * (CELL + GAP)
        draw.rectangle((x, y, x + CELL - 1, y + CELL - 1), fill=colour(mean_delay_by_day.get(day)))
        if day.day == 1:
            draw.text((x, TOP - 18), day.strftime("%b"), fill=INK)
        day += dt.timedelta(days=1)
    y = size[1] - BOTTOM + 14
    for step, minutes in enumerate((-15, 0, 15, 30, 45, 60)):
        x = LEFT + step * 76
        draw.rectangle((x, y, x + CELL - 1, y + CELL - 1), fill=colour(float(minutes)))
        sign = "+" if minutes == SCALE_MINUTES else ""
        draw.text((x + CELL + 4, y + 1), f"{minutes}{sign} min", fill=INK)
    buffer = io.BytesIO()
    image.save(buffer, format="PNG", optimize=True)
    return buffer.getvalue()


def column(day: dt.date, first: dt.date) -> int:
    """Which column a day lies in; weeks begin on Monday."""
    return ((day - first).days + first.weekday()) // 7


def colour(minutes: float | None) -> tuple[int, int, int]:
    """Blue for early, through yellow, to red for late."""
    if minutes is None:
        return ABSENT
    if minutes <= 0:
        return blend(MIDDLE, EARLY, min(-minutes / 15.0, 1.0))
    return blend(MIDDLE, LATE, min(minutes / SCALE_MINUTES, 1.0))


def blend(
    start: tuple[int, int, int], end: tuple[int, int, int], share: float
) -> tuple[int, int, int]:
    """The colour `share` of the way from `start` to `end`."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(start, end, strict=True))
    return red, green, blue
