//! A rehearsal for people: what would be there, what would change, what it costs, how long it takes, what is not known.

use super::plain::rounded;
use super::table::{Table, dollars};
use crate::rehearsal::{Cost, Counted, Course, Made, NodeChange, Rehearsal, Work};
use crate::toolkit::plan::within;
use std::time::Duration;

/// Lines of one part; the rest is counted. `--json` has all.
const MOST: usize = 12;
/// Names in one line.
const NAMES: usize = 3;
/// Shares of the time.
const SHARES: usize = 5;

/// The whole report.
pub(crate) fn report(of: &Rehearsal) -> String {
    if of.failure.is_some() && is_idle(of) && of.work.is_empty() {
        return format!("Rehearsal of {}: it does nothing before it fails.", of.recipe);
    }
    let mut parts = vec![match of.failure {
        None => format!("Rehearsal of {}: nothing was done.", of.recipe),
        Some(_) => format!("Rehearsal of {} as far as it came: nothing was done.", of.recipe),
    }];
    parts.extend(proposal(of));
    parts.extend(work(&of.work));
    let limit = of.cost.hourly_max.map(|max| limit(&of.cost, max));
    let lines = peak(&of.cost).into_iter().chain(limit).chain([format!("prices: {}", of.catalogue)]);
    let lines: String = lines.map(|line| format!("\n  {line}")).collect();
    parts.push(format!("Cost of its clusters: {}{lines}", cost(&of.cost)));
    parts.push(time(&of.time));
    if !of.unknown.is_empty() {
        parts.push(list("Not known, or assumed:", of.unknown.iter().cloned()));
    }
    parts.join("\n\n")
}

/// What is asked before a run begins.
pub(crate) fn question(of: &Rehearsal, provider: &str) -> String {
    let mut parts = vec![format!("On {provider}, as far as it can be known:")];
    parts.extend(proposal(of));
    let peak = peak(&of.cost).map_or_else(String::new, |peak| format!("\n  {peak}"));
    parts.push(format!("Cost of its clusters: {}, until deleted{peak}", cost(&of.cost)));
    parts.push(format!("Time: about {}", about(of.time.seconds)));
    parts.join("\n")
}

/// What would be made, changed and destroyed, and what that means; a part each.
pub(crate) fn proposal(of: &Rehearsal) -> Vec<String> {
    let mut parts = Vec::new();
    if is_idle(of) {
        parts.push("Nothing would be created, changed or destroyed.".to_owned());
    }
    parts.extend(created("To be created:", &of.create));
    parts.extend(created("To be created, and destroyed again before the end:", &of.passing));
    if !of.change.is_empty() {
        parts.push(list("To be changed:", of.change.iter().map(change)));
    }
    if !of.destroy.is_empty() {
        let lines = of.destroy.iter().map(|one| match one.lost.as_str() {
            "" => format!("{} {}", one.kind, one.name),
            lost => format!("{} {}, with {lost}", one.kind, one.name),
        });
        parts.push(list("To be destroyed:", lines));
    }
    if !of.impact.is_empty() {
        parts.push(list("What that means:", of.impact.iter().cloned()));
    }
    parts
}

/// Whether nothing would be there afterwards that is not there now, nor the other way round.
fn is_idle(of: &Rehearsal) -> bool {
    of.create.is_empty() && of.passing.is_empty() && of.change.is_empty() && of.destroy.is_empty()
}

/// `$0.1080 an hour, $72.00 a month; now $0.00 an hour: $0.1080 more`
pub(crate) fn cost(cost: &Cost) -> String {
    let (hourly, monthly) = (dollars(cost.hourly_after), dollars(cost.monthly_after));
    let more = cost.hourly_after - cost.hourly_before;
    let difference = match more {
        more if more.abs() < 1e-9 => "as now".to_owned(),
        more if more > 0.0 => format!("now {} an hour: {} more", dollars(cost.hourly_before), dollars(more)),
        less => format!("now {} an hour: {} less", dollars(cost.hourly_before), dollars(-less)),
    };
    format!("{hourly} an hour, {monthly} a month; {difference}")
}

/// What it costs on the way, if that is more than before and after.
fn peak(cost: &Cost) -> Option<String> {
    let most = cost.hourly_before.max(cost.hourly_after);
    (cost.hourly_peak - most > 1e-9).then(|| format!("on the way: at most {} an hour", dollars(cost.hourly_peak)))
}

