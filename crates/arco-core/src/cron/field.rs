//! One field of a cron: a list of items, each a value, a range, or a step over a range.

use super::error::Problem;

/// Which of the five.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Field {
    Minute,
    Hour,
    Day,
    Month,
    Weekday,
}

/// What a field says.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Values {
    /// A bit for each value.
    pub(super) bits: u64,
    /// `*` or `?` is one of its items.
    pub(super) star: bool,
    /// `*` or `?` is all it says.
    pub(super) only_star: bool,
    /// `L` in the day of month: the last day.
    pub(super) last: bool,
    /// `mon#1` and `L5` in the day of week: for each weekday the weeks of the month, bit 1 to 5, and
    /// bit 0 for the last. When there is any, `bits` is empty.
    pub(super) weeks: [u8; 7],
}

/// The bit of `weeks` that stands for the last one in the month.
pub(super) const LAST_WEEK: u8 = 1;

const MONTHS: [&str; 12] = [
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
];
const WEEKDAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

impl Field {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Minute => "minute",
            Self::Hour => "hour",
            Self::Day => "day of month",
            Self::Month => "month",
            Self::Weekday => "day of week",
        }
    }

    fn range(self) -> (u32, u32) {
        match self {
            Self::Minute => (0, 59),
            Self::Hour => (0, 23),
            Self::Day => (1, 31),
            Self::Month => (1, 12),
            Self::Weekday => (0, 6),
        }
    }

    /// Whether `values` are all that the field can have.
    pub(super) fn is_full(self, values: &Values) -> bool {
        let (low, high) = self.range();
        (low..=high).all(|value| values.bits >> value & 1 == 1)
    }

    /// Reads a field in lower case (S-3..S-8).
    pub(super) fn parse(self, text: &str) -> Result<Values, Problem> {
        let mut values = Values::default();
        if text == "?" && matches!(self, Self::Day | Self::Weekday) {
            return self.parse("*");
        }
        for item in text.split(',') {
            self.item(item, &mut values)?;
        }
        let has_weeks = values.weeks.iter().any(|weeks| *weeks != 0);
        if has_weeks && (values.bits != 0 || values.star) {
            return Err(self.problem(
                text,
                "mixes days of every week with days of one week of the month; give two crons in a list",
            ));
        }
        values.only_star = values.star && text.split(',').all(|item| item == "*");
        if values.star {
            let (low, high) = self.range();
            values.bits = (low..=high).fold(0, |bits, value| bits | 1 << value);
        }
        Ok(values)
    }

    fn item(self, item: &str, values: &mut Values) -> Result<(), Problem> {
        match (self, item) {
            (_, "*") => values.star = true,
            (Self::Day, "l") => values.last = true,
            (Self::Weekday, _) if item.contains('#') => self.nth_week(item, values)?,
            (Self::Weekday, _) if is_last_weekday(item) => {
                let day = self.value(item, &item[1..])?;
                values.weeks[day as usize] |= LAST_WEEK;
            }
            _ => values.bits |= self.steps(item, item)?,
        }
        Ok(())
    }

    /// `mon#1`, `mon-wed#2`: that week of the month.
    fn nth_week(self, item: &str, values: &mut Values) -> Result<(), Problem> {
        let (days, week) = item.split_once('#').unwrap_or((item, ""));
        let week = Some(week)
            .filter(|text| is_number(text))
            .and_then(|text| text.parse().ok())
            .filter(|week| (1..=5_u32).contains(week))
            .ok_or_else(|| self.problem(item, "names no week of the month; write `#1` to `#5`"))?;
        let is_range = days.contains('-');
        if days.contains(['/', '*']) || is_range && days.contains(|c: char| c.is_ascii_digit()) {
            return Err(self.problem(
                item,
                "is too much before `#`; write one day or a range of names, as in `mon-wed#2`",
            ));
        }
        let days = self.steps(item, days)?;
        for (day, weeks) in values.weeks.iter_mut().enumerate() {
            if days >> day & 1 == 1 {
                *weeks |= 1 << week;
            }
        }
        Ok(())
    }

    /// `5`, `5-10`, `*/15`, `5-30/5`, `5/15` as bits.
    fn steps(self, item: &str, text: &str) -> Result<u64, Problem> {
        let (low, high) = self.range();
        let (span, step) = match text.split_once('/') {
            Some((span, step)) => (span, Some(self.step(item, step)?)),
            None => (text, None),
        };
        let (from, to) = match span.split_once('-') {
            _ if span == "*" => (low, high),
            Some((from, "l")) if self == Self::Day => (self.value(item, from)?, high),
            Some((from, to)) => (self.value(item, from)?, self.value(item, to)?),
            None if step.is_some() => (self.value(item, span)?, high),
            None => return Ok(1 << self.value(item, span)?),
        };
        let step = step.unwrap_or(1);
        let values = wrapped(from, to, step, (low, high));
        Ok(values.fold(0, |bits, value| bits | 1 << value))
    }

    fn step(self, item: &str, text: &str) -> Result<u32, Problem> {
        if !is_number(text) {
            return Err(self.problem(item, "has no number after `/`; write for example `*/15`"));
        }
        let step = text.parse().unwrap_or(u32::MAX);
        let (low, high) = self.range();
        // Seven days are a week, however they are numbered.
        let largest = if self == Self::Weekday { 7 } else { high };
        if step == 0 {
            return Err(self.problem(item, "steps by nothing; write a number from 1 on after `/`"));
        }
        if step > largest {
            // D-26: Dagster accepts it with a warning, and it does not mean what it says.
            let what = format!(
                "steps over the whole field and would not be due every {step}; a step is at most \
                 {largest} here, so write the values one by one, as in `{low},{high}`"
            );
            return Err(self.problem(item, &what));
        }
        Ok(step)
    }

    /// One number or name.
    fn value(self, item: &str, text: &str) -> Result<u32, Problem> {
        let (low, high) = self.range();
        let names: &[&str] = match self {
            Self::Month => &MONTHS,
            Self::Weekday => &WEEKDAYS,
            _ => &[],
        };
        if let Some(index) = names.iter().position(|name| *name == text) {
            return Ok(low + u32::try_from(index).unwrap_or(0));
        }
        let names = match self {
            Self::Month => ", or `jan` to `dec`",
            Self::Weekday => ", or `sun` to `sat`; 0 and 7 are Sunday",
            _ => "",
        };
        if !is_number(text) {
            let what = if text.is_empty() && item.is_empty() {
                "is empty; remove the comma, or write what should be there".to_owned()
            } else if text.starts_with('r') || text.starts_with('h') {
                format!(
                    "is random, which no schedule should be; write a number from {low} to {high}{names}"
                )
            } else {
                format!("is not a value; write a number from {low} to {high}{names}")
            };
            return Err(self.problem(item, &what));
        }
        match text.parse().unwrap_or(u32::MAX) {
            7 if self == Self::Weekday => Ok(0),
            value if (low..=high).contains(&value) => Ok(value),
            _ => {
                let what = format!("is out of range; write a number from {low} to {high}{names}");
                Err(self.problem(item, &what))
            }
        }
    }

    fn problem(self, item: &str, what: &str) -> Problem {
        Problem {
            field: self,
            item: item.into(),
            what: what.into(),
        }
    }
}

/// `l5`: an `l` and digits.
fn is_last_weekday(item: &str) -> bool {
    item.strip_prefix('l').is_some_and(is_number)
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

/// The values of a range (S-5). One that runs backwards goes on after the end of the field; one from a
/// value to itself is the whole cycle, counted from the field's least value. Where a step crosses the
/// end, the first value after it is as far from the least one as the step exceeds what was left: one
/// more than counting round a circle would give, as Dagster has it.
fn wrapped(from: u32, to: u32, step: u32, (low, high): (u32, u32)) -> impl Iterator<Item = u32> {
    let by = step as usize;
    let (first, second) = if from < to {
        (from..=to, None)
    } else if from == to {
        (low..=high, None)
    } else {
        let left = (high - from) % step;
        let begin = if step == left + 1 {
            low
        } else {
            low + step - left
        };
        (from..=high, Some(begin..=to))
    };
    first
        .step_by(by)
        .chain(second.into_iter().flat_map(move |rest| rest.step_by(by)))
}

#[cfg(test)]
mod tests;
