//! Loads a configuration from its layers, with every input explicit.

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
};

use crate::config::{
    Checked, Config, Edits, Loaded, Problem, Problems, TrustList, TrustSubject, build, check,
    environment::{self, Variables},
    file::Chain,
    layer::{Layer, Origin},
};

/// The name of the file in the working directory and in the user's.
pub const FILE_NAME: &str = "backline.ron";

/// Loads a configuration. Nothing is read that was not given: a test needs no environment of its own.
///
/// The layers, the upper wins: command line ([`Self::set`]), environment ([`Self::env`]), edits through the API
/// ([`Self::edits`]), the file, what was found ([`Self::discovered`]), defaults. The
/// file is the first of: the named one ([`Self::file`]), `$BACKLINE_CONFIG`, `backline.ron` in the working directory,
/// `backline.ron` in the user's directory; without any, defaults alone. A named file that does not exist is a
/// problem. The one in the working directory, which nobody named, sends no key off loopback until it is trusted.
#[derive(Clone, Default)]
pub struct Loader {
    named: Option<PathBuf>,
    /// A text in place of every file, with its name.
    text: Option<(&'static str, &'static str)>,
    env: Variables,
    directory: PathBuf,
    user_directory: Option<PathBuf>,
    settings: Edits,
    edits: Edits,
    discovered: Edits,
    trusted: TrustList,
}

impl Loader {
    /// No environment, no user's directory, the working directory `.`.
    pub fn new() -> Self {
        Self { directory: PathBuf::from("."), ..Self::default() }
    }

    /// This process's environment and working directory, as they are now.
    pub fn from_process() -> Self {
        let text = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
            // A name that is no text is none of ours; a value that is none shows as a wrong one.
            Some((name.into_string().ok()?, value.to_string_lossy().into_owned()))
        };
        Self::new().env(std::env::vars_os().filter_map(text))
    }

    /// Names the file (`--config`).
    #[must_use]
    pub fn file(mut self, path: impl Into<PathBuf>) -> Self {
        self.named = Some(path.into());
        self
    }

    /// Reads a text of ours in place of every file.
    #[cfg(feature = "cli")]
    #[must_use]
    pub(crate) fn text(mut self, name: &'static str, text: &'static str) -> Self {
        self.text = Some((name, text));
        self
    }

    /// Sets the variables in place of those that it has.
    #[must_use]
    pub fn env(mut self, variables: impl IntoIterator<Item = (String, String)>) -> Self {
        self.env = variables.into_iter().collect();
        self
    }

    /// Sets the working directory.
    #[must_use]
    pub fn directory(mut self, path: impl Into<PathBuf>) -> Self {
        self.directory = path.into();
        self
    }

    /// Sets the user's configuration directory, where `backline.ron` may stand.
    #[must_use]
    pub fn user_directory(mut self, path: impl Into<PathBuf>) -> Self {
        self.user_directory = Some(path.into());
        self
    }

    /// Sets one value from the command line: a path like `http.listen`, and its text without quotes.
    #[must_use]
    pub fn set(mut self, path: impl Into<String>, text: impl Into<String>) -> Self {
        self.settings.set(path, text);
        self
    }

    /// Sets the edits that were made through the API.
    #[must_use]
    pub fn edits(mut self, edits: Edits) -> Self {
        self.edits = edits;
        self
    }

    /// Sets the backends that were found and adopted.
    #[must_use]
    pub fn discovered(mut self, found: Edits) -> Self {
        self.discovered = found;
        self
    }

    /// Sets the files that the user has trusted.
    #[must_use]
    pub fn trusted(mut self, list: TrustList) -> Self {
        self.trusted = list;
        self
    }

    /// Loads.
    ///
    /// # Errors
    /// Every problem of every layer at once.
    pub fn load(&self) -> Result<Loaded, Problems> {
        let (loaded, problems) = self.gather();
        if problems.is_empty() { Ok(loaded) } else { Err(problems) }
    }

    /// Every problem and every warning.
    pub fn check(&self) -> Checked {
        let (loaded, problems) = self.gather();
        Checked { problems, warnings: loaded.warnings }
    }

    /// The file that [`Self::load`] would read, whether it exists or not; `None` where there are defaults alone.
    pub fn file_in_use(&self) -> Option<PathBuf> {
        self.choose().map(|(path, _)| path)
    }

    /// The file that [`Self::load`] would read, to be trusted as it is now; `None` where there is none.
    ///
    /// # Errors
    /// Where it, or a file that it extends, cannot be read.
    pub fn trust_subject(&self) -> Result<Option<TrustSubject>, Problems> {
        let Some((path, named)) = self.choose() else { return Ok(None) };
        let chain = Chain::read(&path, named.as_deref().unwrap_or_default());
        match chain.problems.is_empty() {
            true => Ok(Some(TrustSubject { path: full(&path), digest: chain.digest() })),
            false => Err(chain.problems),
        }
    }

    /// Where a file may stand or come to stand.
    fn candidates(&self) -> Vec<PathBuf> {
        if let Some(path) = &self.named {
            return vec![path.clone()];
        }
        if let Some(path) = environment::lookup(&self.env, "BACKLINE_CONFIG") {
            return vec![self.directory.join(path)];
        }
        let users = self.user_directory.iter();
        [&self.directory].into_iter().chain(users).map(|directory| directory.join(FILE_NAME)).collect()
    }

    /// The file, and where its name stood if somebody named it.
    fn choose(&self) -> Option<(PathBuf, Option<String>)> {
        if let Some(path) = &self.named {
            return Some((path.clone(), Some(Origin::CommandLine.source())));
        }
        if let Some(path) = environment::lookup(&self.env, "BACKLINE_CONFIG") {
            return Some((self.directory.join(path), Some("env:BACKLINE_CONFIG".to_owned())));
        }
        // One that exists and cannot be read is a problem, so only the absence passes on to the next.
        let here = self.directory.join(FILE_NAME);
        if here.symlink_metadata().is_ok() {
            return Some((here, None));
        }
        let users = self.user_directory.as_ref()?.join(FILE_NAME);
        users.symlink_metadata().is_ok().then(|| (users.clone(), Some(users.display().to_string())))
    }

    /// What can be read, beside every problem.
    pub(crate) fn gather(&self) -> (Loaded, Problems) {
        let chosen = if self.text.is_some() { None } else { self.choose() };
        self.gather_from(chosen, self.candidates())
    }

    /// The same of all layers but the file.
    pub(crate) fn gather_without_file(&self) -> (Loaded, Problems) {
        self.gather_from(None, Vec::new())
    }

    fn gather_from(
        &self,
        chosen: Option<(PathBuf, Option<String>)>,
        mut sought: Vec<PathBuf>,
    ) -> (Loaded, Problems) {
        let chain = match (&chosen, self.text) {
            (Some((path, named)), _) => {
                Chain::read(path, named.as_deref().unwrap_or(&path.display().to_string()))
            }
            (None, Some((name, text))) => Chain::of_text(name, text),
            (None, None) => Chain::default(),
        };
        let unnamed = chosen
            .filter(|(path, named)| named.is_none() && !self.trusted.contains(&full(path), &chain.digest()));
        let unnamed = unnamed.map(|(path, _)| Arc::new(path));
        let Chain { layer, mut problems, mut warnings, files, tried, .. } = chain;
        sought.extend(tried);
        let merged = self.merge(layer.clone(), &mut problems);
        let (config, missing) = build::build(&merged, unnamed.as_ref());
        let mut crossed = missing;
        crossed.0.retain(|problem| !told(problem, &problems));
        crossed.0.extend(check::problems(&config, &names(&merged)).0);
        let env = |name: &str| self.env.get(name).cloned();
        crossed.0.extend(check::references(&config, &env).0);
        problems.0.extend(placed(crossed, &merged));
        warnings.0.extend(placed(check::warnings(&config), &merged));
        warnings.0.extend(environment::strays(&self.env, &merged));
        let warnings = warnings.sorted();
        (Loaded { config, warnings, files, sought, file: layer, merged }, problems.sorted())
    }

    /// The layers over one another, the lowest first.
    fn merge(&self, file: Layer, problems: &mut Problems) -> Layer {
        let mut merged = Layer::default();
        let mut cover = |merged: &mut Layer, (layer, wrong): (Layer, Problems)| {
            merged.cover(layer);
            problems.0.extend(wrong.0);
        };
        let layer = self.discovered.layer(&Origin::Discovered, &merged, &self.directory);
        cover(&mut merged, layer);
        merged.cover(file);
        let layer = self.edits.layer(&Origin::Api, &merged, &self.directory);
        cover(&mut merged, layer);
        let layer = environment::layer(&self.env, &merged, &self.directory);
        cover(&mut merged, layer);
        let layer = self.settings.layer(&Origin::CommandLine, &merged, &self.directory);
        cover(&mut merged, layer);
        problems.0.extend(environment::aliases(&self.env, &mut merged).0);
        merged
    }
}

