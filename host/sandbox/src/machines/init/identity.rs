//! Who the machine is: its name and addresses in its own files.
//!
//! Owns: host name, /etc/hosts, /etc/resolv.conf. Does not know other machines: recipes write them into /etc/hosts, and
//! what they wrote stays.

use crate::machines::MachineSpec;
use crate::machines::fail::{Because, Result};
use crate::machines::layer::make_dir;
use crate::machines::rootfs::replace;
use crate::machines::sys;
use std::fs;
use std::path::Path;

/// Where the first boot is remembered, as cloud-init does it.
pub(crate) const INSTANCE: &str = "/var/lib/cloud/instance";

pub(crate) fn is_first_boot() -> bool {
    !Path::new(INSTANCE).join("instance-id").exists()
}

pub(crate) fn apply(spec: &MachineSpec) -> Result<()> {
    make_dir(Path::new("/run/lock"), 0o1777)?;
    // How packages' scripts and others tell that systemd runs here: its folder, the name of pid 1.
    make_dir(Path::new("/run/systemd/system"), 0o755)?;
    fs::write("/proc/self/comm", "systemd").because(|| "cannot name init")?;
    if is_first_boot() {
        set_name(&spec.hostname, spec)?;
        replace("/etc/resolv.conf", "# A sandbox machine reaches nothing outside of the sandbox.\n", 0o644)?;
    }
    let name = fs::read_to_string("/etc/hostname").unwrap_or_default();
    sys::set_host_name(name.trim()).because(|| format!("cannot set the host name {:?}", name.trim()))
}

/// Gives the machine a name, in its files and in the kernel.
pub(crate) fn set_name(name: &str, spec: &MachineSpec) -> Result<()> {
    let name = if name.is_empty() { "localhost" } else { name };
    replace("/etc/hostname", &format!("{name}\n"), 0o644)?;
    let mut hosts = "127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n".to_owned();
    // Not 127.0.1.1: a service that binds to its host's name shall be reached by others.
    if let Some(ip) = spec.private_ip.or(spec.public_ip) {
        let short = name.split('.').next().unwrap_or(name);
        hosts += &if short == name { format!("{ip} {name}\n") } else { format!("{ip} {name} {short}\n") };
    }
    replace("/etc/hosts", &hosts, 0o644)?;
    sys::set_host_name(name).because(|| format!("cannot set the host name {name:?}"))
}
