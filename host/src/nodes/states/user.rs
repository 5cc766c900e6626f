//! A user of the system.

use super::plan::{Plan, State, absolute, name, wish, word};
use crate::nodes::{NodeError, Result};
use linodetool_sandbox::act::Wish;
use serde::{Deserialize, Serialize};

/// A user. Groups are added, never taken away.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct User {
    /// Its name.
    pub name: String,
    /// A user for a service: a low number, and no home unless `home` is given.
    pub system: bool,
    /// Its number, if it matters.
    pub uid: Option<u32>,
    /// Its home, made with it.
    pub home: Option<String>,
    /// Its login shell.
    pub shell: Option<String>,
    /// Groups it belongs to, made if they do not exist.
    pub groups: Vec<String>,
}

impl State for User {
    fn title(&self) -> String {
        format!("user {}", self.name)
    }

    fn wish(&self) -> Wish {
        let groups = self.groups.iter().map(|group| (group.as_str(), Some("member".to_owned())));
        let settings =
            [("uid", self.uid.map(|uid| uid.to_string())), ("home", self.home.clone()), ("shell", self.shell.clone())];
        wish("user", &self.name, settings.into_iter().chain(groups))
    }

    fn plan(&self) -> Result<Plan> {
        if self.name.is_empty() {
            return Err(NodeError::usage("name", "`name` is missing"));
        }
        let uid = self.uid.map(|u| u.to_string()).unwrap_or_default();
        let home = self.home.as_deref().map_or(Ok(""), |h| absolute("home", h))?;
        let shell = self.shell.as_deref().map_or(Ok(""), |s| absolute("shell", s))?;
        let make = word(!self.system || self.home.is_some(), "home");
        let mut arguments = vec![name("name", Some(&self.name))?, word(self.system, "system"), &uid, home, shell, make];
        for group in &self.groups {
            arguments.push(name("groups", Some(group))?);
        }
        Ok(Plan::new(self.title(), include_str!("sh/user.sh"), &arguments))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nodes::states::testing::{Here, read};

    /// A made-up user database.
    fn here() -> Here {
        let here = Here::new();
        std::fs::write(here.path("passwd"), "root:x:0:0::/root:/bin/bash\n").unwrap();
        std::fs::write(here.path("group"), "adm:x:4:\n").unwrap();
        std::fs::write(here.path("groups-of"), "").unwrap();
        here.program("getent", r#"grep "^$2:" "$1""#);
        here.program("groupadd", r#"echo "groupadd $*" >>log; echo "$1:x:9:" >>group"#);
        here.program(
            "useradd",
            r#"echo "useradd $*" >>log; for n; do :; done; echo "$n:x:7:7::/srv/x:/bin/sh" >>passwd"#,
        );
        here.program(
            "usermod",
            r#"echo "usermod $*" >>log
               case $1 in -aG) echo "$2" >>groups-of ;; -d) sed -i "s|^$3:.*|$3:x:7:7::$2:/bin/sh|" passwd ;; esac"#,
        );
        here.program("id", "tr '\\n' ' ' <groups-of");
        here
    }

    #[test]
    fn a_user_is_made_once_with_its_groups() {
        let here = here();
        let hdfs = User {
            name: "hdfs".into(),
            system: true,
            home: Some("/srv/x".into()),
            groups: vec!["hadoop".into(), "adm".into()],
            ..User::default()
        };
        assert_eq!(here.apply(&hdfs), "changed: group hadoop made, created, group hadoop, group adm");
        assert_eq!(here.apply(&hdfs), "same: ");
        expect_test::expect![[r"
            groupadd hadoop
            useradd -r -d /srv/x -m -- hdfs
            usermod -aG hadoop hdfs
            usermod -aG adm hdfs
        "]]
        .assert_eq(&read(&here.path("log")));
    }

    #[test]
    fn a_machine_with_one_user_says_so() {
        let here = here();
        // What the kernel says of a user namespace with one number.
        here.program("tr", "echo ' 0 1003 1'");
        let hdfs = User { name: "hdfs".into(), groups: vec!["hadoop".into()], ..User::default() };
        expect_test::expect!["failed: it cannot be made, since root is the only user that this machine can have (on the computer that runs the sandbox: install newuidmap (Debian: apt-get install uidmap), give your user a line in /etc/subuid and in /etc/subgid, then `linodetool sandbox stop` and run this again)"]
            .assert_eq(&here.apply(&hdfs));
        assert!(!std::fs::exists(here.path("log")).unwrap());
        // Who is there already can be looked after.
        let root = User { name: "root".into(), ..User::default() };
        assert_eq!(here.apply(&root), "same: ");
    }

    #[test]
    fn what_differs_is_changed_but_not_the_number() {
        let here = here();
        let mut user = User { name: "app".into(), ..User::default() };
        assert_eq!(here.apply(&user), "changed: created");
        user.home = Some("/srv/y".into());
        assert_eq!(here.apply(&user), "changed: home /srv/y");
        user.uid = Some(1234);
        assert_eq!(
            here.apply(&user),
            "failed: it exists with another number (remove it or leave `uid` out: its files would belong to nobody)"
        );
    }
}
