//! User data for cloud-init: how a new node gets the SSH host key that we know beforehand.
//!
//! Does not know providers; what it returns holds a private key and is handled as a secret.

use crate::core::Secret;
use serde_json::json;

/// A `#cloud-config` document that gives the node its host key, lets root in by key only, and makes no other host keys.
///
/// JSON is YAML, so no quoting rules apply but JSON's. Keys of the document: cloud-init's reference, modules `cc_ssh` and `cc_set_hostname`.
pub fn user_data(hostname: &str, host_private_pem: &Secret<String>, host_public: &str) -> Secret<String> {
    let config = json!({
        "hostname": hostname,
        "preserve_hostname": false,
        "disable_root": false,
        "ssh_pwauth": false,
        "ssh_deletekeys": true,
        "ssh_genkeytypes": ["ed25519"],
        "ssh_keys": { "ed25519_private": host_private_pem.reveal(), "ed25519_public": host_public },
    });
    Secret::new(format!("#cloud-config\n{config:#}\n"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;

    #[test]
    fn gives_the_host_key_and_nothing_else() {
        let text = user_data("web-1", &Secret::new("PRIVATE\n".into()), "ssh-ed25519 AAAA");
        expect![[r##"
            #cloud-config
            {
              "disable_root": false,
              "hostname": "web-1",
              "preserve_hostname": false,
              "ssh_deletekeys": true,
              "ssh_genkeytypes": [
                "ed25519"
              ],
              "ssh_keys": {
                "ed25519_private": "PRIVATE\n",
                "ed25519_public": "ssh-ed25519 AAAA"
              },
              "ssh_pwauth": false
            }
        "##]]
        .assert_eq(text.reveal());
    }
}
