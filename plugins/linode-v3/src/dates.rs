//! Times of API v3: `2015-07-03 23:51:41.0` on the clock of Linode's office, US Eastern, without zone.
//!
//! That it is Eastern shows where both APIs name the same thing: Slackware 14.1 is of 11:11:02 in v3 and of 16:11:02 UTC in v4
//! (November), Ubuntu 14.04 of 15:42:07 and 19:42:07 (April).

/// As the neutral model has it: UTC, `2015-07-04T03:51:41`. What is no such time is empty.
pub(crate) fn utc(eastern: &str) -> String {
    seconds(eastern).map(written).unwrap_or_default()
}

fn seconds(eastern: &str) -> Option<i64> {
    let (date, time) = eastern.trim().split_once(' ')?;
    let mut date = date.split('-').map(|part| part.parse::<i64>().ok());
    let mut time = time.split(['.', ':']).map(|part| part.parse::<i64>().ok());
    let (year, month, day) = (date.next()??, date.next()??, date.next()??);
    let (hour, minute, second) = (time.next()??, time.next()??, time.next()??);
    let fits = (1990..2200).contains(&year) && (1..=12).contains(&month) && (1..=31).contains(&day);
    if !fits || !(0..24).contains(&hour) || !(0..60).contains(&minute) || !(0..=60).contains(&second) {
        return None;
    }
    let local = days(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second;
    let hours_behind = if is_summer(year, local) { 4 } else { 5 };
    Some(local + hours_behind * 3600)
}

/// From the second Sunday of March, 2:00, to the first of November, 2:00 (the rule since 2007).
fn is_summer(year: i64, local: i64) -> bool {
    let begin = (days(year, 3, 1) + to_sunday(days(year, 3, 1)) + 7) * 86_400 + 7200;
    let end = (days(year, 11, 1) + to_sunday(days(year, 11, 1))) * 86_400 + 7200;
    (begin..end).contains(&local)
}

/// Days until the next Sunday; day 0 was a Thursday.
fn to_sunday(day: i64) -> i64 {
    (3 - day).rem_euclid(7)
}

/// Days since 1970-01-01 (the usual arithmetic with years that begin in March).
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

fn written(seconds: i64) -> String {
    let (day, second) = (seconds.div_euclid(86_400) + 719_468, seconds.rem_euclid(86_400));
    let (era, of_era) = (day.div_euclid(146_097), day.rem_euclid(146_097));
    let years = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * years + years / 4 - years / 100);
    let shifted = (5 * of_year + 2) / 153;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = era * 400 + years + i64::from(month <= 2);
    let (date, hour, minute) = (of_year - (153 * shifted + 2) / 5 + 1, second / 3600, second / 60 % 60);
    format!("{year:04}-{month:02}-{date:02}T{hour:02}:{minute:02}:{:02}", second % 60)
}

#[cfg(test)]
mod tests {
    use super::utc;
    use expect_test::expect;

    #[test]
    fn eastern_becomes_utc() {
        let times = [
            "2015-07-03 23:51:41.0",
            "2015-12-31 23:00:00.0",
            "2016-02-28 20:00:00.0",
            "2016-03-13 01:59:59.0",
            "2016-03-13 03:00:00.0",
            "2016-11-06 01:59:59.0",
            "2016-11-06 02:00:00.0",
            "2009-07-18 12:53:043.0",
            "",
            "soon",
            "2015-13-01 00:00:00.0",
            "2015-07-03",
        ];
        expect![[r#"
            2015-07-03 23:51:41.0 -> 2015-07-04T03:51:41
            2015-12-31 23:00:00.0 -> 2016-01-01T04:00:00
            2016-02-28 20:00:00.0 -> 2016-02-29T01:00:00
            2016-03-13 01:59:59.0 -> 2016-03-13T06:59:59
            2016-03-13 03:00:00.0 -> 2016-03-13T07:00:00
            2016-11-06 01:59:59.0 -> 2016-11-06T05:59:59
            2016-11-06 02:00:00.0 -> 2016-11-06T07:00:00
            2009-07-18 12:53:043.0 -> 2009-07-18T16:53:43
             -> 
            soon -> 
            2015-13-01 00:00:00.0 -> 
            2015-07-03 -> 
        "#]]
        .assert_eq(&times.map(|time| format!("{time} -> {}\n", utc(time))).concat());
    }
}
