//! Network file systems, on which locks are not reliable. Does not know what is kept there.

use std::io;
use std::path::{Path, PathBuf};

/// The name of the file system that the folder is on, if it brings its files from another computer.
pub(super) fn kind_of(folder: &Path) -> io::Result<Option<&'static str>> {
    let system = rustix::fs::statfs(folder)?;
    // Casts: the type's width differs between platforms; the numbers are 32 bits.
    #[expect(clippy::cast_sign_loss, clippy::cast_possible_truncation, reason = "a magic number of 32 bits")]
    let magic = system.f_type as u32;
    Ok(match magic {
        FUSE => network_fuse(&std::fs::read_to_string("/proc/self/mountinfo").unwrap_or_default(), folder),
        magic => network_file_system(magic),
    })
}

/// Name of a file system of this magic number (statfs(2)) if it lives on another computer.
fn network_file_system(magic: u32) -> Option<&'static str> {
    Some(match magic {
        0x6969 => "NFS",
        0x517B | 0xFE53_4D42 | 0xFF53_4D42 => "SMB",
        0x564C => "NCP",
        0x5346_414F | 0x6B41_4653 => "AFS",
        0x7375_7245 => "Coda",
        0x0102_1997 => "9P",
        0x00C3_6400 => "Ceph",
        0x0BD0_0BD0 => "Lustre",
        0x0116_1970 => "GFS2",
        0x7461_636F => "OCFS2",
        _ => return None,
    })
}

/// Magic number of all file systems that a program of a user's serves.
const FUSE: u32 = 0x6573_5546;

/// Those whose files lie elsewhere, by the name of what serves them.
const FUSE_FROM_ELSEWHERE: &[&str] = &[
    "sshfs",
    "glusterfs",
    "ceph",
    "ceph-fuse",
    "s3fs",
    "goofys",
    "gcsfuse",
    "rclone",
    "davfs",
    "davfs2",
    "curlftpfs",
    "juicefs",
    "seaweedfs",
    "mfs",
    "moosefs",
    "lizardfs",
    "smbnetfs",
    "blobfuse",
    "blobfuse2",
    "mount-s3",
    "onedriver",
    "gvfsd-fuse",
    "google-drive-ocamlfuse",
    "vmhgfs-fuse",
];

/// Name of what serves the folder, if it brings its files from another computer; from the text of mountinfo (proc(5)).
fn network_fuse(mounts: &str, folder: &Path) -> Option<&'static str> {
    let folder = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    let mount = |line: &str| {
        // `36 35 98:0 /root /mount/point options ... - type source options`; a space in a name is `\040`.
        let (before, after) = line.split_once(" - ")?;
        let point = PathBuf::from(before.split(' ').nth(4)?.replace("\\040", " "));
        folder.starts_with(&point).then(|| (point, after.split(' ').next().unwrap_or_default().to_owned()))
    };
    // The nearest one; of several at one place the last, which hides the others.
    let (_, kind) = mounts.lines().filter_map(mount).max_by_key(|(point, _)| point.components().count())?;
    let program = kind.strip_prefix("fuse.")?;
    FUSE_FROM_ELSEWHERE.iter().copied().find(|known| *known == program)
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;

    #[test]
    fn network_file_systems_are_known_by_their_number() {
        let ext4 = 0xEF53;
        assert_eq!((network_file_system(0x6969), network_file_system(ext4)), (Some("NFS"), None));
    }

    #[test]
    fn what_a_program_brings_from_elsewhere_is_known_by_its_name() {
        let mounts = "\
            22 1 8:1 / / rw - ext4 /dev/sda1 rw\n\
            40 22 0:50 / /mnt/far rw,nosuid shared:9 - fuse.sshfs ann@host: rw,user_id=0\n\
            41 40 0:51 / /mnt/far/near rw - fuse.gocryptfs /home/ann/x rw\n\
            42 22 0:52 / /mnt/a\\040b rw - fuse.rclone remote: rw\n\
            43 22 8:2 / /mnt/stick rw - fuseblk /dev/sdb1 rw\n";
        let kind = |folder: &str| network_fuse(mounts, Path::new(folder)).unwrap_or("-");
        let folders = ["/mnt/far/state", "/mnt/far/near/state", "/mnt/a b/state", "/mnt/stick/state", "/mnt/farther"];
        expect!["sshfs - rclone - -"].assert_eq(&folders.map(kind).join(" "));
    }
}
