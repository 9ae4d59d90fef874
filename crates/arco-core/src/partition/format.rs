//! How the start of a window is written as a key: the directives of Python's `strftime` and
//! `strptime`, compiled once.
//!
//! Only directives that can be read back are let in, and only formats that give each window a key of
//! its own (P-10, D-28). Reading is as lenient as Python's (`2024-1-1` is understood), because the
//! caller prints what it understood and compares: that makes the accepted text exact, and lets the
//! refusal say what was probably meant.

use super::error::PartitionsError;
use super::series::civil;
use super::window::Cadence;

mod parse;

#[cfg(test)]
mod tests;

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const WEEKDAYS: [&str; 7] = [
    "Sunday",
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
];
const SUPPORTED: &str = "%Y %m %d %H %M %S %f %j %b %B %a %A %I %p %z %%";

/// A compiled format.
#[derive(Debug)]
pub(super) struct Format {
    pieces: Vec<Piece>,
    has_offset: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Literal(String),
    Year,
    Month,
    MonthAbbreviated,
    MonthName,
    Day,
    DayOfYear,
    WeekdayAbbreviated,
    WeekdayName,
    Hour,
    HourOf12,
    AmPm,
    Minute,
    Second,
    Microsecond,
    Offset,
}

/// A key that was read: local time, and the offset when the text has one.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Parsed {
    pub(super) local: i64,
    pub(super) offset: Option<i64>,
}

impl Format {
    pub(super) fn compile(fmt: &str, cadence: Cadence) -> Result<Self, PartitionsError> {
        let refuse = |why: String| PartitionsError(format!("partition format `{fmt}` {why}"));
        let mut pieces: Vec<Piece> = Vec::new();
        let mut chars = fmt.chars();
        while let Some(c) = chars.next() {
            if c.is_control() {
                return Err(refuse("has a control character; remove it".into()));
            }
            if c != '%' {
                literal(&mut pieces, c);
                continue;
            }
            let piece = match chars.next() {
                Some('Y') => Piece::Year,
                Some('m') => Piece::Month,
                Some('b') => Piece::MonthAbbreviated,
                Some('B') => Piece::MonthName,
                Some('d') => Piece::Day,
                Some('j') => Piece::DayOfYear,
                Some('a') => Piece::WeekdayAbbreviated,
                Some('A') => Piece::WeekdayName,
                Some('H') => Piece::Hour,
                Some('I') => Piece::HourOf12,
                Some('p') => Piece::AmPm,
                Some('M') => Piece::Minute,
                Some('S') => Piece::Second,
                Some('f') => Piece::Microsecond,
                Some('z') => Piece::Offset,
                Some('%') => {
                    literal(&mut pieces, '%');
                    continue;
                }
                Some('y') => {
                    return Err(refuse(
                        "has `%y`, which gives years a century apart one key; use `%Y`".into(),
                    ));
                }
                Some(other) => {
                    return Err(refuse(format!(
                        "has `%{other}`, which cannot be read back; use {SUPPORTED}"
                    )));
                }
                None => return Err(refuse("ends in `%`; write `%%` for the character".into())),
            };
            pieces.push(piece);
        }
        if fmt.contains("...") {
            return Err(refuse(
                "has `...`, which separates the ends of a range; use something else".into(),
            ));
        }
        let format = Self {
            has_offset: pieces.contains(&Piece::Offset),
            pieces,
        };
        match format.lacks(cadence) {
            None => Ok(format),
            Some(what) => Err(refuse(format!(
                "is too coarse for {} partitions: several would have one key; add {what}, as in `{}`",
                cadence.noun(),
                cadence.default_fmt()
            ))),
        }
    }

