//! The part of `#cloud-config` that machines understand.
//!
//! Owns: reading it, leniently: what is unknown is ignored, as cloud-init does. Does not carry it out.

use serde::Deserialize;
use serde_yaml_ng::Value;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct CloudConfig {
    pub(crate) hostname: Option<String>,
    pub(crate) fqdn: Option<String>,
    pub(crate) ssh_keys: HostKeys,
    pub(crate) ssh_authorized_keys: Vec<String>,
    pub(crate) users: Vec<Value>,
    pub(crate) write_files: Vec<WriteFile>,
    pub(crate) runcmd: Vec<Value>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct HostKeys {
    pub(crate) ed25519_private: Option<String>,
    pub(crate) ed25519_public: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct WriteFile {
    pub(crate) path: String,
    pub(crate) content: String,
    pub(crate) encoding: Option<String>,
    pub(crate) permissions: Option<Value>,
    pub(crate) owner: Option<String>,
    pub(crate) append: bool,
}

/// One of `users`, with its lists as lists.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct NewUser {
    pub(crate) name: String,
    #[serde(deserialize_with = "list")]
    pub(crate) groups: Vec<String>,
    pub(crate) shell: Option<String>,
    pub(crate) homedir: Option<String>,
    #[serde(deserialize_with = "list")]
    pub(crate) ssh_authorized_keys: Vec<String>,
    pub(crate) system: bool,
}

/// A list, or text with commas.
fn list<'de, D: serde::Deserializer<'de>>(d: D) -> Result<Vec<String>, D::Error> {
    Ok(match Value::deserialize(d)? {
        Value::Sequence(all) => all.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        Value::String(s) => s.split(',').map(|w| w.trim().to_owned()).filter(|w| !w.is_empty()).collect(),
        _ => Vec::new(),
    })
}

/// What user data is.
#[derive(Debug)]
pub(crate) enum UserData {
    Config(Box<CloudConfig>),
    Script(Vec<u8>),
    /// Not understood; why.
    Unknown(String),
}

impl UserData {
    pub(crate) fn read(data: &[u8]) -> Self {
        if data.starts_with(b"#!") {
            return Self::Script(data.to_vec());
        }
        let Ok(text) = std::str::from_utf8(data) else {
            return Self::Unknown("user data is neither text nor a script".to_owned());
        };
        if !text.trim_start().starts_with("#cloud-config") {
            return Self::Unknown(
                "user data begins with neither #cloud-config nor #!; sandbox machines understand these two".to_owned(),
            );
        }
        match serde_yaml_ng::from_str::<Option<CloudConfig>>(text) {
            Ok(c) => Self::Config(Box::new(c.unwrap_or_default())),
            Err(e) => Self::Unknown(format!("user data is not a valid cloud-config: {e}")),
        }
    }
}

impl CloudConfig {
    /// The users to make; `default` is root, who is there. Second: what could not be read.
    pub(crate) fn new_users(&self) -> (Vec<NewUser>, Vec<String>) {
        let (mut users, mut errors) = (Vec::new(), Vec::new());
        for u in &self.users {
            match u {
                Value::String(s) if s == "default" => {}
                Value::String(s) => users.push(NewUser { name: s.clone(), ..Default::default() }),
                other => match serde_yaml_ng::from_value::<NewUser>(other.clone()) {
                    Ok(u) if !u.name.is_empty() => users.push(u),
                    Ok(_) => errors.push("a user has no name".to_owned()),
                    Err(e) => errors.push(format!("a user cannot be read: {e}")),
                },
            }
        }
        (users, errors)
    }

    /// `runcmd` as one script: a failing command does not stop the next.
    pub(crate) fn script(&self) -> Option<String> {
        if self.runcmd.is_empty() {
            return None;
        }
        let word = |v: &Value| match v {
            Value::String(s) => s.clone(),
            Value::Number(n) => n.to_string(),
            Value::Bool(b) => b.to_string(),
            _ => String::new(),
        };
        let quoted = |v: &Value| format!("'{}'", word(v).replace('\'', r"'\''"));
        let line = |v: &Value| match v {
            Value::Sequence(words) => words.iter().map(quoted).collect::<Vec<_>>().join(" "),
            other => word(other),
        };
        Some(self.runcmd.iter().fold("#!/bin/sh\n".to_owned(), |s, v| s + &line(v) + "\n"))
    }
}

impl WriteFile {
    pub(crate) fn bytes(&self) -> Result<Vec<u8>, String> {
        use base64::Engine as _;
        match self.encoding.as_deref().unwrap_or("text/plain") {
            "text/plain" => Ok(self.content.clone().into_bytes()),
            "b64" | "base64" => {
                let text: String = self.content.split_whitespace().collect();
                base64::engine::general_purpose::STANDARD
                    .decode(text)
                    .map_err(|e| format!("{} is not base64: {e}", self.path))
            }
            other => Err(format!("{} has the encoding {other}, which sandbox machines do not know", self.path)),
        }
    }

    /// In YAML `0644` is octal and `'0644'` text; both mean the same.
    pub(crate) fn mode(&self) -> Result<u32, String> {
        match &self.permissions {
            None => Ok(0o644),
            Some(Value::Number(n)) => n
                .as_u64()
                .and_then(|n| u32::try_from(n).ok())
                .ok_or(format!("{}: the permissions {n} are no mode", self.path)),
            Some(Value::String(s)) => u32::from_str_radix(s.trim_start_matches("0o"), 8)
                .map_err(|_| format!("{}: the permissions {s:?} are not octal digits", self.path)),
            Some(_) => Err(format!("{}: the permissions are neither text nor a number", self.path)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;

    fn config(text: &str) -> CloudConfig {
        match UserData::read(text.as_bytes()) {
            UserData::Config(c) => *c,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn users_and_commands() {
        let c = config(
            "#cloud-config\nusers:\n  - default\n  - name: hdfs\n    groups: hadoop, sudo\n    sudo: ALL=(ALL) NOPASSWD:ALL\n    \
             ssh_authorized_keys: [ssh-ed25519 AAAA a]\n    system: true\n  - {groups: [x]}\nruncmd:\n  - echo 'a b' > /x\n  - [touch, \"it's\", 5]\n",
        );
        let (users, errors) = c.new_users();
        expect![[r#"[NewUser { name: "hdfs", groups: ["hadoop", "sudo"], shell: None, homedir: None, ssh_authorized_keys: ["ssh-ed25519 AAAA a"], system: true }]"#]]
            .assert_eq(&format!("{users:?}"));
        assert_eq!(errors, ["a user has no name"]);
        expect![[r#"
            #!/bin/sh
            echo 'a b' > /x
            'touch' 'it'\''s' '5'
        "#]]
        .assert_eq(&c.script().expect("a script"));
    }

    #[test]
    fn files() {
        let c = config(
            "#cloud-config\nwrite_files:\n- {path: /a, content: aGk=, encoding: b64, permissions: '0600'}\n- {path: /b, content: x, permissions: 0o640}\n\
             - {path: /c, content: x, encoding: gzip, permissions: rw}\n",
        );
        let seen: Vec<_> = c.write_files.iter().map(|f| (f.bytes(), f.mode())).collect();
        expect![[r#"
            [(Ok([104, 105]), Ok(384)), (Ok([120]), Ok(416)), (Err("/c has the encoding gzip, which sandbox machines do not know"), Err("/c: the permissions \"rw\" are not octal digits"))]"#]]
        .assert_eq(&format!("{seen:?}"));
    }

    #[test]
    fn what_is_no_cloud_config() {
        assert!(matches!(UserData::read(b"#!/bin/bash\ntrue"), UserData::Script(_)));
        assert!(matches!(UserData::read(b"#cloud-config\n"), UserData::Config(_)));
        assert!(matches!(UserData::read(b"\x1f\x8b"), UserData::Unknown(_)));
        assert!(matches!(UserData::read(b"hello"), UserData::Unknown(_)));
        assert!(matches!(UserData::read(b"#cloud-config\nruncmd: 5"), UserData::Unknown(_)));
    }
}
