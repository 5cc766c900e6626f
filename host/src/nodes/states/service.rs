//! A service under systemd.

use super::plan::{Plan, State, absolute, digest, name, wish, word};
use crate::nodes::{NodeError, Result};
use linodetool_sandbox::act::Wish;
use serde::{Deserialize, Serialize};

/// A service. Where its unit file or `restart` says that something changed, it is restarted if it runs.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Service {
    /// Its name, with or without `.service`.
    pub name: String,
    /// Content of its unit file, if it is ours.
    pub unit: Option<String>,
    /// Whether it starts at boot.
    pub enabled: Option<bool>,
    /// Whether it runs now.
    pub started: Option<bool>,
    /// Restart it: its configuration changed.
    pub restart: bool,
    /// Where unit files lie.
    pub folder: String,
}

impl Default for Service {
    fn default() -> Self {
        let folder = "/etc/systemd/system".into();
        Self { name: String::new(), unit: None, enabled: None, started: None, restart: false, folder }
    }
}

impl State for Service {
    fn title(&self) -> String {
        format!("service {}", self.name)
    }

    fn wish(&self) -> Wish {
        let yes = |wanted: Option<bool>| wanted.map(|yes| if yes { "yes" } else { "no" }.to_owned());
        let unit = self.unit.as_ref().map(|unit| digest(unit.as_bytes()));
        let settings = [("unit", unit), ("enabled", yes(self.enabled)), ("started", yes(self.started))];
        Wish { restart: self.restart, ..wish("service", &self.name, settings) }
    }

    fn plan(&self) -> Result<Plan> {
        if self.name.is_empty() {
            return Err(NodeError::usage("name", "`name` is missing"));
        }
        let sum = self.unit.as_ref().map(|u| digest(u.as_bytes())).unwrap_or_default();
        let wish = |w: Option<bool>| w.map_or("", |yes| if yes { "yes" } else { "no" });
        let arguments = [
            name("name", Some(&self.name))?,
            absolute("folder", &self.folder)?,
            &sum,
            wish(self.enabled),
            wish(self.started),
            word(self.restart, "restart"),
        ];
        let plan = Plan::new(self.title(), include_str!("sh/service.sh"), &arguments);
        Ok(match &self.unit {
            Some(unit) => plan.stdin(unit.as_bytes()),
            None => plan,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nodes::states::testing::{Here, read};

    fn here() -> Here {
        let here = Here::new();
        here.program(
            "systemctl",
            r#"case $1 in
               is-enabled) test -e enabled ;;
               is-active) test -e active ;;
               *) echo "$*" >>log
                  case $1 in enable) touch enabled ;; start) [ ! -e bad ] && touch active ;; stop) rm active ;; esac ;;
               esac"#,
        );
        here.program("journalctl", "echo it said why");
        here
    }

    #[test]
    fn a_service_is_brought_up_restarted_and_left_alone() {
        let here = here();
        let mut web = Service {
            name: "web".into(),
            unit: Some("[Service]\nExecStart=/bin/true\n".into()),
            enabled: Some(true),
            started: Some(true),
            folder: here.root(),
            ..Service::default()
        };
        assert_eq!(here.apply(&web), "changed: unit created, enabled, started");
        assert_eq!(here.apply(&web), "same: ");
        web.unit = Some("[Service]\nExecStart=/bin/false\n".into());
        assert_eq!(here.apply(&web), "changed: unit content, restarted");
        web.restart = true;
        assert_eq!(here.apply(&web), "changed: restarted");
        web.started = Some(false);
        assert_eq!(here.apply(&web), "changed: stopped");
        expect_test::expect![[r"
            daemon-reload
            enable web
            start web
            daemon-reload
            restart web
            restart web
            stop web
        "]]
        .assert_eq(&read(&here.path("log")));
    }

    #[test]
    fn a_service_that_does_not_start_shows_its_log() {
        let here = here();
        std::fs::write(here.path("bad"), "").unwrap();
        let web = Service { name: "web".into(), started: Some(true), ..Service::default() };
        assert_eq!(
            here.apply(&web),
            "failed: `systemctl start web` failed (the last lines of its log are in the output)"
        );
    }
}
