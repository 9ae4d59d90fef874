"""Cron: what is valid, when it is due, how often at most (S-1..S-20)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from functools import lru_cache
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

Question = tuple[str, dict[str, Any]]

# Whole hours from UTC; the clocks change between one and four in the night, or never. Zones whose rules
# were changed lately are not here: their answers depend on the release of the time zone database.
PLAIN_ZONES = [
    "UTC", "America/New_York", "America/Chicago", "America/Denver", "America/Los_Angeles", "America/Halifax",
    "America/Anchorage", "America/Phoenix", "Europe/Berlin", "Europe/London", "Europe/Lisbon", "Europe/Athens",
    "Europe/Helsinki", "Asia/Jerusalem", "Asia/Tokyo", "Asia/Singapore", "Asia/Dubai", "Australia/Sydney",
    "Pacific/Auckland", "Africa/Johannesburg", "Europe/Moscow", "Europe/Paris", "Europe/Warsaw", "Europe/Bucharest",
    "America/Toronto", "Asia/Nicosia", "Atlantic/Canary", "Australia/Hobart", "Europe/Madrid", "Europe/Rome",
    "Europe/Stockholm", "Europe/Zurich", "Europe/Sofia", "Europe/Vilnius", "America/Detroit", "America/Boise",
    "America/Nassau", "Australia/Melbourne",
]
# A part of an hour from UTC.
PART_HOUR_ZONES = ["Asia/Kolkata", "Asia/Kathmandu", "America/St_Johns", "Australia/Adelaide"]
# The clocks change at midnight, by half an hour, at a quarter to three, or by a day, or winter is the
# time that is not standard.
ODD_ZONES = [
    "America/Havana", "Asia/Beirut", "Africa/Cairo", "America/Santiago", "Atlantic/Azores",
    "Australia/Lord_Howe", "Pacific/Chatham", "Pacific/Apia", "Europe/Dublin",
]

NEVER = ["0 0 30,31 2 *", "0 0 31 4 *", "0 0 31 4,6 *", "0 12 30-31 2 *"]
# What Arco refuses, or the other way round.
ELSEWISE = [
    "*/90 * * * *", "*/60 * * * *", "0 */24 * * *", "0 0 */32 * *", "0 0 * */13 *", "r 0 * * *", "0 r * * *",
    "0 0 r * *", "r(0-30) 0 * * *", "0 0 30 2 mon", "5-10/70 * * * *", "0 0 5-0 * *", "0 0 * * mon,mon#1", *NEVER,
]
FORMS = [
    "@hourly", "@daily", "@midnight", "@weekly", "@monthly", "@yearly", "@annually", "@DAILY", " @daily", "@daily ",
    "@reboot", "@every 5m", "@", "", " ", "* * * *", "* * * * * *", "0 0 * * * * 2030", "  0 0  * *\t* ", "0\n0 * * *",
    "0 0 * * MON", "0 0 * * Mon-FRI", "0 0 * JAN *", "0 0 * jan-mar/2 *", "0 0 * * 7", "0 0 * * 0", "0 0 * * 0-7",
    "0 0 * * 5-7", "0 0 * * 7-2", "0 0 * * 8", "0 0 * * 1-8", "0 0 * * fri-mon", "0 22-4 * * *", "0 22-4/2 * * *",
    "0 22-4/5 * * *", "10-5 * * * *", "10-5/7 * * * *", "0 0 28-3 * *", "0 0 * 5-1 *", "0 0 * apr-jan/3 *", "5/15 * * * *",
    "59/5 * * * *", "0 23/2 * * *", "0 0 31/2 * *", "0 0 * 12/3 *", "0 0 * * 6/2", "0 0 * * mon/2", "5-5 * * * *",
    "0 5-5 * * *", "0 0 * * mon-mon", "0 0 ? * *", "0 0 * * ?", "? 0 * * *", "0 ? * * *", "0 0 * ? *", "0 0 ?/2 * *",
    "0 0 L * *", "0 0 l * *", "0 0 1,L * *", "0 0 L,15 * *", "0 0 25-L * *", "0 0 20-L/3 * *", "0 0 L-5 * *", "0 0 L/2 * *",
    "0 0 5L * *", "0 0 L5 * *", "0 0 15W * *", "0 0 LW * *", "0 0 * * L", "0 0 * * L5", "0 0 * * l0", "0 0 * * L7",
    "0 0 * * L8", "0 0 * * 5L", "0 0 * * mon#1", "0 0 * * 1#1", "0 0 * * 7#2", "0 0 * * mon#0", "0 0 * * mon#5",
    "0 0 * * mon#6", "0 0 * * mon#", "0 0 * * #1", "0 0 * * mon-fri#1", "0 0 * * fri-mon#2", "0 0 * * 1-5#2",
    "0 0 * * mon#1,fri#3", "0 0 * * L5,mon#1", "0 0 * * mon,fri#1", "0 0 * * mon#1#2", "0 0 * * *#1", "0 0 1#1 * *",
    "0 0 31 2 *", "0 0 30 2 *", "0 0 30 feb *", "0 0 29 2 *", "0 0 29-31 2 *", "0 0 31 2,3 *", "60 * * * *", "0 24 * * *",
    "0 0 0 * *", "0 0 32 * *", "0 0 * 0 *", "0 0 * 13 *", "-1 * * * *", "5- * * * *", "-5 * * * *", "1-2-3 * * * *",
    "5,,6 * * * *", ",5 * * * *", "5, * * * *", "*/0 * * * *", "*/ * * * *", "/5 * * * *", "*/5/2 * * * *", "*5 * * * *",
    "** * * * *", "*-5 * * * *", "1-5/x * * * *", "+5 * * * *", "5.5 * * * *", "0x5 * * * *", "05 007 * * *", "h * * * *",
    "h/5 * * * *", "monday * * * *", "0 0 * * monday", "0 0 * january *", "0 0 * mon *", "0 0 * * jan", "99999999999 * * * *",
    "*,5 * * * *", "0 *,5 * * *", "0 0 *,5 * *", "0 0 *,5 * mon", "0 0 * * *,mon", "1-59/59 * * * *", "0 0 */31 * *",
    "0 0 * * */7", "0 0-23/23 * * *", "0 0 1-31 * mon", "0 0 */1 * mon", "0 0 */1 * */2", "0 0 1-15 * */1", "0 0 */2 * 0-6",
    "0 0 1-31 * ?", "0 0 1 * ?", "0 0 1 * 1", "0 0 L * fri", "a b c d e", "0 0 * * * # daily",
]
MOVES = ["0 2 * * *", "30 2 * * *", "0 3 * * *", "30 1 * * *", "0 1 * * *", "15,45 2 * * *", "*/20 2 * * *", "0 2-4 * * *",
         "0 1-3 * * *", "0 0-3 * * *", "0 */2 * * *", "0 * * * *", "0 0-23 * * *", "30 * * * *", "30 */1 * * *",
         "*/30 * * * *", "30 2 * * 1-5", "0 2 10 * *", "0 2 * * 0", "30 2 * 3 *", "* * * * *", "*/7 1-3 * * *"]
TICKS_ELSEWISE: list[tuple[str | list[str], str, str]] = [
    ("30 0 * * *", "America/Havana", "2024-03-09T12:00:00"),
    ("0 0 * * *", "Pacific/Apia", "2011-12-28T12:00:00"),
    ("0 * * * *", "Asia/Kolkata", "2024-01-01T00:10:00"),
    ("40 * * * *", "Australia/Lord_Howe", "2021-07-09T10:30:00+00:00"),
    ("40 * * * *", "Australia/Lord_Howe", "2021-01-09T10:45:00+00:00"),
    ("0 0 29 2 *", "UTC", "2024-02-28T12:00:00"),
    ("0 9 15 * mon#1", "UTC", "2024-01-02T00:00:00"),
    ("* 4 29-L * *", "America/Phoenix", "2024-03-19T07:00:00+00:00"),
    ("30 0 * * *", "Europe/Dublin", "2024-03-30T12:00:00"),
    ("30 1 * * *", "Europe/Dublin", "2024-03-30T12:00:00"),
    # The hour from two to three comes twice: Dagster compares the times on the clock.
    (["54,29-40/7,23 * * * *", "15 * * * *"], "Pacific/Auckland", "2024-04-06T13:30:00+00:00"),
]


def ask(rng: Random) -> Iterator[Question]:
    """The known forms and days first, then random ones."""
    for form in [*FORMS, *ELSEWISE]:
        yield "cron_valid", {"cron": form}
    for several in ([], ["0 0 * * *", "1 1 * * *"], ["0 0 * * *", "nonsense"], ["@daily"]):
        yield "cron_valid", {"cron": several}
    for move in MOVES:
        for zone, day in [("America/New_York", "2024-03-09T23:30:00"), ("America/New_York", "2024-11-02T23:30:00"),
                          ("Europe/Berlin", "2024-03-31T00:00:00"), ("Europe/Berlin", "2024-10-27T00:00:00")]:
            yield "cron_ticks", {"cron": move, "tz": zone, "start": day}
    for crons, zone, day in TICKS_ELSEWISE:
        yield "cron_ticks", {"cron": crons, "tz": zone, "start": day}
    while True:
        roll = rng.random()
        if roll < 0.2:
            yield "cron_valid", {"cron": text(rng)}
        elif roll < 0.3:
            yield "cron_smallest_interval", {"cron": cron(rng)}
        else:
            yield "cron_ticks", ticks(rng)


def text(rng: Random) -> str | list[str]:
    """A cron that is valid, or nearly so."""
    roll = rng.random()
    if roll < 0.3:
        return cron(rng)
    if roll < 0.4:
        return [cron(rng) if rng.random() < 0.8 else broken(rng) for _ in range(rng.randrange(1, 4))]
    return broken(rng)


def broken(rng: Random) -> str:
    """A cron with one or two characters changed."""
    letters = list(cron(rng))
    for _ in range(rng.choice([1, 1, 2])):
        at = rng.randrange(len(letters))
        # No digits where a step would grow beyond its field, and no `r`: those have their own share.
        by = rng.choice("*/-,#?Llwx @") if letters[at - 1] == "/" or rng.random() < 0.7 else rng.choice("0123")
        match rng.randrange(3):
            case 0:
                letters[at] = by
            case 1 if letters[at - 1] != "/" and by not in "0123":
                letters.insert(at, by)
            case _:
                del letters[at]
    return "".join(letters)


def ticks(rng: Random) -> dict[str, Any]:
    crons: str | list[str]
    roll = rng.random()
    if roll < 0.012:
        zone = rng.choice(ODD_ZONES)
        crons = rng.choice([cron(rng), cron(rng, hours=lambda rng: rng.choice(["0", "0-2", "1", "*"]))])
    elif roll < 0.014:
        zone, crons = rng.choice(PLAIN_ZONES), f"0 {rng.randrange(24)} {rng.randrange(1, 29)} * {rng.choice(['mon#1', 'L5'])}"
    elif roll < 0.12:
        zone, crons = rng.choice(PART_HOUR_ZONES), crons_of(rng)
    elif roll < 0.2:
        # Away from the change itself the odd zones are like all others.
        zone = rng.choice(ODD_ZONES[:5])
        start = dt.datetime(rng.randrange(2015, 2030), rng.choice([1, 6, 7, 12]), rng.randrange(1, 28), rng.randrange(24))
        return {"cron": cron(rng, days=lambda _: ("*", "*", "*")), "tz": zone, "start": start.isoformat(), "n": 4}
    else:
        zone, crons = rng.choice(PLAIN_ZONES), crons_of(rng)
    question: dict[str, Any] = {"cron": crons, "tz": zone, "start": start_of(rng, zone)}
    if rng.random() < 0.25:
        question["descending"] = True
    return question


def start_of(rng: Random, zone: str) -> str:
    """A time, of which half are near a change of the clocks."""
    moved = changes(zone, rng.randrange(2015, 2030))
    if moved and rng.random() < 0.6:
        start = rng.choice(moved) + dt.timedelta(minutes=rng.choice([-1500, -180, -61, -60, -30, -1, 0, 1, 29, 30, 60, 90]))
    else:
        start = dt.datetime(rng.randrange(2015, 2030), 1, 1) + dt.timedelta(
            days=rng.randrange(366), hours=rng.randrange(24), minutes=rng.choice([0, 0, 0, 15, 30, 59])
        )
    return (start + dt.timedelta(seconds=rng.choice([0] * 9 + [1]))).isoformat() + "+00:00"


@lru_cache(maxsize=1000)
def changes(zone: str, year: int) -> list[dt.datetime]:
    """The instants of a year, in UTC, at which a zone changes its clocks; all do so on a quarter hour."""
    first = dt.datetime(year, 1, 1, tzinfo=dt.timezone.utc)
    info = ZoneInfo(zone)
    found = []
    for day in range(366):
        begin = first + dt.timedelta(days=day)
        offset = begin.astimezone(info).utcoffset()
        if offset == (begin + dt.timedelta(days=1)).astimezone(info).utcoffset():
            continue
        quarters = (begin + dt.timedelta(minutes=15 * n) for n in range(97))
        moved = next(at for at in quarters if at.astimezone(info).utcoffset() != offset)
        found.append(moved.replace(tzinfo=None))
    return found


def crons_of(rng: Random) -> str | list[str]:
    if rng.random() < 0.15:
        return [cron(rng) for _ in range(rng.randrange(1, 4))]
    return cron(rng)


# What a random cron is made of. Late days stay away from short months, so that each is due some day.


def cron(rng: Random, hours: Any = None, days: Any = None) -> str:
    day, month, weekday = (days or days_of)(rng)
    parts = [minutes(rng), (hours or hours_of)(rng), day, month, weekday]
    text = " ".join(parts)
    return text.upper() if rng.random() < 0.05 else text


def minutes(rng: Random) -> str:
    return items(rng, 0, 59, stars=0.1, single=0.5)


def hours_of(rng: Random) -> str:
    return items(rng, 0, 23, stars=0.25, single=0.4, near=[0, 1, 2, 3, 4])


def days_of(rng: Random) -> tuple[str, str, str]:
    day, month, weekday = "*", "*", "*"
    roll = rng.random()
    if roll < 0.15:
        day = rng.choice([items(rng, 1, 31, stars=0), "L", "l", f"{rng.randrange(1, 20)},L", "29-L", "31", "30"])
    elif roll < 0.35:
        weekday = rng.choice([named(rng, ["sun", "mon", "tue", "wed", "thu", "fri", "sat"], 0), items(rng, 0, 6, stars=0)])
    elif roll < 0.4:
        weekday = rng.choice(["mon#1", "5#3", "L5", "l0", "tue#5", "wed-fri#2", "mon#1,fri#3", "7#4", "L1,3#1"])
    elif roll < 0.5:
        day, weekday = items(rng, 1, 31, stars=0), items(rng, 0, 6, stars=0)
    if rng.random() < 0.15:
        month = rng.choice([items(rng, 1, 12, stars=0), named(rng, ["jan", "mar", "may", "jul", "aug", "oct", "dec"], 1)])
        if month.isdigit() and day not in "*Ll":
            day = str(rng.randrange(1, 29))
    if day == "*" and rng.random() < 0.05:
        day = "?"
    if weekday == "*" and rng.random() < 0.05:
        weekday = "?"
    return day, month, weekday


def named(rng: Random, names: list[str], _: int) -> str:
    one = rng.choice(names)
    return rng.choice([one, f"{one}-{rng.choice(names)}", f"{one},{rng.choice(names)}", one.title()])


def items(
    rng: Random, low: int, high: int, stars: float, single: float = 0.3, near: list[int] | None = None
) -> str:
    roll = rng.random()
    if roll < stars:
        return rng.choice(["*", "*", "*", "*/1", f"{low}-{high}"])

    def value() -> int:
        return rng.choice(near) if near and rng.random() < 0.6 else rng.randint(low, high)

    def one() -> str:
        first, last, step = value(), value(), rng.choice([1, 2, 3, 5, 7, 10, 15, 20])
        step = min(step, high if high > 6 else 6)
        return rng.choice([
            str(first), f"{first}-{last}", f"*/{step}", f"{min(first, last)}-{max(first, last)}/{step}",
            f"{first}-{last}/{step}", f"{first}/{step}",
        ])

    if roll < stars + single:
        return str(value())
    return ",".join(one() for _ in range(rng.choice([1, 1, 1, 2, 3])))