    /// What a window of this cadence needs in its key and the format does not have.
    fn lacks(&self, cadence: Cadence) -> Option<&'static str> {
        let has = |pieces: &[Piece]| pieces.iter().any(|piece| self.pieces.contains(piece));
        let month = has(&[Piece::Month, Piece::MonthAbbreviated, Piece::MonthName]);
        let day = has(&[Piece::DayOfYear]) || (month && has(&[Piece::Day]));
        let hour = has(&[Piece::Hour]) || (has(&[Piece::HourOf12]) && has(&[Piece::AmPm]));
        match cadence {
            _ if !has(&[Piece::Year]) => Some("the year, `%Y`"),
            Cadence::Monthly if !month && !has(&[Piece::DayOfYear]) => Some("the month, `%m`"),
            // What else a cron needs is seen by its windows.
            Cadence::Monthly | Cadence::Cron => None,
            _ if !day => Some("the day, `%m` and `%d`"),
            Cadence::Hourly if !hour => Some("the hour, `%H`"),
            _ => None,
        }
    }

    /// The key of a window that begins at `instant`, where local time is `offset` ahead. The second of
    /// two equal local times (`repeated`) gets its offset appended when the format has none (P-13).
    pub(super) fn print(&self, instant: i64, offset: i64, repeated: bool) -> String {
        let local = instant + offset;
        let day = local.div_euclid(86_400);
        let second = local.rem_euclid(86_400);
        let (year, month, day_of_month) = civil::date(day);
        let hour = second / 3600;
        let mut out = String::with_capacity(24);
        for piece in &self.pieces {
            match piece {
                Piece::Literal(text) => out.push_str(text),
                Piece::Year => digits(&mut out, year, 4),
                Piece::Month => digits(&mut out, i64::from(month), 2),
                Piece::MonthAbbreviated => out.push_str(&month_name(month)[..3]),
                Piece::MonthName => out.push_str(month_name(month)),
                Piece::Day => digits(&mut out, i64::from(day_of_month), 2),
                Piece::DayOfYear => digits(&mut out, day - civil::days(year, 1, 1) + 1, 3),
                Piece::WeekdayAbbreviated => out.push_str(&weekday_name(day)[..3]),
                Piece::WeekdayName => out.push_str(weekday_name(day)),
                Piece::Hour => digits(&mut out, hour, 2),
                Piece::HourOf12 => digits(&mut out, (hour + 11) % 12 + 1, 2),
                Piece::AmPm => out.push_str(if hour < 12 { "AM" } else { "PM" }),
                Piece::Minute => digits(&mut out, second / 60 % 60, 2),
                Piece::Second => digits(&mut out, second % 60, 2),
                Piece::Microsecond => out.push_str("000000"),
                Piece::Offset => print_offset(&mut out, offset),
            }
        }
        if repeated && !self.has_offset {
            print_offset(&mut out, offset);
        }
        out
    }

    /// Reads a key; what the format leaves out is the least there is. An offset may follow where the
    /// format has none, as [`Format::print`] appends it.
    pub(super) fn parse(&self, text: &str) -> Option<Parsed> {
        parse::read(&self.pieces, text, false)
            .or_else(|| (!self.has_offset).then(|| parse::read(&self.pieces, text, true))?)
    }
}

fn literal(pieces: &mut Vec<Piece>, c: char) {
    match pieces.last_mut() {
        Some(Piece::Literal(text)) => text.push(c),
        _ => pieces.push(Piece::Literal(c.into())),
    }
}

fn month_name(month: u8) -> &'static str {
    MONTHS[usize::from(month) - 1]
}

fn weekday_name(day: i64) -> &'static str {
    // 1970-01-01 was a Thursday.
    WEEKDAYS[(day + 4).rem_euclid(7) as usize]
}

/// `value` in at least `width` digits. By hand, because a million keys pass here.
fn digits(out: &mut String, value: i64, width: u32) {
    let mut unit = 10_i64.pow(width - 1);
    if value < 0 || value >= unit * 10 {
        out.push_str(&value.to_string());
        return;
    }
    while unit > 0 {
        out.push(char::from(b'0' + (value / unit % 10) as u8));
        unit /= 10;
    }
}

fn print_offset(out: &mut String, offset: i64) {
    out.push(if offset < 0 { '-' } else { '+' });
    let offset = offset.abs();
    digits(out, offset / 3600, 2);
    digits(out, offset / 60 % 60, 2);
    if offset % 60 != 0 {
        digits(out, offset % 60, 2);
    }
}
