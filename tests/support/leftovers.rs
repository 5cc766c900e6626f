//! What a sandbox may leave on this computer: processes, mounts, network interfaces.
//!
//! Looks at the whole computer, but only for what names the given folder: other sandboxes may run beside.

use std::collections::BTreeSet;
use std::path::Path;

/// Processes that name the folder on their command line or have something of it mounted, and mounts here below it.
pub(crate) fn of(folder: &Path) -> Vec<String> {
    let name = folder.display().to_string();
    let own = std::process::id().to_string();
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc").into_iter().flatten().flatten() {
        let pid = entry.file_name().to_string_lossy().into_owned();
        if pid == own || !pid.bytes().all(|b| b.is_ascii_digit()) {
            continue;
        }
        // What cannot be read has ended meanwhile, or is another user's.
        let read = |file: &str| std::fs::read(entry.path().join(file)).unwrap_or_default();
        let [line, mounts] = ["cmdline", "mountinfo"].map(|file| String::from_utf8_lossy(&read(file)).into_owned());
        if line.contains(&name) || mounts.contains(&name) {
            found.push(format!("process {pid}: {}", line.replace('\0', " ")));
        }
    }
    let mounts = std::fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    found.extend(mounts.lines().filter(|line| line.contains(&name)).map(|line| format!("mount: {line}")));
    found
}

/// Network interfaces of this computer; those of machines live in namespaces of their own and must never be here.
pub(crate) fn interfaces() -> BTreeSet<String> {
    let all = std::fs::read_dir("/sys/class/net").into_iter().flatten().flatten();
    all.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}
