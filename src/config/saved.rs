//! Presets that the user saved: files in a directory of theirs.

use std::{
    io,
    path::{Path, PathBuf},
};

use crate::{config::Exported, model::BackendId};

/// Whether a name is Backline's own: a preset that comes with it, or a word that `backline config presets` takes for
/// something else.
#[cfg(any(feature = "cli", feature = "dashboard"))]
pub(crate) fn is_own(name: &str) -> bool {
    crate::config::preset(name).is_some() || ["save", "use", "help"].contains(&name)
}

/// The names of the presets in a directory, sorted. A directory that does not exist has none.
///
/// # Errors
/// Where the directory cannot be read.
pub fn saved_presets(directory: &Path) -> io::Result<Vec<String>> {
    let entries = match directory.read_dir() {
        Ok(entries) => entries,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(e) => return Err(e),
    };
    let mut names = Vec::new();
    for entry in entries {
        let path = entry?.path();
        let name = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
        if path.extension().is_some_and(|extension| extension == "ron") && BackendId::new(name).is_ok() {
            names.push(name.to_owned());
        }
    }
    names.sort();
    Ok(names)
}

/// The file of a saved preset, whether it exists or not. Its name is as an id: it cannot lead out of the directory.
///
/// # Errors
/// Where the name is none.
pub fn saved_path(directory: &Path, name: &str) -> io::Result<PathBuf> {
    let name = BackendId::new(name).map_err(|e| io::Error::new(io::ErrorKind::InvalidInput, e))?;
    Ok(directory.join(format!("{name}.ron")))
}

/// Saves a configuration as a preset: all of it or nothing, in place of one with the same name.
///
/// # Errors
/// Where the name is none, or the file cannot be written.
pub fn save_preset(directory: &Path, name: &str, exported: &Exported) -> io::Result<PathBuf> {
    let path = saved_path(directory, name)?;
    std::fs::create_dir_all(directory)?;
    replace(&path, &exported.text)?;
    Ok(path)
}

/// Erases a saved preset.
///
/// # Errors
/// [`io::ErrorKind::NotFound`] where there is none of this name; where the name is none, or the file cannot be erased.
pub fn erase_preset(directory: &Path, name: &str) -> io::Result<()> {
    std::fs::remove_file(saved_path(directory, name)?)
}

/// Makes a file for the user alone: all of it or nothing, and never in place of another.
///
/// # Errors
/// [`io::ErrorKind::AlreadyExists`] where something has the name.
#[cfg(any(test, feature = "cli"))]
pub(crate) fn create(path: &Path, text: impl AsRef<[u8]>) -> io::Result<()> {
    // The name is taken first, by an empty file, so that two that create it do not both succeed.
    private().create_new(true).open(path)?;
    let written = replace(path, text);
    if written.is_err() {
        // The claim is ours and holds nothing.
        let _ = std::fs::remove_file(path);
    }
    written
}

/// Writes a file beside its place, then puts it there, so that no reader sees half of it.
pub(crate) fn replace(path: &Path, text: impl AsRef<[u8]>) -> io::Result<()> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(format!(".{}.new", std::process::id()));
    let beside = PathBuf::from(beside);
    // One of a crashed process with our number; a link that somebody laid there must not be followed.
    let _ = std::fs::remove_file(&beside);
    let written = write_synced(&beside, text.as_ref()).and_then(|()| std::fs::rename(&beside, path));
    if written.is_err() {
        // What failed is told; a leftover would only be in the way.
        let _ = std::fs::remove_file(&beside);
    }
    written
}

fn write_synced(path: &Path, text: &[u8]) -> io::Result<()> {
    let mut file = private().create_new(true).open(path)?;
    io::Write::write_all(&mut file, text)?;
    file.sync_all()
}

/// What is made is for its owner alone.
fn private() -> std::fs::OpenOptions {
    let mut options = std::fs::OpenOptions::new();
    options.write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{FILE_NAME, Loader};

    #[test]
    fn a_preset_is_saved_listed_and_loaded() {
        let home = tempfile::tempdir().unwrap();
        let presets = home.path().join("presets");
        assert!(saved_presets(&presets).unwrap().is_empty());
        std::fs::write(home.path().join(FILE_NAME), "(log: (files: 7))").unwrap();
        let loaded = Loader::new().file(home.path().join(FILE_NAME)).load().unwrap();
        let path = save_preset(&presets, "mine", &loaded.export()).unwrap();
        save_preset(&presets, "mine", &loaded.export()).unwrap();
        std::fs::write(presets.join("notes.txt"), "").unwrap();
        assert_eq!(saved_presets(&presets).unwrap(), ["mine"]);
        assert_eq!(Loader::new().file(path).load().unwrap().config, loaded.config);
        assert_eq!(presets.read_dir().unwrap().count(), 2, "nothing is left beside it");
        let text = std::fs::read_to_string(presets.join("mine.ron")).unwrap();
        assert_eq!(create(&presets.join("mine.ron"), "()").unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(std::fs::read_to_string(presets.join("mine.ron")).unwrap(), text);
        for out in ["../x", "a/b", "", "A"] {
            assert!(save_preset(&presets, out, &loaded.export()).is_err(), "{out}");
            assert!(erase_preset(&presets, out).is_err(), "{out}");
        }
        erase_preset(&presets, "mine").unwrap();
        assert_eq!(erase_preset(&presets, "mine").unwrap_err().kind(), io::ErrorKind::NotFound);
        assert!(saved_presets(&presets).unwrap().is_empty());
    }
}
