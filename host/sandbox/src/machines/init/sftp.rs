//! The sftp subsystem: a process of its own, running as the user who logged in, on standard input and output.
//!
//! Owns: the requests of sftp version 3. Does not know SSH.
use russh_sftp::protocol::{Attrs, Data, File as Entry, FileAttributes, Handle, Name, OpenFlags, Status, StatusCode};
use std::collections::HashMap;
use std::fs::{self, File};
use std::io;
use std::os::fd::AsFd;
use std::os::unix::fs::{FileExt, PermissionsExt, symlink};
use std::path::Path;
use std::time::{Duration, UNIX_EPOCH};

/// The server's main function.
pub(crate) fn main() -> i32 {
    let Ok(rt) = tokio::runtime::Builder::new_current_thread().enable_all().build() else { return 1 };
    rt.block_on(async {
        // run() returns at once and works in a task; we are done when its stream ends.
        let (working, done) = tokio::sync::oneshot::channel::<()>();
        let stream = tokio::io::join(tokio::io::stdin(), tokio::io::stdout());
        russh_sftp::server::run(stream, Sftp { open: HashMap::new(), next: 0, _working: working }).await;
        let _ = done.await;
    });
    rt.shutdown_background(); // tokio's thread may still sit in read(2)
    0
}

type Answer<T> = Result<T, StatusCode>;

/// What a handle stands for.
enum Open {
    File(File),
    Dir(Vec<Entry>),
}

struct Sftp {
    open: HashMap<String, Open>,
    next: u64,
    /// Dropped with us.
    _working: tokio::sync::oneshot::Sender<()>,
}

fn status(e: &io::Error) -> StatusCode {
    match e.kind() {
        io::ErrorKind::NotFound => StatusCode::NoSuchFile,
        io::ErrorKind::PermissionDenied => StatusCode::PermissionDenied,
        _ => StatusCode::Failure,
    }
}

fn done(id: u32, r: io::Result<()>) -> Answer<Status> {
    r.map_err(|e| status(&e))?;
    Ok(Status { id, status_code: StatusCode::Ok, error_message: "Ok".into(), language_tag: "en".into() })
}

fn attrs(id: u32, m: io::Result<fs::Metadata>) -> Answer<Attrs> {
    Ok(Attrs { id, attrs: FileAttributes::from(&m.map_err(|e| status(&e))?) })
}

fn set(f: &File, a: &FileAttributes) -> io::Result<()> {
    if let Some(size) = a.size {
        f.set_len(size)?;
    }
    if let (Some(at), Some(mt)) = (a.atime, a.mtime) {
        let t = |s: u32| UNIX_EPOCH + Duration::from_secs(s.into());
        f.set_times(fs::FileTimes::new().set_accessed(t(at)).set_modified(t(mt)))?;
    }
    if let (Some(u), Some(g)) = (a.uid, a.gid) {
        std::os::unix::fs::fchown(f.as_fd(), Some(u), Some(g))?;
    }
    if let Some(p) = a.permissions {
        f.set_permissions(fs::Permissions::from_mode(p & 0o7777))?;
    }
    Ok(())
}

impl Sftp {
    fn keep(&mut self, id: u32, o: Open) -> Handle {
        self.next += 1;
        let handle = self.next.to_string();
        self.open.insert(handle.clone(), o);
        Handle { id, handle }
    }
    fn file(&self, h: &str) -> Answer<&File> {
        match self.open.get(h) {
            Some(Open::File(f)) => Ok(f),
            _ => Err(StatusCode::Failure),
        }
    }
}

impl russh_sftp::server::Handler for Sftp {
    type Error = StatusCode;