/// How it stands to what was allowed.
fn limit(cost: &Cost, max: f64) -> String {
    let limit = format!("limit: {} an hour", dollars(max));
    match within(cost.hourly_before, cost.hourly_peak, max) {
        Ok(()) if cost.hourly_peak > max + 1e-9 => format!("{limit}: it is more, and was so before"),
        Ok(()) => format!("{limit}: kept"),
        Err(_) => format!("{limit}: exceeded, with {} an hour", dollars(cost.hourly_peak)),
    }
}

/// How long it takes, in round numbers: more is not known.
pub(crate) fn about(of: f64) -> String {
    rounded(Duration::from_secs_f64(of.max(0.0)))
}

fn created(title: &str, made: &[Made]) -> Option<String> {
    if made.is_empty() {
        return None;
    }
    let mut parts = Vec::new();
    let nodes: Vec<_> = made.iter().filter(|made| made.kind == "linode").collect();
    if !nodes.is_empty() {
        let mut table = Table::new(["NODES", "", "TYPE", "REGION", "AN HOUR", "A MONTH"]);
        for (first, last, same) in groups(&nodes) {
            let name = if same.len() == 1 { first.name.clone() } else { format!("{} ... {}", first.name, last.name) };
            table.row([
                name,
                same.len().to_string(),
                first.type_id.clone(),
                first.region.clone(),
                dollars(same.iter().map(|node| node.hourly).sum()),
                dollars(same.iter().map(|node| node.monthly).sum()),
            ]);
        }
        parts.push(format!("{title}\n{}", table.plain()));
    }
    let others = made.iter().filter(|made| made.kind != "linode").map(|made| format!("{} {}", made.kind, made.name));
    let others: Vec<_> = others.collect();
    if !others.is_empty() {
        let title = if parts.is_empty() { title } else { "And:" };
        parts.push(list(title, others.into_iter()));
    }
    Some(parts.join("\n"))
}

/// Nodes of one role, type and region, with the first and the last.
fn groups<'a>(nodes: &[&'a Made]) -> Vec<(&'a Made, &'a Made, Vec<&'a Made>)> {
    let mut groups: Vec<Vec<&Made>> = Vec::new();
    let kind = |node: &Made| (node.role.clone(), node.type_id.clone(), node.region.clone());
    for node in nodes {
        match groups.iter_mut().find(|group| node.role.is_some() && kind(group[0]) == kind(node)) {
            Some(group) => group.push(node),
            None => groups.push(vec![node]),
        }
    }
    for group in &mut groups {
        group.sort_by(|a, b| crate::inventory::natural_order(&a.name, &b.name));
    }
    groups.into_iter().filter_map(|group| Some((*group.first()?, *group.last()?, group))).collect()
}

fn change(of: &NodeChange) -> String {
    let how = if of.how.is_empty() { String::new() } else { format!(" ({})", of.how) };
    let on = match of.on.len() {
        0 => String::new(),
        1..=NAMES => format!(" on {}", of.on.join(", ")),
        all => format!(" on {} and {} more", of.on[..NAMES - 1].join(", "), all - NAMES + 1),
    };
    format!("{}{how}{on}", of.what)
}

fn work(of: &[Work]) -> Option<String> {
    let mut lines = Vec::new();
    for role in of {
        let name = if role.role.is_empty() { "nodes without a role" } else { &role.role };
        let nodes = if role.nodes == 1 { "1 node".to_owned() } else { format!("{} nodes", role.nodes) };
        let changing = role.operations.iter().filter(|one| one.changed > 0);
        let changing: Vec<_> = changing.map(|one| Counted { times: one.changed, ..one.clone() }).collect();
        let idle = role.operations.iter().map(|one| one.times - one.changed).sum::<usize>();
        let is_idle = idle > 0;
        let idle =
            if idle == 1 { "1 check finds".to_owned() } else { format!("{idle} checks find") } + " nothing to change";
        if changing.is_empty() && role.commands.is_empty() {
            lines.push(format!("  {name} ({nodes}): {idle}"));
            continue;
        }
        lines.push(format!("  {name} ({nodes})"));
        let commands = role.commands.iter().map(|one| Counted { what: format!("command {}", one.what), ..one.clone() });
        let all: Vec<_> = alike(&changing).into_iter().chain(commands).collect();
        let width = all.iter().map(|one| one.times.to_string().len()).max().unwrap_or(0);
        let row = |one: &Counted| format!("    {:>width$} x {}", one.times, one.what);
        lines.extend(cut(all.iter().map(row).collect(), "    "));
        lines.extend(is_idle.then(|| format!("    {idle}")));
    }
    (!lines.is_empty()).then(|| format!("Work on nodes:\n{}", lines.join("\n")))
}

