//! The secret store: one encrypted file for the secrets that people set in a context, one for each that we generate.
//!
//! Encrypted with age to an identity that lies beside them with mode 0600: whoever may read the state directory may read
//! the secrets, but a copy of a single file, or of a backup without the identity, tells nothing.

use super::files::{self, FileError, FileLock};
use crate::core::failure::near_names;
use crate::core::{Clock, Failure, FailureKind, Secret};
use age::secrecy::ExposeSecret;
use age::x25519::Identity;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Names of what we generate begin with this; people cannot set them.
pub const GENERATED: &str = "generated/";

/// File of the identity that all contexts share.
const IDENTITY: &str = "identity";

/// Writes at once: a disk makes many small files durable in the time of one, and does nothing else meanwhile.
const WRITERS: usize = 32;

/// The secrets of one context. Cheap to open; every call reads or writes the files, under a lock shared by all processes.
#[derive(Clone)]
pub struct SecretStore {
    folder: PathBuf,
    context: String,
    clock: Arc<dyn Clock>,
    /// What is generated, where it is for nothing that outlives this process.
    passing: Option<Passing>,
    otherwise: Option<Otherwise>,
}

/// Generated secrets, by name, that no file has: for what is only rehearsed. Clones are the same.
#[derive(Clone, Default)]
pub struct Passing(Arc<Mutex<BTreeMap<String, Secret<String>>>>);

impl Passing {
    fn all(&self) -> MutexGuard<'_, BTreeMap<String, Secret<String>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Who else is asked for a secret of the user's.
pub type Otherwise = Arc<dyn Fn(&str) -> Option<Secret<String>> + Send + Sync>;

/// A secret without its value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SecretInfo {
    pub name: String,
    pub set_ms: u64,
}

/// The secret store cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    #[error("the secret store cannot be used: {0}")]
    File(#[from] FileError),
    #[error("`{name}` cannot name a {what}: {why}")]
    Name { what: &'static str, name: String, why: &'static str },
    #[error("{path} cannot be decrypted with the identity in {identity}: {why}", path = path.display(), identity = identity.display())]
    Decrypt { path: PathBuf, identity: PathBuf, why: String },
    #[error("{path} cannot be encrypted: {why}", path = path.display())]
    Encrypt { path: PathBuf, why: String },
    #[error("{path} is no age identity: {why}", path = path.display())]
    Identity { path: PathBuf, why: String },
    #[error("{path} cannot be understood: {source}", path = path.display())]
    Content { path: PathBuf, source: serde_json::Error },
}

impl From<SecretError> for Failure {
    fn from(error: SecretError) -> Self {
        let message = error.to_string();
        match error {
            SecretError::File(file) => Self::new(FailureKind::State, message).hint(file.hint()),
            SecretError::Name { .. } => {
                Self::usage(message).hint("use letters, digits, `.`, `_` and `-`, in parts joined by `/`")
            }
            SecretError::Decrypt { identity, .. } | SecretError::Identity { path: identity, .. } => Self::new(
                FailureKind::State,
                message,
            )
            .hint(format!("was {} replaced? put the old one back, or set the secrets again", identity.display())),
            SecretError::Encrypt { .. } | SecretError::Content { .. } => Self::new(FailureKind::State, message),
        }
    }
}

/// What one encrypted file holds.
#[derive(Default, Serialize, Deserialize)]
struct Content {
    secrets: BTreeMap<String, Kept>,
}

#[derive(Serialize, Deserialize)]
struct Kept {
    value: String,
    set_ms: u64,
}

impl SecretStore {
    /// Of a context such as `default/default`, below the state directory. Nothing is made yet.
    pub fn open(state: &Path, context: &str, clock: Arc<dyn Clock>) -> Result<Self, SecretError> {
        check_name("context", context)?;
        Ok(Self { folder: state.join("secrets"), context: context.to_owned(), clock, passing: None, otherwise: None })
    }

