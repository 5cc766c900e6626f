//! Which units start along with others, and after which.
//!
//! Owns: Requires=, Wants=, After=, Before=. Does not start anything.

use super::file::UnitFile;
use std::collections::{BTreeMap, HashSet};

/// Units to start, each after those it is to wait for: (unit, waits for). What is required or wanted comes along; a
/// cycle is cut where it is met.
pub(crate) fn order(named: &[String], read: &dyn Fn(&str) -> Option<UnitFile>) -> Vec<(String, Vec<String>)> {
    let mut files: BTreeMap<String, UnitFile> = BTreeMap::new();
    let mut todo: Vec<String> = named.to_vec();
    while let Some(u) = todo.pop() {
        if files.contains_key(&u) {
            continue;
        }
        let f = read(&u);
        if let Some(f) = &f {
            todo.extend(f.services(&["Requires", "Wants", "BindsTo", "Requisite"]));
        }
        if f.is_some() || named.contains(&u) {
            files.insert(u, f.unwrap_or_default());
        }
    }
    let mut after: BTreeMap<&str, Vec<String>> = files.keys().map(|u| (u.as_str(), Vec::new())).collect();
    for (u, f) in &files {
        for a in f.services(&["After"]).filter(|a| files.contains_key(a)) {
            after.entry(u).or_default().push(a);
        }
        for b in f.services(&["Before"]) {
            if let Some((b, _)) = files.get_key_value(&b) {
                after.entry(b).or_default().push(u.clone());
            }
        }
    }
    let (mut out, mut seen) = (Vec::new(), HashSet::new());
    for u in files.keys() {
        visit(u, &after, &mut seen, &mut out);
    }
    out
}

fn visit(
    u: &str,
    after: &BTreeMap<&str, Vec<String>>,
    seen: &mut HashSet<String>,
    out: &mut Vec<(String, Vec<String>)>,
) {
    if !seen.insert(u.to_owned()) {
        return;
    }
    let mine = after.get(u).cloned().unwrap_or_default();
    for a in &mine {
        visit(a, after, seen, out);
    }
    let earlier = mine.into_iter().filter(|a| out.iter().any(|(o, _)| o == a)).collect();
    out.push((u.to_owned(), earlier));
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;

    #[test]
    fn order_follows_after_and_survives_cycles() {
        let read = |u: &str| {
            let text = match u {
                "app" => "Requires=db.service\nWants=gone.service\nAfter=db.service net.target",
                "db" => "After=disk.service app.service", // a cycle
                "disk" => "Before=app.service",
                _ => return None,
            };
            let mut f = UnitFile::default();
            f.parse(text, u);
            Some(f)
        };
        let seen = order(&["app".to_owned(), "disk".to_owned()], &read);
        expect![[r#"[("disk", []), ("db", ["disk"]), ("app", ["db", "disk"])]"#]].assert_eq(&format!("{seen:?}"));
    }
}
