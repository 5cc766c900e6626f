//! Points of a run, and which of them are tried.
//!
//! Owns the SPEC of `--points` and the choice by seed: the same list and seed give the same cases. Does not know how a
//! case is tried.

use crate::core::Failure;
use crate::inventory::store::natural_order;
use crate::runs::Phase;
use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

/// Of all cases, one in so many is killed a second time while it is resumed.
const TWICE: usize = 5;

/// A point that an undisturbed run came by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Point {
    /// `4.worker-1.2#1:effect`
    pub(super) name: String,
    pub(super) op: String,
    pub(super) phase: Phase,
}

impl Point {
    /// A line of the list: the point's name and the operation.
    fn parse(line: &str) -> Option<Self> {
        let (name, op) = line.split_once(' ')?;
        let (_, phase) = name.rsplit_once(':')?;
        let phase = Phase::ALL.into_iter().find(|known| known.as_str() == phase)?;
        Some(Self { name: name.to_owned(), op: op.to_owned(), phase })
    }

    fn step(&self) -> &str {
        self.name.split('#').next().unwrap_or_default()
    }
}

/// All points of a list in an order that does not depend on which lane was quicker.
pub(super) fn read(list: &str) -> Vec<Point> {
    let mut points: Vec<_> = list.lines().filter_map(Point::parse).collect();
    // The end of a run comes after all numbers.
    points.sort_by(|a, b| natural_order(a.step(), b.step()).then(a.phase.cmp(&b.phase)));
    points.dedup();
    points
}

/// Where one run is killed, and killed again while it is resumed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Case {
    pub(super) first: String,
    pub(super) second: Option<String>,
    /// What dies first.
    pub(super) op: String,
    pub(super) phase: Option<Phase>,
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.first)?;
        self.second.iter().try_for_each(|second| write!(f, "+{second}"))
    }
}

/// `--points`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Selection {
    All,
    /// Each Nth, and each operation in each phase.
    Sample(usize),
    Listed(Vec<String>),
}

impl FromStr for Selection {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "all" {
            return Ok(Self::All);
        }
        if let Some(number) = text.strip_prefix("1/") {
            return match number.parse() {
                Ok(number) if number > 0 => Ok(Self::Sample(number)),
                _ => Err("in 1/N the N must be a number above zero".to_owned()),
            };
        }
        let words: Vec<_> = text.split(',').map(str::trim).map(str::to_owned).collect();
        if words.iter().any(String::is_empty) {
            return Err("write all, 1/N, or a list of points and operations".to_owned());
        }
        Ok(Self::Listed(words))
    }
}

impl Selection {
    /// The cases, the same for the same points and seed.
    pub(super) fn cases(&self, points: &[Point], seed: u64) -> Result<Vec<Case>, Failure> {
        let chosen: Vec<usize> = match self {
            Self::All => (0..points.len()).collect(),
            Self::Sample(n) => sample(points, *n, seed),
            Self::Listed(words) => return listed(words, points),
        };
        let single = chosen.iter().map(|index| case(&points[*index], None));
        let twice = chosen.iter().enumerate().filter(|(n, _)| (n + seed as usize).is_multiple_of(TWICE));
        let twice = twice.filter_map(|(n, index)| Some(case(&points[*index], Some(second(points, *index, n)?))));
        Ok(single.chain(twice).collect())
    }
}

fn case(point: &Point, second: Option<String>) -> Case {
    Case { first: point.name.clone(), second, op: point.op.clone(), phase: Some(point.phase) }
}

/// Each Nth, then what is missing of operations and phases.
fn sample(points: &[Point], n: usize, seed: u64) -> Vec<usize> {
    let mut chosen: BTreeSet<usize> = (0..points.len()).filter(|i| (i + seed as usize).is_multiple_of(n)).collect();
    let kind = |index: usize| (points[index].op.as_str(), points[index].phase);
    let mut seen: BTreeSet<_> = chosen.iter().map(|index| kind(*index)).collect();
    for index in 0..points.len() {
        if seen.insert(kind(index)) {
            chosen.insert(index);
        }
    }
    chosen.into_iter().collect()
}

/// Where the resumed run dies: at the same step, whose outcome is being found out, or some steps later.
fn second(points: &[Point], first: usize, n: usize) -> Option<String> {
    let later = if n.is_multiple_of(2) {
        points.iter().skip(first + 1).find(|later| later.step() == points[first].step())
    } else {
        points.get(first + 1 + n % 11)
    };
    later.map(|point| point.name.clone())
}