    /// What is generated from now on is kept in memory alone.
    #[must_use]
    pub fn passing(self, passing: Passing) -> Self {
        Self { passing: Some(passing), ..self }
    }

    /// Where a secret of the user's is expected and not here, this is asked for it.
    #[must_use]
    pub fn or_else(self, otherwise: Otherwise) -> Self {
        Self { otherwise: Some(otherwise), ..self }
    }

    /// Sets or replaces a secret; durable when this returns.
    pub fn set(&self, name: &str, value: &Secret<String>) -> Result<(), SecretError> {
        check_name("secret", name)?;
        if name.starts_with(GENERATED) {
            let why = "names that begin with `generated/` are kept for what linodetool makes itself";
            return Err(SecretError::Name { what: "secret", name: name.to_owned(), why });
        }
        let _lock = self.lock()?;
        let path = self.path();
        let mut content = self.read(&path)?;
        let kept = Kept { value: value.reveal().clone(), set_ms: self.clock.now_ms() };
        content.secrets.insert(name.to_owned(), kept);
        self.write(&path, &content)
    }

    /// Gives the generated secret of this name, made now if there is none. Durable when this returns, so that it may be
    /// used; asked twice, also by two processes, it gives the same value.
    pub fn generate(
        &self,
        name: &str,
        make: impl FnOnce() -> Result<String, Failure>,
    ) -> Result<Secret<String>, Failure> {
        let _lock = self.lock()?;
        self.generate_locked(name, make)
    }

    /// The same for many names, in their order: under one lock, and with writes that wait for the disk together.
    pub fn generate_all(
        &self,
        names: &[String],
        make: impl Fn(&str) -> Result<String, Failure> + Sync,
    ) -> Result<Vec<Secret<String>>, Failure> {
        let _lock = self.lock()?;
        let part = names.len().div_ceil(WRITERS).max(1);
        let one = |name: &String| self.generate_locked(name, || make(name));
        let all = &|names: &[String]| names.iter().map(one).collect::<Result<Vec<_>, Failure>>();
        std::thread::scope(|scope| {
            let parts: Vec<_> = names.chunks(part).map(|names| scope.spawn(move || all(names))).collect();
            let mut secrets = Vec::with_capacity(names.len());
            for part in parts {
                secrets.extend(part.join().map_err(|_| Failure::internal("a thread that makes secrets panicked"))??);
            }
            Ok(secrets)
        })
    }

    fn generate_locked(
        &self,
        name: &str,
        make: impl FnOnce() -> Result<String, Failure>,
    ) -> Result<Secret<String>, Failure> {
        let name = format!("{GENERATED}{}", name.strip_prefix(GENERATED).unwrap_or(name));
        check_name("secret", &name)?;
        if let Some(there) = self.get(&name)? {
            return Ok(there);
        }
        let secret = Secret::new(make()?);
        self.keep_generated(&name, &secret)?;
        Ok(secret)
    }

    /// Replaces a generated secret, as when a host's key is changed at the first login. Durable when this returns.
    pub fn replace_generated(&self, name: &str, value: &Secret<String>) -> Result<(), SecretError> {
        let name = format!("{GENERATED}{}", name.strip_prefix(GENERATED).unwrap_or(name));
        check_name("secret", &name)?;
        let _lock = self.lock()?;
        self.keep_generated(&name, value)
    }

    fn keep_generated(&self, name: &str, value: &Secret<String>) -> Result<(), SecretError> {
        if let Some(passing) = &self.passing {
            passing.all().insert(name.to_owned(), value.clone());
            return Ok(());
        }
        let mut content = Content::default();
        content.secrets.insert(name.to_owned(), Kept { value: value.reveal().clone(), set_ms: self.clock.now_ms() });
        self.write(&self.generated_path(name), &content)
    }

