//! The Gregorian calendar as arithmetic on days since 1970-01-01 and seconds of local time.

/// Days from 1970-01-01 to a date.
pub(crate) const fn days(year: i64, month: u8, day: u8) -> i64 {
    // Count years from March, so that the leap day is the last of a year
    // (Howard Hinnant, "chrono-compatible low-level date algorithms").
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let month_from_march = (month as i64 + 9) % 12;
    let day_of_year = (153 * month_from_march + 2) / 5 + day as i64 - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

/// The date `days` after 1970-01-01.
pub(crate) const fn date(days: i64) -> (i64, u8, u8) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 {
        month_from_march + 3
    } else {
        month_from_march - 9
    };
    let year = year_of_era + era * 400 + (month <= 2) as i64;
    (year, month as u8, day as u8)
}

/// How many days a month has.
pub(crate) const fn days_in_month(year: i64, month: u8) -> u8 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year.rem_euclid(4) == 0
            && (year.rem_euclid(100) != 0 || year.rem_euclid(400) == 0) =>
        {
            29
        }
        2 => 28,
        _ => 31,
    }
}

/// Reads `2024-01-31`, `2024-01-31T12:30` or `2024-01-31T12:30:00` as seconds of local time.
pub(crate) fn parse(text: &str) -> Option<i64> {
    let (date, time) = match text.split_once('T') {
        Some((date, time)) => (date, Some(time)),
        None => (text, None),
    };
    let mut parts = date.split('-');
    let year = i64::from(number(parts.next()?, 4)?);
    let month = u8::try_from(number(parts.next()?, 2)?).ok()?;
    let day = u8::try_from(number(parts.next()?, 2)?).ok()?;
    if parts.next().is_some()
        || !(1..=12).contains(&month)
        || !(1..=days_in_month(year, month)).contains(&day)
    {
        return None;
    }
    let mut seconds = days(year, month, day) * 86_400;
    if let Some(time) = time {
        let mut parts = time.split(':');
        let hour = number(parts.next()?, 2).filter(|hour| *hour < 24)?;
        let minute = number(parts.next()?, 2).filter(|minute| *minute < 60)?;
        let second = match parts.next() {
            Some(second) => number(second, 2).filter(|second| *second < 60)?,
            None => 0,
        };
        if parts.next().is_some() {
            return None;
        }
        seconds += i64::from(hour * 3600 + minute * 60 + second);
    }
    Some(seconds)
}

/// Exactly `width` digits.
fn number(text: &str, width: usize) -> Option<u32> {
    (text.len() == width && text.bytes().all(|b| b.is_ascii_digit()))
        .then(|| text.parse().ok())
        .flatten()
}
