//! Reading a key by its format, as leniently as Python's `strptime`.

use super::{MONTHS, Parsed, Piece, WEEKDAYS};
use crate::partition::series::civil;

/// Reads all of `text`; with `offset_follows`, an offset after what the pieces say.
pub(super) fn read(pieces: &[Piece], text: &str, offset_follows: bool) -> Option<Parsed> {
    let mut reader = Reader {
        rest: text,
        fields: Fields::default(),
    };
    for piece in pieces {
        reader.piece(piece)?;
    }
    if offset_follows {
        reader.piece(&Piece::Offset)?;
    }
    if !reader.rest.is_empty() {
        return None;
    }
    reader.fields.parsed()
}

struct Reader<'a> {
    rest: &'a str,
    fields: Fields,
}

#[derive(Default)]
struct Fields {
    year: Option<u32>,
    month: Option<u32>,
    day: Option<u32>,
    day_of_year: Option<u32>,
    hour: Option<u32>,
    hour_of_12: Option<u32>,
    afternoon: Option<bool>,
    minute: Option<u32>,
    second: Option<u32>,
    offset: Option<i64>,
}

impl Reader<'_> {
    fn piece(&mut self, piece: &Piece) -> Option<()> {
        match piece {
            Piece::Literal(text) => self.rest = self.rest.strip_prefix(text.as_str())?,
            Piece::Year => self.fields.year = Some(self.number(4, 4, 1, 9999)?),
            Piece::Month => self.fields.month = Some(self.number(1, 2, 1, 12)?),
            Piece::MonthAbbreviated => {
                let index = self.name(&MONTHS.map(|name| &name[..3]))?;
                self.fields.month = Some(index + 1);
            }
            Piece::MonthName => self.fields.month = Some(self.name(&MONTHS)? + 1),
            Piece::Day => self.fields.day = Some(self.number(1, 2, 1, 31)?),
            Piece::DayOfYear => self.fields.day_of_year = Some(self.number(1, 3, 1, 366)?),
            // Said again by the date; that both agree shows when the window is printed.
            Piece::WeekdayAbbreviated => {
                self.name(&WEEKDAYS.map(|name| &name[..3]))?;
            }
            Piece::WeekdayName => {
                self.name(&WEEKDAYS)?;
            }
            Piece::Hour => self.fields.hour = Some(self.number(1, 2, 0, 23)?),
            Piece::HourOf12 => self.fields.hour_of_12 = Some(self.number(1, 2, 1, 12)?),
            Piece::AmPm => self.fields.afternoon = Some(self.name(&["AM", "PM"])? == 1),
            Piece::Minute => self.fields.minute = Some(self.number(1, 2, 0, 59)?),
            Piece::Second => self.fields.second = Some(self.number(1, 2, 0, 59)?),
            Piece::Microsecond => {
                self.number(1, 6, 0, 999_999)?;
            }
            Piece::Offset => self.fields.offset = Some(self.offset()?),
        }
        Some(())
    }

    /// A number of `least` to `most` digits between `low` and `high`: as many digits as fit.
    fn number(&mut self, least: usize, most: usize, low: u32, high: u32) -> Option<u32> {
        let available = self
            .rest
            .bytes()
            .take(most)
            .take_while(u8::is_ascii_digit)
            .count();
        for width in (least..=available).rev() {
            let (head, tail) = self.rest.split_at(width);
            let value = head.parse().ok()?;
            if (low..=high).contains(&value) {
                self.rest = tail;
                return Some(value);
            }
        }
        None
    }

    fn name(&mut self, names: &[&str]) -> Option<u32> {
        for (index, name) in names.iter().enumerate() {
            if let Some(tail) = self.rest.strip_prefix(name) {
                self.rest = tail;
                return u32::try_from(index).ok();
            }
        }
        None
    }

    /// `+HHMM` or `+HHMMSS`, the sign either way.
    fn offset(&mut self) -> Option<i64> {
        let sign = match self.rest.bytes().next()? {
            b'+' => 1,
            b'-' => -1,
            _ => return None,
        };
        self.rest = &self.rest[1..];
        let hours = self.number(2, 2, 0, 23)?;
        let minutes = self.number(2, 2, 0, 59)?;
        let seconds = self.number(2, 2, 0, 59).unwrap_or(0);
        Some(sign * i64::from(hours * 3600 + minutes * 60 + seconds))
    }
}

impl Fields {
    fn parsed(self) -> Option<Parsed> {
        let year = i64::from(self.year?);
        let day = match self.day_of_year {
            Some(of_year) => civil::days(year, 1, 1) + i64::from(of_year) - 1,
            None => {
                let month = u8::try_from(self.month.unwrap_or(1)).ok()?;
                let day = u8::try_from(self.day.unwrap_or(1)).ok()?;
                if day > civil::days_in_month(year, month) {
                    return None;
                }
                civil::days(year, month, day)
            }
        };
        let hour = match (self.hour, self.hour_of_12, self.afternoon) {
            (Some(hour), _, _) => hour,
            (None, Some(hour), Some(afternoon)) => hour % 12 + if afternoon { 12 } else { 0 },
            _ => 0,
        };
        let seconds = hour * 3600 + self.minute.unwrap_or(0) * 60 + self.second.unwrap_or(0);
        Some(Parsed {
            local: day * 86_400 + i64::from(seconds),
            offset: self.offset,
        })
    }
}