    /// The secret of this name, set or generated.
    pub fn get(&self, name: &str) -> Result<Option<Secret<String>>, SecretError> {
        check_name("secret", name)?;
        let is_generated = name.starts_with(GENERATED);
        if let Some(secret) = self.passing.as_ref().filter(|_| is_generated).and_then(|p| p.all().get(name).cloned()) {
            return Ok(Some(secret));
        }
        let path = if is_generated { self.generated_path(name) } else { self.path() };
        let mut content = self.read(&path)?;
        Ok(content.secrets.remove(name).map(|kept| Secret::new(kept.value)))
    }

    /// The secret, or a failure that names near ones.
    pub fn expect(&self, name: &str) -> Result<Secret<String>, Failure> {
        if let Some(secret) = self.get(name)? {
            return Ok(secret);
        }
        if let Some(secret) = self.otherwise.as_ref().filter(|_| !name.starts_with(GENERATED)).and_then(|ask| ask(name))
        {
            return Ok(secret);
        }
        let known = self.list()?;
        let failure = Failure::not_found(format!("no secret is named `{name}` in the context {}", self.context))
            .hint(format!("set it with `linodetool secret set {name}`"));
        let names = known.iter().map(|info| info.name.as_str());
        Err(if near_names(name, names.clone()).is_empty() { failure } else { failure.near(name, names) })
    }

    /// What people have set, by name.
    pub fn list(&self) -> Result<Vec<SecretInfo>, SecretError> {
        let content = self.read(&self.path())?;
        let infos = content.secrets.into_iter();
        Ok(infos.map(|(name, kept)| SecretInfo { name, set_ms: kept.set_ms }).collect())
    }

    /// Names of what was generated.
    pub fn list_generated(&self) -> Result<Vec<String>, SecretError> {
        let folder = self.generated_folder();
        let entries = match std::fs::read_dir(&folder) {
            Ok(entries) => Some(entries),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            Err(error) => return Err(files::while_trying("read the folder", &folder)(error).into()),
        };
        let mut names: Vec<_> = entries
            .into_iter()
            .flatten()
            .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
            .filter_map(|file| Some(format!("{GENERATED}{}", file.strip_suffix(".age")?.replace('+', "/"))))
            .collect();
        names.extend(self.passing.iter().flat_map(|passing| passing.all().keys().cloned().collect::<Vec<_>>()));
        names.sort();
        names.dedup();
        Ok(names)
    }

    /// Forgets a secret; `false` if there was none.
    pub fn remove(&self, name: &str) -> Result<bool, SecretError> {
        check_name("secret", name)?;
        let _lock = self.lock()?;
        if name.starts_with(GENERATED) {
            let passed = self.passing.as_ref().is_some_and(|passing| passing.all().remove(name).is_some());
            let path = self.generated_path(name);
            return match std::fs::remove_file(&path) {
                Ok(()) => Ok(true),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(passed),
                Err(error) => Err(files::while_trying("remove", &path)(error).into()),
            };
        }
        let path = self.path();
        let mut content = self.read(&path)?;
        let was_there = content.secrets.remove(name).is_some();
        if was_there {
            self.write(&path, &content)?;
        }
        Ok(was_there)
    }

