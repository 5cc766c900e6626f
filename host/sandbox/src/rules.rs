//! Rules of the cloud that hold whichever API is used: labels, keys, passwords.
//!
//! Owns: what is wrong with one. Does not know how an API says so.

/// What is wrong with a label of a Linode or a firewall, if anything is.
pub(crate) fn label_problem(label: &str, least: usize, most: usize) -> Option<String> {
    if !(least..=most).contains(&label.chars().count()) {
        return Some(format!("Must be {least}-{most} characters"));
    }
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if !label.chars().all(allowed) {
        return Some("Must only use ASCII letters, numbers, underscores, dashes, and periods".to_owned());
    }
    let edge = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    if !edge(label.chars().next()) || !edge(label.chars().next_back()) {
        return Some("Must begin and end with a letter or number".to_owned());
    }
    let double = ["--", "__", ".."].into_iter().find(|double| label.contains(double));
    double.map(|double| format!("Must not have {double} in it"))
}

/// Whether a line is a public key as `authorized_keys` wants it. Its numbers are not checked.
pub(crate) fn is_public_key(line: &str) -> bool {
    let mut words = line.split_whitespace();
    let (Some(kind), Some(blob)) = (words.next(), words.next()) else { return false };
    let known = kind.starts_with("ecdsa-sha2-nistp")
        || matches!(
            kind,
            "ssh-rsa" | "ssh-dss" | "ssh-ed25519" | "sk-ssh-ed25519@openssh.com" | "sk-ecdsa-sha2-nistp256@openssh.com"
        );
    known
        && !line.trim().contains(['\n', '\r'])
        && blob.len() >= 16
        && blob.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'='))
}

/// What is wrong with a root password, if anything is. The API weighs it by a score it does not publish; here letters,
/// digits and the rest count.
pub(crate) fn password_problem(password: &str) -> Option<&'static str> {
    if !(7..=128).contains(&password.chars().count()) {
        return Some("Must be 7-128 characters");
    }
    let kinds: [fn(&char) -> bool; 4] =
        [|c| c.is_lowercase(), |c| c.is_uppercase(), |c| c.is_ascii_digit(), |c| !c.is_alphanumeric()];
    let present = kinds.into_iter().filter(|kind| password.chars().any(|c| kind(&c))).count();
    (present < 2).then_some("Password does not meet strength requirement")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels() {
        let problem = |label: &str| label_problem(label, 3, 64).unwrap_or_default();
        for good in ["abc", "web-1", "1.a_b-c", "A.b.C-9", &"x".repeat(64)] {
            assert_eq!(problem(good), "", "{good}");
        }
        assert_eq!(problem("ab"), "Must be 3-64 characters");
        assert_eq!(problem(&"x".repeat(65)), "Must be 3-64 characters");
        assert_eq!(problem("web 1"), "Must only use ASCII letters, numbers, underscores, dashes, and periods");
        assert_eq!(problem("wéb"), "Must only use ASCII letters, numbers, underscores, dashes, and periods");
        assert_eq!(problem("web-"), "Must begin and end with a letter or number");
        assert_eq!(problem("_web"), "Must begin and end with a letter or number");
        assert_eq!(problem("we--b"), "Must not have -- in it");
        assert_eq!(problem("we..b"), "Must not have .. in it");
    }

    #[test]
    fn keys_and_passwords() {
        assert!(is_public_key("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBg me@here"));
        assert!(is_public_key("ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTY="));
        assert!(!is_public_key("ssh-ed25519"));
        assert!(!is_public_key("-----BEGIN OPENSSH PRIVATE KEY-----"));
        assert!(!is_public_key("ssh-rsa not!base64!at!all"));
        assert!(!is_public_key("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBg\nssh-rsa AAAAB3NzaC1yc2EAAAADAQAB"));
        assert_eq!(password_problem("short1"), Some("Must be 7-128 characters"));
        assert_eq!(password_problem("passwordpassword"), Some("Password does not meet strength requirement"));
        assert_eq!(password_problem("thisIsYourRootPassword"), None);
    }
}
