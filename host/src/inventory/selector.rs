//! Which nodes a person means: `web-1`, `hadoop-*`, `cluster:hadoop`, `role:worker`, `tag:prod`, `all`; a comma adds,
//! `!` takes away.

use super::model::Node;
use crate::core::Failure;
use std::collections::BTreeSet;

/// A parsed selector.
#[derive(Clone, Debug, PartialEq)]
pub struct Selector {
    terms: Vec<Term>,
    text: String,
}

#[derive(Clone, Debug, PartialEq)]
struct Term {
    exclude: bool,
    field: Field,
    pattern: String,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Field {
    All,
    Name,
    Cluster,
    Role,
    Tag,
}

impl Selector {
    pub fn parse(text: &str) -> Result<Self, Failure> {
        let terms: Vec<_> =
            text.split(',').map(str::trim).filter(|term| !term.is_empty()).map(parse_term).collect::<Result<_, _>>()?;
        if terms.is_empty() {
            return Err(Failure::usage("an empty selector means no node").hint(HINT));
        }
        Ok(Self { terms, text: text.to_owned() })
    }

    /// The chosen nodes in the order given. A term that matches nothing is an error that names what is near.
    pub fn select(&self, nodes: &[Node]) -> Result<Vec<Node>, Failure> {
        // Only exclusions: from all.
        let mut chosen: BTreeSet<usize> =
            if self.terms.iter().all(|term| term.exclude) { (0..nodes.len()).collect() } else { BTreeSet::new() };
        for term in &self.terms {
            let found: Vec<_> = (0..nodes.len()).filter(|&index| term.matches(&nodes[index])).collect();
            if found.is_empty() {
                return Err(term.missed(nodes));
            }
            if !term.exclude {
                chosen.extend(found);
            }
        }
        // What is taken away is taken away wherever it stands in the text.
        chosen.retain(|&index| !self.terms.iter().any(|term| term.exclude && term.matches(&nodes[index])));
        if chosen.is_empty() {
            return Err(Failure::not_found(format!("`{}` takes away all that it chooses", self.text)).hint(HINT));
        }
        Ok(chosen.into_iter().map(|index| nodes[index].clone()).collect())
    }
}

const HINT: &str = "use a name, a glob such as `hadoop-*`, `cluster:NAME`, `role:NAME`, `tag:NAME` or `all`, joined by \
                    commas; `!` takes away";

fn parse_term(text: &str) -> Result<Term, Failure> {
    let (exclude, rest) = text.strip_prefix('!').map_or((false, text), |rest| (true, rest.trim()));
    let (field, pattern) = match rest.split_once(':') {
        None if rest == "all" => (Field::All, "*"),
        None => (Field::Name, rest),
        Some(("name", pattern)) => (Field::Name, pattern),
        Some(("cluster", pattern)) => (Field::Cluster, pattern),
        Some(("role", pattern)) => (Field::Role, pattern),
        Some(("tag", pattern)) => (Field::Tag, pattern),
        Some((other, _)) => {
            return Err(Failure::usage(format!("a selector cannot ask for `{other}:`"))
                .hint(HINT)
                .near(other, ["name", "cluster", "role", "tag"]));
        }
    };
    if pattern.is_empty() {
        return Err(Failure::usage(format!("`{text}` names nothing")).hint(HINT));
    }
    Ok(Term { exclude, field, pattern: pattern.to_owned() })
}

impl Term {
    fn matches(&self, node: &Node) -> bool {
        let is = |text: &str| glob(self.pattern.as_bytes(), text.as_bytes());
        match self.field {
            Field::All => true,
            Field::Name => is(&node.name),
            Field::Cluster => node.cluster.as_deref().is_some_and(is),
            Field::Role => node.role.as_deref().is_some_and(is),
            Field::Tag => node.tags.iter().any(|tag| is(tag)),
        }
    }