    fn unimplemented(&self) -> StatusCode {
        StatusCode::OpUnsupported
    }
    async fn open(&mut self, id: u32, name: String, flags: OpenFlags, a: FileAttributes) -> Answer<Handle> {
        use std::os::unix::fs::OpenOptionsExt;
        let mut o: fs::OpenOptions = flags.into();
        let f = o.mode(a.permissions.unwrap_or(0o666) & 0o7777).open(name).map_err(|e| status(&e))?;
        Ok(self.keep(id, Open::File(f)))
    }
    async fn close(&mut self, id: u32, h: String) -> Answer<Status> {
        self.open.remove(&h);
        done(id, Ok(()))
    }
    async fn read(&mut self, id: u32, h: String, offset: u64, len: u32) -> Answer<Data> {
        let mut data = vec![0; len.min(256 << 10) as usize];
        let n = self.file(&h)?.read_at(&mut data, offset).map_err(|e| status(&e))?;
        if n == 0 {
            return Err(StatusCode::Eof);
        }
        data.truncate(n);
        Ok(Data { id, data })
    }
    async fn write(&mut self, id: u32, h: String, offset: u64, data: Vec<u8>) -> Answer<Status> {
        done(id, self.file(&h)?.write_all_at(&data, offset))
    }
    async fn lstat(&mut self, id: u32, p: String) -> Answer<Attrs> {
        attrs(id, fs::symlink_metadata(p))
    }
    async fn stat(&mut self, id: u32, p: String) -> Answer<Attrs> {
        attrs(id, fs::metadata(p))
    }
    async fn fstat(&mut self, id: u32, h: String) -> Answer<Attrs> {
        attrs(id, self.file(&h)?.metadata())
    }
    async fn setstat(&mut self, id: u32, p: String, a: FileAttributes) -> Answer<Status> {
        done(id, File::open(p).and_then(|f| set(&f, &a)))
    }
    async fn fsetstat(&mut self, id: u32, h: String, a: FileAttributes) -> Answer<Status> {
        done(id, set(self.file(&h)?, &a))
    }
    async fn opendir(&mut self, id: u32, p: String) -> Answer<Handle> {
        let mut all = Vec::new();
        for e in fs::read_dir(p).map_err(|e| status(&e))?.flatten() {
            if let Ok(m) = e.metadata() {
                all.push(Entry::new(e.file_name().to_string_lossy(), FileAttributes::from(&m)));
            }
        }
        Ok(self.keep(id, Open::Dir(all)))
    }
    async fn readdir(&mut self, id: u32, h: String) -> Answer<Name> {
        match self.open.get_mut(&h) {
            Some(Open::Dir(all)) if all.is_empty() => Err(StatusCode::Eof),
            Some(Open::Dir(all)) => Ok(Name { id, files: all.drain(..all.len().min(100)).collect() }),
            _ => Err(StatusCode::Failure),
        }
    }
    async fn remove(&mut self, id: u32, p: String) -> Answer<Status> {
        done(id, fs::remove_file(p))
    }
    async fn mkdir(&mut self, id: u32, p: String, _: FileAttributes) -> Answer<Status> {
        done(id, fs::create_dir(p))
    }
    async fn rmdir(&mut self, id: u32, p: String) -> Answer<Status> {
        done(id, fs::remove_dir(p))
    }
    async fn realpath(&mut self, id: u32, p: String) -> Answer<Name> {
        let p = if p.is_empty() { "." } else { &p };
        // A path that does not exist yet is fine: clients ask for upload targets.
        let full = fs::canonicalize(p).or_else(|_| std::path::absolute(Path::new(p))).map_err(|e| status(&e))?;
        Ok(Name { id, files: vec![Entry::dummy(full.to_string_lossy())] })
    }
    async fn rename(&mut self, id: u32, from: String, to: String) -> Answer<Status> {
        done(id, fs::rename(from, to))
    }
    async fn readlink(&mut self, id: u32, p: String) -> Answer<Name> {
        let l = fs::read_link(p).map_err(|e| status(&e))?;
        Ok(Name { id, files: vec![Entry::dummy(l.to_string_lossy())] })
    }
    async fn symlink(&mut self, id: u32, link: String, target: String) -> Answer<Status> {
        // OpenSSH sends the two the other way round than the draft, and so do all clients.
        done(id, symlink(link, target))
    }
}
