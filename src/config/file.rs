//! A file with everything that it extends.

use std::{
    io::Read,
    path::{Path, PathBuf},
};

use crate::config::{
    Problem, Problems,
    layer::{Layer, Origin},
    leaf::Leaf,
    raw::Text,
    read::read,
    trust::digest,
};

/// Largest file that is read: a configuration of a thousand backends is smaller.
const CAP: u64 = 1024 * 1024;

/// Longest chain of files that extend one another.
const DEPTH: usize = 16;

/// A file with everything that it extends, as one layer.
#[derive(Debug, Default)]
pub(crate) struct Chain {
    pub(crate) layer: Layer,
    pub(crate) problems: Problems,
    pub(crate) warnings: Problems,
    /// Every file that was read, the named one first.
    pub(crate) files: Vec<PathBuf>,
    /// Every file that was to be read.
    pub(crate) tried: Vec<PathBuf>,
    pub(crate) texts: Vec<String>,
}

impl Chain {
    /// Reads a file; `named` says where its name stood, for a message.
    pub(crate) fn read(path: &Path, named: &str) -> Self {
        let mut chain = Self::default();
        let mut stack = Vec::new();
        chain.layer = chain.visit(path, ("", named), &mut stack);
        chain
    }

    /// Reads a text that lies in no file; its paths begin at the working directory.
    pub(crate) fn of_text(name: &str, body: &str) -> Self {
        let text = Text::new(name.into(), body.to_owned());
        let reading = read(&text, Path::new(""));
        let mut chain = Self { problems: reading.problems, warnings: reading.warnings, ..Self::default() };
        chain.layer = chain.on_its_base(reading.layer, &mut Vec::new());
        chain
    }

    /// The digest of all its texts, for the list of trusted files.
    pub(crate) fn digest(&self) -> String {
        digest(self.texts.iter().map(String::as_str))
    }

    fn visit(&mut self, path: &Path, named: (&str, &str), stack: &mut Vec<(PathBuf, PathBuf)>) -> Layer {
        let (field, place) = named;
        self.tried.push(path.to_owned());
        let body = match body(path) {
            Ok(body) => body,
            Err(why) => {
                let message = format!("the file {} {why}", path.display());
                let fix = "Correct the path, or write a file with `backline config init`.";
                self.problems.push(Problem::new(field, message, fix).at(place));
                return Layer::default();
            }
        };
        let identity = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        let cycle = stack.iter().position(|(known, _)| *known == identity);
        stack.push((identity, path.to_owned()));
        if cycle.is_some() || stack.len() > DEPTH {
            let names: Vec<_> =
                stack[cycle.unwrap_or(0)..].iter().map(|(_, shown)| shown.display().to_string()).collect();
            let message = match cycle {
                Some(_) => format!("the files extend each other: {}", names.join(" -> ")),
                None => format!("more than {DEPTH} files extend one another"),
            };
            self.problems
                .push(Problem::new(field, message, "Take one `extends` out of the circle.").at(place));
            stack.pop();
            return Layer::default();
        }
        let text = Text::new(path.to_owned(), body);
        let reading = read(&text, path.parent().unwrap_or(Path::new("")));
        self.files.push(path.to_owned());
        self.texts.push(text.into_body());
        self.problems.0.extend(reading.problems.0);
        self.warnings.0.extend(reading.warnings.0);
        let layer = self.on_its_base(reading.layer, stack);
        stack.pop();
        layer
    }

    /// Puts a file's layer over the one of the file that it extends.
    fn on_its_base(&mut self, mut layer: Layer, stack: &mut Vec<(PathBuf, PathBuf)>) -> Layer {
        // The version is the file's own as well.
        layer.values.shift_remove("version");
        let Some(extends) = layer.values.shift_remove("extends") else { return layer };
        let (Leaf::File(base), Origin::File(place)) = (extends.leaf, extends.origin) else { return layer };
        let mut below = self.visit(&base, ("extends", &place.to_string()), stack);
        below.cover(layer);
        below
    }
}

fn body(path: &Path) -> Result<String, String> {
    let file = std::fs::File::open(path).map_err(|e| match e.kind() {
        std::io::ErrorKind::NotFound => "does not exist".to_owned(),
        _ => format!("cannot be read: {e}"),
    })?;
    if !file.metadata().is_ok_and(|m| m.is_file()) {
        return Err("is no regular file".to_owned());
    }
    let mut bytes = Vec::new();
    file.take(CAP + 1).read_to_end(&mut bytes).map_err(|e| format!("cannot be read: {e}"))?;
    if bytes.len() as u64 > CAP {
        return Err("is larger than 1 MiB".to_owned());
    }
    let text = String::from_utf8(bytes).map_err(|_| "is not written in UTF-8".to_owned())?;
    Ok(text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text))
}