    fn missed(&self, nodes: &[Node]) -> Failure {
        let pattern = &self.pattern;
        let values = |field: Field| -> Vec<&str> {
            let values: BTreeSet<&str> = nodes
                .iter()
                .flat_map(|node| match field {
                    Field::All | Field::Name => vec![node.name.as_str()],
                    Field::Cluster => node.cluster.as_deref().into_iter().collect(),
                    Field::Role => node.role.as_deref().into_iter().collect(),
                    Field::Tag => node.tags.iter().map(String::as_str).collect(),
                })
                .collect();
            values.into_iter().collect()
        };
        let message = match self.field {
            Field::All => "there are no nodes".to_owned(),
            Field::Name if pattern.contains(['*', '?']) => format!("no node's name matches `{pattern}`"),
            Field::Name => format!("no node is named `{pattern}`"),
            Field::Cluster => format!("no node is in a cluster named `{pattern}`"),
            Field::Role => format!("no node has the role `{pattern}`"),
            Field::Tag => format!("no node has the tag `{pattern}`"),
        };
        let failure = Failure::not_found(message).hint("`linodetool node list` shows all");
        for (field, prefix) in [(Field::Cluster, "cluster"), (Field::Role, "role"), (Field::Tag, "tag")] {
            if self.field == Field::Name && values(field).contains(&pattern.as_str()) {
                return failure.hint(format!("did you mean `{prefix}:{pattern}`?"));
            }
        }
        failure.near(pattern, values(self.field))
    }
}

/// `*` is any text, `?` any one byte. Linear in the text for each star: it goes back to the last one only.
fn glob(pattern: &[u8], text: &[u8]) -> bool {
    let (mut p, mut t) = (0, 0);
    let mut star = None;
    while t < text.len() {
        if p < pattern.len() && pattern[p] == b'*' {
            star = Some((p, t));
            p += 1;
        } else if p < pattern.len() && (pattern[p] == b'?' || pattern[p] == text[t]) {
            p += 1;
            t += 1;
        } else if let Some((at, from)) = star {
            star = Some((at, from + 1));
            p = at + 1;
            t = from + 1;
        } else {
            return false;
        }
    }
    pattern[p..].iter().all(|&byte| byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::{Expect, expect};

    fn nodes() -> Vec<Node> {
        let node = |name: &str, cluster: Option<&str>, role: &str, tag: &str| Node {
            name: name.to_owned(),
            cluster: cluster.map(str::to_owned),
            role: Some(role.to_owned()),
            tags: vec![tag.to_owned()],
            ..Node::default()
        };
        vec![
            node("hadoop-master-1", Some("hadoop"), "master", "prod"),
            node("hadoop-worker-1", Some("hadoop"), "worker", "prod"),
            node("hadoop-worker-2", Some("hadoop"), "worker", "test"),
            node("web-1", None, "front", "prod"),
        ]
    }

    fn check(selector: &str, expected: &Expect) {
        let said = match Selector::parse(selector).and_then(|selector| selector.select(&nodes())) {
            Ok(nodes) => nodes.iter().map(|node| node.name.as_str()).collect::<Vec<_>>().join(" "),
            Err(failure) => format!("{failure}; {}", failure.hint.as_deref().unwrap_or_default()),
        };
        expected.assert_eq(&said);
    }

    #[test]
    fn chooses() {
        check("web-1", &expect!["web-1"]);
        check("hadoop-w*-?", &expect!["hadoop-worker-1 hadoop-worker-2"]);
        check("cluster:hadoop", &expect!["hadoop-master-1 hadoop-worker-1 hadoop-worker-2"]);
        check("role:worker, web-1", &expect!["hadoop-worker-1 hadoop-worker-2 web-1"]);
        check("tag:prod,!role:master", &expect!["hadoop-worker-1 web-1"]);
        check("!hadoop-*", &expect!["web-1"]);
        check("all", &expect!["hadoop-master-1 hadoop-worker-1 hadoop-worker-2 web-1"]);
        check("web-1,web-1,*-1", &expect!["hadoop-master-1 hadoop-worker-1 web-1"]);
    }

    #[test]
    fn names_what_was_meant() {
        check("web-2", &expect!["no node is named `web-2`; did you mean `web-1`?"]);
        check("hadoop", &expect!["no node is named `hadoop`; did you mean `cluster:hadoop`?"]);
        check("role:wroker", &expect!["no node has the role `wroker`; did you mean `worker`?"]);
        check("rol:worker", &expect!["a selector cannot ask for `rol:`; did you mean `role`?"]);
        check("zzz*", &expect!["no node's name matches `zzz*`; `linodetool node list` shows all"]);
        check(
            "web-1,!web-*",
            &expect![
                "`web-1,!web-*` takes away all that it chooses; use a name, a glob such as `hadoop-*`, `cluster:NAME`, `role:NAME`, `tag:NAME` or `all`, joined by commas; `!` takes away"
            ],
        );
        check(
            " , ",
            &expect![
                "an empty selector means no node; use a name, a glob such as `hadoop-*`, `cluster:NAME`, `role:NAME`, `tag:NAME` or `all`, joined by commas; `!` takes away"
            ],
        );
    }

    #[test]
    fn globs() {
        for (pattern, text, is) in
            [("*", "", true), ("a*b*c", "aXbYbZc", true), ("a*b", "aXc", false), ("a?", "a", false)]
        {
            assert_eq!(glob(pattern.as_bytes(), text.as_bytes()), is, "{pattern} {text}");
        }
    }
}
