//! What the first boot of a node does where the provider has no user data: a StackScript gives it the host key that we know
//! beforehand, its name and, where the provider has no firewalls either, one of its own.
//!
//! Owns the script, which is the same for all nodes and kept once in the account, and the answers that make it one node's.
//! They hold a private key and are handled as secrets. Does not know when a node is made.

use std::collections::BTreeMap;

use linodetool_plugin::{CreateStackScript, ListStackScripts, SecretRef, StackScript, Text};
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::core::ids::hex;
use crate::core::{Failure, Secret};
use crate::inventory::{Change, Resource};
use crate::runs::{Done, Kind, StepCx};
use crate::toolkit::node_firewalls::ENABLE;
use crate::toolkit::{Repeatable, Toolkit};

/// The host key comes last: who sees it knows that the rest is done. Names of answers are upper case in the environment.
const SCRIPT: &str = r#"#!/bin/bash
# <UDF name="lt_host_key" label="SSH host key, base64" />
# <UDF name="lt_host_key_pub" label="SSH host key, public half" />
# <UDF name="lt_hostname" label="Host name" />
# <UDF name="lt_firewall" label="Rules for nft, base64; empty: none" default="" />
# Made by linodetool: the first boot of its nodes where there is no user data.
set -eu
umask 077
key=${LT_HOST_KEY:-${lt_host_key:-}}
public=${LT_HOST_KEY_PUB:-${lt_host_key_pub:-}}
name=${LT_HOSTNAME:-${lt_hostname:-}}
rules=${LT_FIREWALL:-${lt_firewall:-}}

hostnamectl set-hostname "$name" 2>/dev/null || { printf '%s\n' "$name" >/etc/hostname; hostname "$name" || true; }
grep -qw -- "$name" /etc/hosts || printf '127.0.1.1 %s\n' "$name" >>/etc/hosts

if [ -n "$rules" ]; then
	mkdir -p /etc/linodetool
	printf '%s' "$rules" | base64 -d >/etc/linodetool/firewall.nft
@ENABLE@fi

if [ -d /etc/ssh/sshd_config.d ]; then
	printf 'PasswordAuthentication no\nPermitRootLogin prohibit-password\n' >/etc/ssh/sshd_config.d/00-linodetool.conf
elif [ -f /etc/ssh/sshd_config ]; then
	sed -i -e '/^[#[:space:]]*PasswordAuthentication/d' -e '/^[#[:space:]]*PermitRootLogin/d' /etc/ssh/sshd_config
	sed -i -e '1iPasswordAuthentication no\nPermitRootLogin prohibit-password' /etc/ssh/sshd_config
fi
cd /etc/ssh
printf '%s' "$key" | base64 -d >.lt-host-key
printf '%s\n' "$public" >ssh_host_ed25519_key.pub
chmod 644 ssh_host_ed25519_key.pub
rm -f ssh_host_rsa_key* ssh_host_ecdsa_key* ssh_host_dsa_key*
mv -f .lt-host-key ssh_host_ed25519_key
systemctl restart ssh 2>/dev/null || systemctl restart sshd 2>/dev/null || service ssh restart 2>/dev/null || true
"#;

fn script() -> String {
    SCRIPT.replace("@ENABLE@", ENABLE)
}

/// Another script has another label: what is in use is never changed.
fn label() -> String {
    format!("linodetool first boot {}", &hex(&Sha256::digest(script()))[..8])
}

/// The script in the account, made if it is not there; its id. Whoever made it: it says what is in it.
#[derive(Serialize)]
pub(crate) struct EnsureScript<'a> {
    pub image: &'a str,
    #[serde(skip)]
    pub toolkit: &'a Toolkit,
}

impl EnsureScript<'_> {
    async fn find(&self) -> Result<Option<String>, Failure> {
        let wanted = ListStackScripts { label: Some(label()) };
        let all = self.toolkit.provider().await?.client.list_stackscripts(&wanted).await?.items;
        let fits = |one: &StackScript| one.images.iter().any(|image| image == self.image || image == "any/all");
        Ok(all.into_iter().find(|one| one.script.trim_end() == script().trim_end() && fits(one)).map(|one| one.id))
    }

    /// It stays in the account for all nodes to come; the inventory says so.
    fn done(&self, cx: &StepCx, id: String, made: bool) -> Result<Done<String>, Failure> {
        let (context, name) = (self.toolkit.context(), label());
        if self.toolkit.inventory().resource(context, "stackscript", &name)?.is_some_and(|row| row.id == id) {
            return Ok(id.into());
        }
        let row = Resource {
            kind: "stackscript".into(),
            name,
            context: context.into(),
            provider: self.toolkit.settings().provider.clone(),
            id: id.clone(),
            created_by_run: if made { cx.run.to_string() } else { String::new() },
            created_ms: cx.now_ms(),
            ..Resource::default()
        };
        Ok(Done { value: id, changes: vec![Change::put_resource(row)] })
    }
}

/// A second one would do no harm.
impl Repeatable for EnsureScript<'_> {
    const OP: &'static str = "stackscripts.ensure";
    const KIND: Kind = Kind::Write;
    type Out = String;

    async fn perform(&self, cx: &StepCx) -> Result<Done<String>, Failure> {
        if let Some(id) = self.find().await? {
            return self.done(cx, id, cx.in_doubt);
        }
        let create = CreateStackScript {
            label: label(),
            description: "The first boot of nodes that linodetool makes".to_owned(),
            images: vec!["any/all".to_owned()],
            script: script(),
            revision_note: cx.tag(),
        };
        match self.toolkit.provider().await?.client.create_stackscript(&create).await {
            Ok(made) => self.done(cx, made.id, true),
            // Its answer may have been lost.
            Err(error) => match self.find().await {
                Ok(Some(id)) => self.done(cx, id, true),
                _ => Err(error.into()),
            },
        }
    }
}

/// What makes the script one node's; the private key goes with its secret's id.
pub(crate) fn answers(hostname: &str, key: SecretRef, public: &str, firewall: Option<&str>) -> BTreeMap<String, Text> {
    let plain = |name: &str, text: String| (name.to_owned(), Text::Plain(text));
    BTreeMap::from([
        ("lt_host_key".to_owned(), Text::Secret(key.base64())),
        plain("lt_host_key_pub", public.to_owned()),
        plain("lt_hostname", hostname.to_owned()),
        plain("lt_firewall", firewall.map(base64).unwrap_or_default()),
    ])
}

fn base64(text: &str) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(text)
}

/// As a file that ends with a line's end, which OpenSSH wants.
pub(crate) fn key_file(private_pem: &Secret<String>) -> Secret<String> {
    Secret::new(format!("{}\n", private_pem.reveal().trim_end()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;

    #[test]
    fn one_label_for_one_text() {
        // Whoever changes the script sees here that nodes get another one from then on.
        expect!["linodetool first boot ab79abff"].assert_eq(&label());
    }

    #[test]
    fn a_private_key_is_answered_by_reference() {
        let answers = answers("web-1", SecretRef::new("k"), "ssh-ed25519 AAAA", Some("table inet t"));
        expect![[r#"
            {
              "lt_firewall": "dGFibGUgaW5ldCB0",
              "lt_host_key": {
                "secret": "k",
                "as": "base64"
              },
              "lt_host_key_pub": "ssh-ed25519 AAAA",
              "lt_hostname": "web-1"
            }"#]]
        .assert_eq(&serde_json::to_string_pretty(&answers).expect("JSON"));
    }
}