/// Of more than two things of one kind only their number.
fn alike(of: &[Counted]) -> Vec<Counted> {
    let kind = |one: &Counted| one.what.split(' ').next().unwrap_or_default().to_owned();
    let mut groups: Vec<(String, Vec<&Counted>)> = Vec::new();
    for one in of {
        match groups.iter_mut().find(|(known, _)| *known == kind(one)) {
            Some((_, group)) => group.push(one),
            None => groups.push((kind(one), vec![one])),
        }
    }
    let told = |(kind, group): (String, Vec<&Counted>)| {
        if group.len() <= 2 {
            return group.into_iter().cloned().collect::<Vec<_>>();
        }
        let sum = |of: fn(&Counted) -> usize| group.iter().map(|one| of(one)).sum();
        let what = format!("{kind} ({} different ones)", group.len());
        vec![Counted { what, times: sum(|one| one.times), changed: sum(|one| one.changed) }]
    };
    groups.into_iter().flat_map(told).collect()
}

fn time(of: &Course) -> String {
    let mut lines = vec![format!("Time: about {}", about(of.seconds))];
    let width = of.shares.iter().take(SHARES).map(|share| about(share.seconds).chars().count()).max().unwrap_or(0);
    lines.extend(
        of.shares.iter().take(SHARES).map(|share| format!("  {:>width$}  {}", about(share.seconds), share.what)),
    );
    lines.join("\n")
}

fn list(title: &str, lines: impl Iterator<Item = String>) -> String {
    let lines: Vec<_> = lines.map(|line| format!("  {line}")).collect();
    format!("{title}\n{}", cut(lines, "  ").join("\n"))
}

