//! Times as API v3 writes them: on the clock of the office in New Jersey, without a zone, `2015-07-03 23:51:41.0`.
//!
//! Owns: US Eastern time by the rules since 2007. Does not know what time it is.

use crate::clock::Time;

const HOUR: u64 = 3_600_000;
const DAY: u64 = 24 * HOUR;

pub(super) fn written(time: Time) -> String {
    let hours = if is_summer(time) { 4 } else { 5 };
    let local = Time(time.0.saturating_sub(hours * HOUR)).wire();
    format!("{}.0", local.replace('T', " "))
}

/// The last second of the month.
pub(super) fn last_of_month(time: Time) -> String {
    let text = written(time);
    let month = |text: &str| text.get(..7).unwrap_or_default().to_owned();
    let mut day = time;
    // The first midnight of another month is at most 31 days away.
    while month(&written(day)) == month(&text) {
        day = Time(day.0 + DAY);
    }
    let into_month = written(day).get(8..10).and_then(|day| day.parse::<u64>().ok()).unwrap_or(1);
    let last = written(Time(day.0 - into_month * DAY));
    format!("{} 23:59:59", last.get(..10).unwrap_or_default())
}

/// From the second Sunday of March to the first of November, at two in the morning by the clock before.
fn is_summer(time: Time) -> bool {
    let text = time.wire();
    let part =
        |from: usize, to: usize| text.get(from..to).and_then(|part| part.parse::<u64>().ok()).unwrap_or_default();
    let (month, day, hour) = (part(5, 7), part(8, 10), part(11, 13));
    // 1970 began on a Thursday; 0 is Sunday.
    let weekday = (time.0 / DAY + 4) % 7;
    let first_sunday = 1 + (7 - (weekday + 36 - day) % 7) % 7;
    match month {
        4..=10 => true,
        3 => (day, hour) >= (first_sunday + 7, 7),
        11 => (day, hour) < (first_sunday, 6),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_end() {
        assert_eq!(last_of_month(Time(1_769_860_800_000)), "2026-01-31 23:59:59");
        assert_eq!(last_of_month(Time(1_770_000_000_000)), "2026-02-28 23:59:59");
    }

    #[test]
    fn summer_begins_and_ends_at_two_in_the_morning() {
        let at = |seconds: u64| written(Time(seconds * 1000));
        assert_eq!(at(1_435_893_101), "2015-07-02 23:11:41.0");
        assert_eq!(at(1_769_860_800), "2026-01-31 07:00:00.0");
        // 8 March 2026, 06:59:59 and 07:00:00 UTC; 1 November 2026, 05:59:59 and 06:00:00 UTC.
        assert_eq!(
            (at(1_772_953_199), at(1_772_953_200)),
            ("2026-03-08 01:59:59.0".into(), "2026-03-08 03:00:00.0".into())
        );
        assert_eq!(
            (at(1_793_512_799), at(1_793_512_800)),
            ("2026-11-01 01:59:59.0".into(), "2026-11-01 01:00:00.0".into())
        );
    }
}
