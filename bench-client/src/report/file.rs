//! Writes a file whole or not at all: first under a temporary name beside it, then renamed. A full disk leaves the old file.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// Writes `bytes` to `path`, and makes its folder when there is none.
///
/// # Errors
/// Names the file; nothing half-written stays behind.
pub fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    let partial = partial_name(path);
    let written = write_partial(&partial, bytes).and_then(|()| fs::rename(&partial, path));
    if written.is_err() {
        // The first error is the one to tell; a partial file that cannot be removed either adds nothing to it.
        let _ = fs::remove_file(&partial);
    }
    written.with_context(|| format!("could not write {}", path.display()))
}

/// Replaces a file that is not ours: its permissions and owner stay, and a link to it stays a link.
///
/// # Errors
/// Names the file, which is then as it was.
pub fn replace(path: &Path, bytes: &[u8]) -> Result<()> {
    let replaced = replaced(path, bytes);
    replaced.with_context(|| format!("could not write {}; it is as it was", path.display()))
}

fn replaced(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let path = path.canonicalize()?;
    let was = fs::metadata(&path)?;
    let partial = partial_name(&path);
    let written = write_partial(&partial, bytes)
        // Only root can give a file away: for all others it is their own already, or stays what they made.
        .map(|()| drop(std::os::unix::fs::chown(&partial, Some(was.uid()), Some(was.gid()))))
        .and_then(|()| fs::set_permissions(&partial, was.permissions()))
        .and_then(|()| fs::rename(&partial, &path));
    if written.is_err() {
        let _ = fs::remove_file(&partial);
    }
    written
}

fn write_partial(partial: &Path, bytes: &[u8]) -> io::Result<()> {
    if let Some(folder) = partial.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut file = File::create(partial)?;
    file.write_all(bytes)?;
    // Some file systems tell of a full disk only here, and the rename must not come before the bytes.
    file.sync_all()
}

fn partial_name(path: &Path) -> PathBuf {
    let mut name = path.file_name().map_or_else(OsString::new, OsString::from);
    name.push(".partial");
    path.with_file_name(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_write_leaves_nothing_and_names_the_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("summary.csv");
        // A folder stands where the file should go: writing succeeds, renaming cannot.
        fs::create_dir(&path).unwrap();
        let error = write(&path, b"a,b\n").unwrap_err();
        assert!(format!("{error:#}").contains("summary.csv"), "{error:#}");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "the partial file is gone");
    }

    #[test]
    fn a_replaced_file_keeps_its_permissions_and_a_link_stays_a_link() {
        use std::os::unix::fs::{PermissionsExt, symlink};
        let dir = tempfile::tempdir().unwrap();
        let (path, link) = (dir.path().join("README.md"), dir.path().join("link"));
        fs::write(&path, "old").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        symlink("README.md", &link).unwrap();
        replace(&link, b"new").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o7777, 0o640);
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2);
    }

    #[test]
    fn an_old_file_is_replaced_and_folders_are_made() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("charts/age.svg");
        write(&path, b"old").unwrap();
        write(&path, b"new").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
    }
}
