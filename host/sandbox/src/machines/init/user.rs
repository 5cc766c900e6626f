//! The machine's accounts, read from its files without NSS: pid 1 should not load what the machine configures.
//!
//! Owns: /etc/passwd and /etc/group as read. Does not change them.

use crate::machines::sys::Identity;
use std::fs;
use std::process::Command;

pub(crate) const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Someone of /etc/passwd.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct User {
    pub(crate) name: String,
    pub(crate) uid: u32,
    pub(crate) gid: u32,
    pub(crate) groups: Vec<u32>,
    pub(crate) home: String,
    pub(crate) shell: String,
}

impl User {
    /// By name or, as units may have it, by number.
    pub(crate) fn find(name: &str) -> Option<Self> {
        Self::parse(
            name,
            &fs::read_to_string("/etc/passwd").ok()?,
            &fs::read_to_string("/etc/group").unwrap_or_default(),
        )
    }

    fn parse(name: &str, passwd: &str, group: &str) -> Option<Self> {
        let mut lines = passwd.lines().map(|l| l.split(':').collect::<Vec<_>>()).filter(|f| f.len() > 6);
        let f = lines.find(|f| f[0] == name || f[2] == name)?;
        let gid = f[3].parse().ok()?;
        let mut groups = vec![gid];
        for l in group.lines() {
            if let [_, _, id, members] = l.split(':').collect::<Vec<_>>()[..]
                && members.split(',').any(|m| m == f[0])
            {
                groups.extend(id.parse::<u32>().ok());
            }
        }
        let shell = if f[6].is_empty() { "/bin/sh" } else { f[6] };
        Some(Self { name: f[0].into(), uid: f[2].parse().ok()?, gid, groups, home: f[5].into(), shell: shell.into() })
    }

    /// The number of a group, by name or number.
    pub(crate) fn group(name: &str) -> Option<u32> {
        let text = fs::read_to_string("/etc/group").ok()?;
        let line =
            text.lines().map(|l| l.split(':').collect::<Vec<_>>()).find(|f| f[0] == name || f.get(2) == Some(&name))?;
        line.get(2)?.parse().ok()
    }

    /// A clean environment, as a login has.
    pub(crate) fn environment(&self, cmd: &mut Command) {
        cmd.env_clear().env("PATH", PATH).env("USER", &self.name).env("LOGNAME", &self.name);
        cmd.env("HOME", &self.home).env("SHELL", &self.shell);
    }

    /// What a process of theirs runs as.
    pub(crate) fn identity(&self, folder: &str) -> Identity {
        let (uid, gid, groups, folder) = (self.uid, self.gid, self.groups.clone(), folder.to_owned());
        Identity { uid, gid, groups, folder, ..Default::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_groups_and_a_default_shell() {
        let passwd = "root:x:0:0:root:/root:/bin/bash\nhdfs:x:1001:1002::/home/hdfs:\n";
        let group = "root:x:0:\nhdfs:x:1002:\nhadoop:x:1003:yarn,hdfs\n";
        let u = User::parse("hdfs", passwd, group).expect("there");
        assert_eq!((u.uid, u.gid, u.groups, u.shell.as_str()), (1001, 1002, vec![1002, 1003], "/bin/sh"));
        assert_eq!(User::parse("1001", passwd, group).expect("by number").name, "hdfs");
        assert_eq!(User::parse("nobody", passwd, group), None);
    }
}
