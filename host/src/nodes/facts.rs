//! What a machine is, asked in one round trip.

use super::quote::sh_command;
use super::{ExecOptions, NodeError, Nodes, Result, Target};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

const SCRIPT: &str = r#"
[ ! -r /etc/os-release ] || . /etc/os-release
printf 'os=%s\nos_version=%s\n' "${ID:-}" "${VERSION_ID:-}"
printf 'arch=%s\nkernel=%s\nhostname=%s\n' "$(uname -m)" "$(uname -r)" "$(uname -n)"
printf 'cpus=%s\n' "$(nproc 2>/dev/null || grep -c '^processor' /proc/cpuinfo)"
while read -r key value unit; do
	[ "$key" != MemTotal: ] || printf 'memory_kb=%s\n' "$value"
done </proc/meminfo
df -Pk / | { read -r _; read -r _ size _ free _; printf 'disk_kb=%s\ndisk_free_kb=%s\n' "$size" "$free"; }
read -r boot </proc/sys/kernel/random/boot_id && printf 'boot_id=%s\n' "$boot"
"#;

/// Facts of a machine.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// `debian`, `ubuntu`, `fedora`, ...
    pub os: String,
    pub os_version: String,
    /// `x86_64`, `aarch64`
    pub arch: String,
    pub kernel: String,
    pub hostname: String,
    pub cpus: u32,
    pub memory_mb: u64,
    /// Of the root file system.
    pub disk_mb: u64,
    pub disk_free_mb: u64,
    /// Another one after each boot.
    pub boot_id: String,
}

impl Nodes {
    /// Asks a machine what it is.
    pub async fn facts(&self, target: &Target) -> Result<Facts> {
        if let Some(simulation) = self.simulation() {
            return simulation.facts(target).await;
        }
        let output = self.exec(target, &sh_command(SCRIPT, &[]), ExecOptions::default()).await?;
        if !output.success() {
            return Err(NodeError::command(&target.name, "gather facts", &output));
        }
        Ok(parse(&output.stdout_text()))
    }
}

fn parse(text: &str) -> Facts {
    let told: HashMap<_, _> = text.lines().filter_map(|line| line.split_once('=')).collect();
    let word = |key: &str| told.get(key).map(|v| (*v).to_owned()).unwrap_or_default();
    let mb = |key: &str| told.get(key).and_then(|v| v.parse::<u64>().ok()).unwrap_or_default() / 1024;
    Facts {
        os: word("os"),
        os_version: word("os_version"),
        arch: word("arch"),
        kernel: word("kernel"),
        hostname: word("hostname"),
        cpus: word("cpus").parse().unwrap_or_default(),
        memory_mb: mb("memory_kb"),
        disk_mb: mb("disk_kb"),
        disk_free_mb: mb("disk_free_kb"),
        boot_id: word("boot_id"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_are_read() {
        let facts = parse("os=debian\nos_version=12\narch=x86_64\ncpus=2\nmemory_kb=4194304\ndisk_free_kb=x\n");
        assert_eq!((facts.os.as_str(), facts.cpus, facts.memory_mb, facts.disk_free_mb), ("debian", 2, 4096, 0));
    }

    #[test]
    fn the_script_works_here() {
        let output = std::process::Command::new("sh").args(["-c", SCRIPT]).output().unwrap();
        let facts = parse(&String::from_utf8(output.stdout).unwrap());
        assert!(facts.cpus > 0 && facts.memory_mb > 0 && facts.disk_mb > 0 && facts.boot_id.len() == 36, "{facts:?}");
    }
}
