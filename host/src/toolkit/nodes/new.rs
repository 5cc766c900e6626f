//! What comes before a node is made: a name that will do, a look at what is there, and the yes of the one who pays.

use serde::{Deserialize, Serialize};

use super::NodeSpec;
use super::ensure::{by_label, label_taken, name_taken};
use crate::core::Failure;
use crate::runs::{Done, Kind, StepCx};
use crate::toolkit::info::{Resolved, resolved};
use crate::toolkit::plan::{Plan, PlannedNode};
use crate::toolkit::{Repeatable, Toolkit};

/// The name is the Linode's label: 3-64 characters (Linode API v4, `POST /linode/instances`).
pub(crate) fn check_name(name: &str) -> Result<(), Failure> {
    let edge = |b: Option<&u8>| b.is_some_and(u8::is_ascii_alphanumeric);
    let bytes = name.as_bytes();
    let wrong = if !(3..=64).contains(&bytes.len()) {
        format!("it has {} characters, and a label has 3 to 64", name.chars().count())
    } else if !bytes.iter().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(b)) {
        "a label has letters, digits, `-`, `_` and `.` only".into()
    } else if !edge(bytes.first()) || !edge(bytes.last()) {
        "a label begins and ends with a letter or digit".into()
    } else if ["--", "__", ".."].iter().any(|twice| name.contains(twice)) {
        "a label has no `--`, `__` or `..`".into()
    } else {
        return Ok(());
    };
    Err(Failure::usage(format!("`{name}` cannot be the name of a node: {wrong}"))
        .field("name")
        .hint("choose another name"))
}

pub(crate) fn planned(name: &str, resolved: &Resolved, type_index: usize) -> PlannedNode {
    let r#type = &resolved.types[type_index];
    let price = r#type.price_in(&resolved.region.id);
    PlannedNode {
        name: name.into(),
        region: resolved.region.id.clone(),
        type_id: r#type.id.clone(),
        image: resolved.image.id.clone(),
        hourly: price.hourly,
        monthly: price.monthly,
    }
}

/// What is there before a node is made.
#[derive(Serialize, Deserialize)]
pub(super) struct Look {
    pub(super) resolved: Resolved,
}

#[derive(Serialize)]
pub(super) struct LookNode<'a> {
    pub(super) spec: &'a NodeSpec,
    #[serde(skip)]
    pub(super) toolkit: &'a Toolkit,
}

impl Repeatable for LookNode<'_> {
    const OP: &'static str = "nodes.look";
    const KIND: Kind = Kind::Read;
    type Out = Look;

    async fn perform(&self, _: &StepCx) -> Result<Done<Look>, Failure> {
        let spec = self.spec;
        let types = std::slice::from_ref(&spec.type_id);
        let resolved = resolved(self.toolkit, &spec.region, types, &spec.image).await?;
        if let Some(node) = self.toolkit.inventory().node(self.toolkit.context(), &spec.name)? {
            return Err(name_taken(self.toolkit, &node));
        }
        if let Some(found) = by_label(self.toolkit, &spec.name).await? {
            return Err(label_taken(self.toolkit, &spec.name, &found));
        }
        Ok(Look { resolved }.into())
    }
}

/// The one who pays said yes.
#[derive(Serialize)]
pub(super) struct Confirmed<'a> {
    pub(super) plan: &'a Plan,
    #[serde(skip)]
    pub(super) toolkit: &'a Toolkit,
}

impl Repeatable for Confirmed<'_> {
    const OP: &'static str = "confirm";
    const KIND: Kind = Kind::Write;
    type Out = ();

    async fn perform(&self, _: &StepCx) -> Result<Done<()>, Failure> {
        if self.plan.create.is_empty() {
            return Ok(().into());
        }
        // Asking blocks on the terminal.
        let (plan, toolkit) = (self.plan.clone(), self.toolkit.clone());
        self.toolkit.blocking(move || toolkit.confirm().confirm(&plan)).await??;
        Ok(().into())
    }
}

#[cfg(test)]
mod tests {
    use super::check_name;
    use expect_test::expect;

    #[test]
    fn names_follow_the_rules_of_labels() {
        let check = |name: &str| check_name(name).err().map_or("fine".into(), |e| e.message);
        let long = "a".repeat(65);
        let lines: Vec<_> =
            ["web-1", "ab", &long, "web 1", "-web", "web--1"].iter().map(|name| format!("{}\n", check(name))).collect();
        expect![[r#"
            fine
            `ab` cannot be the name of a node: it has 2 characters, and a label has 3 to 64
            `aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa` cannot be the name of a node: it has 65 characters, and a label has 3 to 64
            `web 1` cannot be the name of a node: a label has letters, digits, `-`, `_` and `.` only
            `-web` cannot be the name of a node: a label begins and ends with a letter or digit
            `web--1` cannot be the name of a node: a label has no `--`, `__` or `..`
        "#]]
        .assert_eq(&lines.concat());
    }
}