    /// Copies what people have set, in all contexts, to another state directory. What was generated belongs to nodes and
    /// stays behind. Makes nothing if nothing was set.
    pub fn copy_set(from: &Path, to: &Path) -> Result<(), SecretError> {
        let (from, to) = (from.join("secrets"), to.join("secrets"));
        let entries = match std::fs::read_dir(&from) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(files::while_trying("read the folder", &from)(error).into()),
        };
        let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        let set: Vec<_> = names.filter(|name| name.ends_with(".age")).collect();
        // The identity first: without it nothing else can be read.
        for name in set.first().map(|_| IDENTITY).into_iter().chain(set.iter().map(String::as_str)) {
            if let Some(bytes) = files::read_private(&from.join(name))? {
                files::replace_private(&to.join(name), &bytes)?;
            }
        }
        Ok(())
    }

    fn path(&self) -> PathBuf {
        self.folder.join(format!("{}.age", file_name(&self.context)))
    }

    fn generated_folder(&self) -> PathBuf {
        self.folder.join(file_name(&self.context)).join("generated")
    }

    fn generated_path(&self, name: &str) -> PathBuf {
        let name = name.strip_prefix(GENERATED).unwrap_or(name);
        self.generated_folder().join(format!("{}.age", file_name(name)))
    }

    fn lock(&self) -> Result<FileLock, SecretError> {
        files::private_dir(&self.folder)?;
        Ok(FileLock::wait(&self.folder.join(format!("{}.lock", file_name(&self.context))))?)
    }

    fn read(&self, path: &Path) -> Result<Content, SecretError> {
        let Some(sealed) = files::read_private(path)? else { return Ok(Content::default()) };
        let broken = |why: String| SecretError::Decrypt { path: path.to_owned(), identity: self.identity_path(), why };
        let identity = self.identity()?.ok_or_else(|| broken("the identity is missing".to_owned()))?;
        let bytes = age::decrypt(&identity, &sealed).map_err(|error| broken(error.to_string()))?;
        serde_json::from_slice(&bytes).map_err(|source| SecretError::Content { path: path.to_owned(), source })
    }

    fn write(&self, path: &Path, content: &Content) -> Result<(), SecretError> {
        let bytes =
            serde_json::to_vec(content).map_err(|source| SecretError::Content { path: path.to_owned(), source })?;
        let sealed = age::encrypt(&self.identity_or_new()?.to_public(), &bytes)
            .map_err(|error| SecretError::Encrypt { path: path.to_owned(), why: error.to_string() })?;
        Ok(files::replace_private(path, &sealed)?)
    }

    /// Of any context. What is not a lock is an encrypted file or a folder of some.
    fn holds_secrets(&self) -> bool {
        let Ok(entries) = std::fs::read_dir(&self.folder) else { return false };
        entries.flatten().any(|entry| entry.path().is_dir() || entry.path().extension().is_some_and(|end| end == "age"))
    }

    fn identity_path(&self) -> PathBuf {
        self.folder.join(IDENTITY)
    }

    fn identity(&self) -> Result<Option<Identity>, SecretError> {
        let path = self.identity_path();
        let Some(bytes) = files::read_private(&path)? else { return Ok(None) };
        let text = String::from_utf8_lossy(&bytes);
        let line = text.lines().find(|line| !line.starts_with('#') && !line.trim().is_empty()).unwrap_or_default();
        let identity = Identity::from_str(line.trim());
        identity.map(Some).map_err(|why| SecretError::Identity { path, why: why.to_owned() })
    }

    fn identity_or_new(&self) -> Result<Identity, SecretError> {
        if let Some(identity) = self.identity()? {
            return Ok(identity);
        }
        // Contexts share the identity, and each has a lock of its own.
        let _lock = FileLock::wait(&self.folder.join("identity.lock"))?;
        if let Some(identity) = self.identity()? {
            return Ok(identity);
        }
        if self.holds_secrets() {
            let why = "it is missing, but secrets encrypted to it are there".to_owned();
            return Err(SecretError::Identity { path: self.identity_path(), why });
        }
        let identity = Identity::generate();
        let text = format!("# decrypts the secrets of linodetool\n{}\n", identity.to_string().expose_secret());
        files::replace_private(&self.identity_path(), text.as_bytes())?;
        Ok(identity)
    }
}

/// Parts of letters, digits, `.`, `_` and `-`, joined by slashes; none begins with a dot. So a name is also a safe path.
fn check_name(what: &'static str, name: &str) -> Result<(), SecretError> {
    let wrong = |why| Err(SecretError::Name { what, name: name.to_owned(), why });
    if name.len() > 200 {
        return wrong("it has more than 200 characters");
    }
    for part in name.split('/') {
        if part.is_empty() {
            return wrong("a part of it is empty");
        }
        if part.starts_with('.') {
            return wrong("a part of it begins with a dot");
        }
        if !part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte)) {
            return wrong("only letters, digits, `.`, `_` and `-` are possible");
        }
    }
    Ok(())
}

