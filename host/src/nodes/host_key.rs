//! Another host key for a machine. The first one comes with its user data, which can be read on it: it is good for one login.

use super::quote::sh_command;
use super::{ExecOptions, KeyPair, NodeError, Nodes, Result, Target};
use std::time::{Duration, Instant};

/// Puts a host key in place as the only one and has the server read it; connections that are open stay. Argument: folder.
const SCRIPT: &str = r#"
umask 077
cd "$1" || exit 1
IFS= read -r public || exit 1
cat >.lt-host-key || exit 1
sync .lt-host-key 2>/dev/null || sync
mv -f .lt-host-key ssh_host_ed25519_key || exit 1
printf '%s\n' "$public" >ssh_host_ed25519_key.pub && chmod 644 ssh_host_ed25519_key.pub || exit 1
rm -f ssh_host_rsa_key* ssh_host_ecdsa_key* ssh_host_dsa_key*
# The server that listens is an ancestor of this shell, whatever manages it; one that is started anew for each
# connection reads its keys each time.
p=$PPID
while [ "${p:-0}" -gt 1 ]; do
	line=$(tr '\0' ' ' <"/proc/$p/cmdline")
	case $line in
	*sshd*"[listener]"* | /*sshd\ *) kill -HUP "$p"; exit ;;
	esac
	read -r s <"/proc/$p/stat" || exit 0
	s=${s##*) }
	set -- $s
	p=$2
done
exit 0
"#;

impl Nodes {
    /// Replaces the machine's Ed25519 host key and makes sure that it shows the new one. `new` is the target with the new
    /// key's public line as its only host key; store the pair before calling this.
    pub async fn replace_host_key(&self, target: &Target, new: &Target, pair: &KeyPair, folder: &str) -> Result<()> {
        if self.simulation().is_some() {
            return self.connect(new, Duration::ZERO).await;
        }
        let stdin = format!("{}\n{}", pair.public_line, pair.private_pem.reveal());
        let options = ExecOptions {
            stdin: Some(stdin.into_bytes()),
            timeout: Some(Duration::from_secs(60)),
            ..ExecOptions::default()
        };
        let output = self.exec(target, &sh_command(SCRIPT, &[folder]), options).await?;
        if !output.success() {
            return Err(NodeError::command(&target.name, "replace the host key", &output));
        }
        // A server that reads its keys anew may show the old one for a moment.
        let began = Instant::now();
        loop {
            match self.connect(new, Duration::from_secs(10)).await {
                Err(NodeError::HostKey { .. }) if began.elapsed() < Duration::from_secs(10) => {
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
                Err(error) => return Err(error),
                Ok(()) => break,
            }
        }
        self.disconnect(target).await;
        Ok(())
    }
}