fn listed(words: &[String], points: &[Point]) -> Result<Vec<Case>, Failure> {
    let mut cases = Vec::new();
    for word in words {
        if let Some((first, second)) = word.split_once('+') {
            let point = named(first, points)?;
            cases.push(case(point, Some(named(second, points)?.name.clone())));
            continue;
        }
        let fits = |point: &&Point| {
            point.name == *word || point.op == *word || word.strip_prefix(':') == Some(point.phase.as_str())
        };
        let found: Vec<_> = points.iter().filter(fits).map(|point| case(point, None)).collect();
        if found.is_empty() {
            named(word, points)?;
        }
        cases.extend(found);
    }
    Ok(cases)
}

fn named<'a>(name: &str, points: &'a [Point]) -> Result<&'a Point, Failure> {
    points.iter().find(|point| point.name == name).ok_or_else(|| {
        let known: BTreeSet<_> = points.iter().flat_map(|point| [point.name.as_str(), point.op.as_str()]).collect();
        Failure::usage(format!("the recipe comes by no point and has no operation `{name}`"))
            .field("points")
            .near(name, known)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::{Expect, expect};

    const LIST: &str = "\
0#1:effect clusters.look
10#1:before node.run
10#1:intent node.run
10#1:running node.run
10#1:effect node.run
2.web-2.0#1:effect node.file
2.web-1.0#1:before node.file
2.web-1.0#1:intent node.file
2.web-1.0#1:effect node.file
2.web-2.0#1:before node.file
2.web-2.0#1:intent node.file
end#1:before run.end
end#1:effect run.end
";

    fn check(spec: &str, seed: u64, expected: &Expect) {
        let selection: Selection = spec.parse().unwrap();
        let text = match selection.cases(&read(LIST), seed) {
            Ok(cases) => cases.iter().map(|case| format!("{case} {}\n", case.op)).collect(),
            Err(failure) => format!("{failure} / {}", failure.hint.clone().unwrap_or_default()),
        };
        expected.assert_eq(&text);
    }

    #[test]
    fn all_points_are_in_the_order_of_the_script_and_some_are_killed_twice() {
        check(
            "all",
            1,
            &expect![[r#"
            0#1:effect clusters.look
            2.web-1.0#1:before node.file
            2.web-1.0#1:intent node.file
            2.web-1.0#1:effect node.file
            2.web-2.0#1:before node.file
            2.web-2.0#1:intent node.file
            2.web-2.0#1:effect node.file
            10#1:before node.run
            10#1:intent node.run
            10#1:running node.run
            10#1:effect node.run
            end#1:before run.end
            end#1:effect run.end
            2.web-2.0#1:before+2.web-2.0#1:intent node.file
        "#]],
        );
    }

    #[test]
    fn a_sample_has_each_operation_in_each_phase() {
        check(
            "1/6",
            2,
            &expect![[r#"
            0#1:effect clusters.look
            2.web-1.0#1:intent node.file
            2.web-1.0#1:effect node.file
            2.web-2.0#1:before node.file
            10#1:before node.run
            10#1:intent node.run
            10#1:running node.run
            10#1:effect node.run
            end#1:before run.end
            end#1:effect run.end
            2.web-2.0#1:before+10#1:intent node.file
            end#1:before+end#1:effect run.end
        "#]],
        );
    }

    #[test]
    fn points_are_named_by_place_operation_or_phase() {
        check(
            "2.web-1.0#1:intent,run.end,:running",
            1,
            &expect![[r#"
            2.web-1.0#1:intent node.file
            end#1:before run.end
            end#1:effect run.end
            10#1:running node.run
        "#]],
        );
        check(
            "10#1:intent+10#1:effect",
            1,
            &expect![[r#"
            10#1:intent+10#1:effect node.run
        "#]],
        );
        check(
            "node.fiel",
            1,
            &expect!["the recipe comes by no point and has no operation `node.fiel` / did you mean `node.file`?"],
        );
    }

    #[test]
    fn a_spec_that_says_nothing_is_refused() {
        for wrong in ["1/0", "1/x", "", "a,,b"] {
            assert!(wrong.parse::<Selection>().is_err(), "{wrong}");
        }
    }
}