fn cut(mut lines: Vec<String>, indent: &str) -> Vec<String> {
    if lines.len() > MOST {
        let more = lines.len() - MOST + 1;
        lines.truncate(MOST - 1);
        lines.push(format!("{indent}and {more} more (--json has all)"));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::{Failure, FailureKind};
    use crate::rehearsal::{Destroyed, Share};
    use expect_test::expect;

    fn made(name: &str, role: &str) -> Made {
        Made {
            kind: "linode".into(),
            name: name.into(),
            role: Some(role.into()),
            type_id: "g6-standard-2".into(),
            region: "us-east".into(),
            hourly: 0.036,
            monthly: 24.0,
            ..Made::default()
        }
    }

    fn rehearsal() -> Rehearsal {
        let workers = (1..=20).map(|n| made(&format!("hadoop-worker-{n}"), "worker"));
        let firewall = Made { kind: "firewall".into(), name: "lt-hadoop".into(), ..Made::default() };
        let counted = |what: &str, times, changed| Counted { what: what.into(), times, changed };
        let on = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        Rehearsal {
            recipe: "recipes/hadoop.rhai".into(),
            create: [made("hadoop-master-1", "master")].into_iter().chain(workers).chain([firewall]).collect(),
            change: vec![
                NodeChange { what: "file /etc/motd".into(), how: "content".into(), on: on(&["web-1", "web-2"]) },
                NodeChange { what: "service web".into(), how: "unit, restarted".into(), on: on(&["a", "b", "c", "d"]) },
                NodeChange { what: "firewall lt-web".into(), how: "members".into(), on: Vec::new() },
            ],
            destroy: vec![Destroyed {
                kind: "linode".into(),
                name: "web-3".into(),
                lost: "all data on its disk".into(),
                hourly: 0.0075,
                monthly: 5.0,
            }],
            impact: vec!["a, b, c, d: service web restarts".into()],
            work: vec![Work {
                role: "worker".into(),
                nodes: 20,
                commands: vec![counted("format HDFS", 1, 1)],
                operations: (0..20).map(|n| counted(&format!("file /etc/{n}"), 20, 20 - n)).collect(),
            }],
            cost: Cost {
                hourly_before: 0.0075,
                hourly_after: 0.756,
                hourly_peak: 0.7635,
                hourly_max: Some(0.5),
                monthly_before: 5.0,
                monthly_after: 504.0,
            },
            passing: vec![made("builder-1", "builder")],
            time: Course {
                seconds: 176.649,
                shares: vec![
                    Share { what: "creating and booting Linodes".into(), seconds: 87.0 },
                    Share { what: "packages".into(), seconds: 20.0 },
                    Share { what: "configuring nodes".into(), seconds: 0.75 },
                ],
            },
            catalogue: "bundled with linodetool".into(),
            unknown: vec!["how large downloads are".into()],
            ..Rehearsal::default()
        }
    }

    #[test]
    fn the_report_tells_all_in_a_page() {
        expect![[r#"
            Rehearsal of recipes/hadoop.rhai: nothing was done.

            To be created:
            NODES                                     TYPE           REGION   AN HOUR  A MONTH
            hadoop-master-1                       1   g6-standard-2  us-east  $0.0360  $24.00
            hadoop-worker-1 ... hadoop-worker-20  20  g6-standard-2  us-east  $0.7200  $480.00
            And:
              firewall lt-hadoop

            To be created, and destroyed again before the end:
            NODES         TYPE           REGION   AN HOUR  A MONTH
            builder-1  1  g6-standard-2  us-east  $0.0360  $24.00

            To be changed:
              file /etc/motd (content) on web-1, web-2
              service web (unit, restarted) on a, b and 2 more
              firewall lt-web (members)

            To be destroyed:
              linode web-3, with all data on its disk

            What that means:
              a, b, c, d: service web restarts

            Work on nodes:
              worker (20 nodes)
                210 x file (20 different ones)
                  1 x command format HDFS
                190 checks find nothing to change

            Cost of its clusters: $0.7560 an hour, $504.00 a month; now $0.0075 an hour: $0.7485 more
              on the way: at most $0.7635 an hour
              limit: $0.5000 an hour: exceeded, with $0.7635 an hour
              prices: bundled with linodetool

            Time: about 2 min 57 s
              1 min 27 s  creating and booting Linodes
                    20 s  packages
                   0.8 s  configuring nodes

            Not known, or assumed:
              how large downloads are"#]]
        .assert_eq(&report(&rehearsal()));
    }

    #[test]
    fn a_run_that_does_nothing_says_so() {
        let nothing = Rehearsal { recipe: "x.rhai".into(), catalogue: "bundled".into(), ..Rehearsal::default() };
        expect![[r#"
            Rehearsal of x.rhai: nothing was done.

            Nothing would be created, changed or destroyed.

            Cost of its clusters: $0.00 an hour, $0.00 a month; as now
              prices: bundled

            Time: about 0.0 s"#]]
        .assert_eq(&report(&nothing));
    }

    #[test]
    fn a_recipe_that_fails_at_once_has_nothing_to_tell() {
        let failure = Some(Failure::new(FailureKind::Failed, "no"));
        let nothing = Rehearsal { recipe: "x.rhai".into(), failure, ..Rehearsal::default() };
        expect!["Rehearsal of x.rhai: it does nothing before it fails."].assert_eq(&report(&nothing));
    }

    #[test]
    fn the_question_is_short() {
        let mut of = rehearsal();
        (of.change, of.destroy, of.impact, of.passing) = Default::default();
        of.cost.hourly_peak = 0.756;
        of.create.truncate(2);
        expect![[r#"
            On linode-v4, as far as it can be known:
            To be created:
            NODES               TYPE           REGION   AN HOUR  A MONTH
            hadoop-master-1  1  g6-standard-2  us-east  $0.0360  $24.00
            hadoop-worker-1  1  g6-standard-2  us-east  $0.0360  $24.00
            Cost of its clusters: $0.7560 an hour, $504.00 a month; now $0.0075 an hour: $0.7485 more, until deleted
            Time: about 2 min 57 s"#]]
        .assert_eq(&question(&of, "linode-v4"));
    }
}