/// One file name for a name with slashes; `+` cannot be in a name, so no two become the same.
fn file_name(name: &str) -> String {
    name.replace('/', "+")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::SystemClock;
    use expect_test::expect;
    use std::os::unix::fs::{MetadataExt, PermissionsExt};

    fn open(state: &Path) -> SecretStore {
        SecretStore::open(state, "default/default", Arc::new(SystemClock)).unwrap()
    }

    fn secret(text: &str) -> Secret<String> {
        Secret::new(text.to_owned())
    }

    fn names(store: &SecretStore) -> Vec<String> {
        store.list().unwrap().into_iter().map(|info| info.name).collect()
    }

    #[test]
    fn keeps_replaces_lists_and_forgets() {
        let dir = tempfile::tempdir().unwrap();
        let store = open(dir.path());
        assert_eq!(store.get("token").unwrap(), None);
        store.set("token", &secret("one")).unwrap();
        store.set("db/password", &secret("zwei ✓\n")).unwrap();
        store.set("token", &secret("two")).unwrap();
        let again = open(dir.path());
        assert_eq!(again.get("token").unwrap().unwrap().reveal(), "two");
        assert_eq!(again.get("db/password").unwrap().unwrap().reveal(), "zwei ✓\n");
        assert_eq!(names(&again), ["db/password", "token"]);
        assert!(again.remove("token").unwrap());
        assert!(!again.remove("token").unwrap());
        assert_eq!(names(&store), ["db/password"]);
        let failure = store.expect("db/pasword").unwrap_err();
        expect!["no secret is named `db/pasword` in the context default/default"].assert_eq(&failure.to_string());
        expect!["did you mean `db/password`?"].assert_eq(&failure.hint.unwrap());
    }

    #[test]
    fn nothing_is_readable_on_the_disk() {
        let dir = tempfile::tempdir().unwrap();
        let store = open(dir.path());
        store.set("token", &secret("correct-horse")).unwrap();
        store.generate("web-1/host_key", || Ok("battery-staple".into())).unwrap();
        let mut files = String::new();
        let mut folders = vec![dir.path().join("secrets")];
        while let Some(folder) = folders.pop() {
            assert_eq!(std::fs::metadata(&folder).unwrap().mode() & 0o777, 0o700);
            let mut paths: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
            paths.sort();
            for path in paths {
                if path.is_dir() {
                    folders.push(path);
                    continue;
                }
                let bytes = std::fs::read(&path).unwrap();
                for hidden in ["correct-horse", "battery-staple", "host_key"] {
                    assert!(!String::from_utf8_lossy(&bytes).contains(hidden));
                }
                let mode = std::fs::metadata(&path).unwrap().mode() & 0o777;
                files += &format!("{mode:o} {}\n", path.strip_prefix(dir.path()).unwrap().display());
            }
        }
        expect![[r#"
            600 secrets/default+default.age
            600 secrets/default+default.lock
            600 secrets/identity
            600 secrets/identity.lock
            600 secrets/default+default/generated/web-1+host_key.age
        "#]]
        .assert_eq(&files);
    }

    #[test]
    fn what_is_generated_is_made_once() {
        let dir = tempfile::tempdir().unwrap();
        let values: Vec<_> = std::thread::scope(|scope| {
            let made: Vec<_> = (0..4)
                .map(|number| {
                    let dir = dir.path();
                    scope.spawn(move || open(dir).generate("cluster/key", || Ok(format!("key {number}"))).unwrap())
                })
                .collect();
            made.into_iter().map(|thread| thread.join().unwrap().reveal().clone()).collect()
        });
        assert!(values.iter().all(|value| *value == values[0]), "{values:?}");
        let store = open(dir.path());
        assert_eq!(store.get("generated/cluster/key").unwrap().unwrap().reveal(), &values[0]);
        assert_eq!(store.list_generated().unwrap(), ["generated/cluster/key"]);
        store.replace_generated("cluster/key", &secret("new")).unwrap();
        assert_eq!(store.get("generated/cluster/key").unwrap().unwrap().reveal(), "new");
        assert!(names(&store).is_empty());
        assert!(store.remove("generated/cluster/key").unwrap());
        assert!(store.list_generated().unwrap().is_empty());
        let names: Vec<_> = (0..70).map(|n| format!("node/{n}")).collect();
        let made = store.generate_all(&names, |name| Ok(format!("key of {name}"))).unwrap();
        let again = store.generate_all(&names, |_| Err(Failure::internal("made twice"))).unwrap();
        assert!(made == again && made[69].reveal() == "key of node/69");
        for name in names {
            assert!(store.remove(&format!("generated/{name}")).unwrap());
        }
        let failed = store.generate("x", || Err(Failure::internal("no"))).unwrap_err();
        assert_eq!((failed.message.as_str(), store.list_generated().unwrap().len()), ("no", 0));
    }

    #[test]
    fn contexts_are_apart() {
        let dir = tempfile::tempdir().unwrap();
        let other = SecretStore::open(dir.path(), "app/other", Arc::new(SystemClock)).unwrap();
        open(dir.path()).set("token", &secret("one")).unwrap();
        assert_eq!(other.get("token").unwrap(), None);
    }

    #[test]
    fn processes_do_not_lose_each_others_secrets() {
        let dir = tempfile::tempdir().unwrap();
        std::thread::scope(|scope| {
            for number in 0..8 {
                let store = open(dir.path());
                scope.spawn(move || store.set(&format!("s{number}"), &secret("x")).unwrap());
            }
        });
        assert_eq!(names(&open(dir.path())).len(), 8);
    }

    #[test]
    fn names_that_are_no_names_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        let store = open(dir.path());
        let mut said = String::new();
        for name in ["", "../x", "a//b", "a b", "a+b", "generated/x"] {
            said += &format!("{}\n", store.set(name, &secret("x")).unwrap_err());
        }
        expect![[r#"
            `` cannot name a secret: a part of it is empty
            `../x` cannot name a secret: a part of it begins with a dot
            `a//b` cannot name a secret: a part of it is empty
            `a b` cannot name a secret: only letters, digits, `.`, `_` and `-` are possible
            `a+b` cannot name a secret: only letters, digits, `.`, `_` and `-` are possible
            `generated/x` cannot name a secret: names that begin with `generated/` are kept for what linodetool makes itself
        "#]]
        .assert_eq(&said);
    }

    #[test]
    fn a_lost_or_exposed_identity_is_told() {
        let dir = tempfile::tempdir().unwrap();
        let store = open(dir.path());
        store.set("token", &secret("one")).unwrap();
        let identity = dir.path().join("secrets/identity");
        std::fs::set_permissions(&identity, std::fs::Permissions::from_mode(0o640)).unwrap();
        let exposed = store.get("token").unwrap_err().to_string();
        std::fs::remove_file(&identity).unwrap();
        let lost = store.get("token").unwrap_err().to_string();
        let refused = store.generate("key", || Ok("x".into())).unwrap_err().to_string();
        let other = tempfile::tempdir().unwrap();
        open(other.path()).set("x", &secret("y")).unwrap();
        std::fs::copy(other.path().join("secrets/identity"), &identity).unwrap();
        let replaced = store.get("token").unwrap_err().to_string();
        let said = [exposed, lost, refused, replaced].join("\n").replace(dir.path().to_str().unwrap(), "DIR");
        expect![[r#"
            the secret store cannot be used: DIR/secrets/identity holds secrets and may be read or changed by others (mode 640)
            DIR/secrets/default+default.age cannot be decrypted with the identity in DIR/secrets/identity: the identity is missing
            DIR/secrets/identity is no age identity: it is missing, but secrets encrypted to it are there
            DIR/secrets/default+default.age cannot be decrypted with the identity in DIR/secrets/identity: No matching keys found"#]].assert_eq(&said);
    }
}
