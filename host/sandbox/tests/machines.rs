//! The machines, real ones: each test is named by what a user would notice if it broke.
//!
//! This binary plays the roles itself (`roles::run_if_role`), as the product's does, and serves as ssh's ProxyCommand.
//! Where this computer has neither root nor user namespaces the tests are ignored with the reason, unless
//! LINODETOOL_REQUIRE_ALL=1 says that they must run.

#[path = "machines/boot.rs"]
mod boot;
#[path = "machines/firewalls.rs"]
mod firewalls;
#[path = "machines/first_boot.rs"]
mod first_boot;
#[path = "machines/life.rs"]
mod life;
#[path = "machines/rootfs.rs"]
mod rootfs;
#[path = "machines/rootless.rs"]
mod rootless;
#[path = "machines/ssh.rs"]
mod ssh;
#[path = "machines/support.rs"]
mod support;
#[path = "machines/units.rs"]
mod units;
#[path = "machines/users.rs"]
mod users;

use libtest_mimic::{Arguments, Trial};
use linodetool_sandbox::machines::namespaces::Namespaces;
use std::process::ExitCode;

/// A test: its name and what it needs.
type Case = (&'static str, fn());

fn main() -> ExitCode {
    if let Some(code) = linodetool_sandbox::roles::run_if_role() {
        return ExitCode::from(u8::try_from(code).unwrap_or(1));
    }
    if let Some(code) = support::run_helper() {
        return ExitCode::from(code);
    }
    let mut args = Arguments::from_args();
    // Two cores and real machines: more at once only makes them wait for each other.
    args.test_threads.get_or_insert(4);
    let must = std::env::var_os("LINODETOOL_REQUIRE_ALL").is_some_and(|v| v == "1");
    let why_not = Namespaces::support().err().filter(|_| !must);
    if let Some(why) = &why_not {
        support::say(&format!("ignored: {why}"));
    }
    let groups = [
        boot::CASES,
        users::CASES,
        ssh::CASES,
        first_boot::CASES,
        units::CASES,
        life::CASES,
        firewalls::CASES,
        rootfs::CASES,
        rootless::CASES,
    ];
    let trials = groups.iter().flat_map(|g| g.iter()).map(|(name, run)| {
        let (run, missing) = (*run, support::missing(name).filter(|_| !must));
        if let Some(why) = &missing {
            support::say(&format!("{name} is ignored: {why}"));
        }
        Trial::test(*name, move || {
            run();
            Ok(())
        })
        .with_ignored_flag(why_not.is_some() || missing.is_some())
    });
    let conclusion = libtest_mimic::run(&args, trials.collect());
    support::shut_down();
    conclusion.exit_code()
}