impl fmt::Debug for Loader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The environment and the settings may hold keys.
        f.debug_struct("Loader")
            .field("file", &self.named)
            .field("directory", &self.directory)
            .finish_non_exhaustive()
    }
}

impl Config {
    /// Loads this process's configuration: its environment, `$BACKLINE_CONFIG` or `./backline.ron`, defaults.
    ///
    /// # Errors
    /// Every problem at once.
    pub fn load() -> Result<Self, Problems> {
        Loader::from_process().load().map(|loaded| loaded.config)
    }
}

fn full(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_owned())
}

fn names(merged: &Layer) -> check::Names {
    let ids = |map| merged.names_in(map).filter_map(|(name, _)| name.parse().ok()).collect();
    check::Names { backends: ids("backends"), pools: ids("pools") }
}

/// Whether something is missing only because what stands there could not be read, which has been told.
fn told(missing: &Problem, problems: &Problems) -> bool {
    ["kind", "url", "user", "password"].iter().any(|field| {
        let path = format!("{}.{field}", missing.path);
        missing.message.contains(&format!("`{field}`")) && problems.iter().any(|problem| problem.path == path)
    })
}

/// Says where each value of these problems stands, or what it stands in.
fn placed(problems: Problems, merged: &Layer) -> impl Iterator<Item = Problem> {
    problems.0.into_iter().map(|problem| {
        let mut path = problem.path.as_str();
        loop {
            if let Some(origin) = merged.origin(path) {
                let origin = origin.to_string();
                return problem.at(origin);
            }
            match path.rsplit_once('.') {
                Some((parent, _)) => path = parent,
                None => return problem,
            }
        }
    })
}
