//! Where recipes are: the path as given, the project's `scripts/`, the user's data folder, and those in the binary.
//!
//! Does not evaluate anything.

use super::resolver::{Embedded, Roots, read_script};
use crate::core::{Failure, FailureKind};
use std::path::{Path, PathBuf};

/// The places that recipes are looked up in.
#[derive(Clone, Debug)]
pub struct Places {
    /// Folder the command was started in; its `scripts/` is the project's.
    pub work: PathBuf,
    /// The user's data folder, with `recipes/` and `lib/` below it.
    pub data: PathBuf,
    pub embedded: Embedded,
}

/// A recipe that was found.
#[derive(Clone, Debug)]
pub struct Found {
    /// Name to show and to find it by again: `recipes/hadoop.rhai` or a path.
    pub path: String,
    pub text: String,
    pub origin: Origin,
    /// The folder it lies in; an embedded recipe has none.
    pub folder: Option<PathBuf>,
}

/// Which place a recipe came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// The path that was given.
    File,
    Project,
    User,
    Embedded,
}

/// A line of `recipe list`.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct RecipeInfo {
    /// `hadoop`: what `run` takes.
    pub name: String,
    pub path: String,
    pub origin: Origin,
    /// First sentence of the recipe's header.
    pub title: String,
}

/// Finds a recipe by path or name: `./my.rhai`, `recipes/hadoop.rhai`, `hadoop`.
///
/// # Errors
/// There is none (with near names), or its file cannot be read.
pub fn find_recipe(name: &str, places: &Places) -> Result<Found, Failure> {
    let given = places.work.join(name);
    let with_extension = places.work.join(format!("{name}.rhai"));
    for file in [given, with_extension] {
        if file.is_file() {
            return found(&file, name_of_file(&file, places), Origin::File);
        }
    }
    let relative = name.trim_start_matches("./").trim_start_matches("scripts/");
    let inside = Path::new(relative).components().all(|part| matches!(part, std::path::Component::Normal(_)));
    let wanted = [
        relative.to_owned(),
        format!("{relative}.rhai"),
        format!("recipes/{relative}"),
        format!("recipes/{relative}.rhai"),
    ];
    for (root, origin) in roots(places).into_iter().filter(|_| inside) {
        for candidate in wanted.iter().filter(|candidate| candidate.ends_with(".rhai")) {
            let file = root.join(candidate);
            if file.is_file() {
                return found(&file, file.display().to_string(), origin);
            }
        }
    }
    for candidate in &wanted {
        if let Some(text) = places.embedded.text(candidate) {
            return Ok(Found { path: candidate.clone(), text: text.into(), origin: Origin::Embedded, folder: None });
        }
    }
    let known: Vec<String> = list_recipes(places).into_iter().map(|recipe| recipe.name).collect();
    let plain = relative.trim_start_matches("recipes/").trim_end_matches(".rhai");
    let failure =
        Failure::not_found(format!("there is no recipe `{name}`")).near(plain, known.iter().map(String::as_str));
    if failure.hint.is_some() {
        return Err(failure);
    }
    Err(failure.hint("`linodetool recipe list` shows all; a recipe of your own is given by its path"))
}

/// All recipes that can be named, the one that would be used for each name.
pub fn list_recipes(places: &Places) -> Vec<RecipeInfo> {
    let mut list: Vec<RecipeInfo> = Vec::new();
    let mut add = |path: String, shown: String, origin: Origin, text: &str| {
        let Some(name) = path.strip_prefix("recipes/").map(|name| name.trim_end_matches(".rhai").to_owned()) else {
            return;
        };
        if !list.iter().any(|known| known.name == name) {
            list.push(RecipeInfo { name, path: shown, origin, title: title(text) });
        }
    };
    for (root, origin) in roots(places) {
        for path in scripts_below(&root) {
            let file = root.join(&path);
            if let Ok(text) = read_script(&file) {
                add(path, file.display().to_string(), origin, &text);
            }
        }
    }
    for (path, text) in places.embedded.0 {
        add((*path).to_owned(), (*path).to_owned(), Origin::Embedded, text);
    }
    list.sort_by(|a, b| a.name.cmp(&b.name));
    list
}

impl Found {
    /// A recipe whose text was stored with a run: the text is what it was, the place only serves further imports.
    pub fn stored(path: &str, text: &str, places: &Places) -> Self {
        let now = find_recipe(path, places).ok();
        let (origin, folder) = now.map_or((Origin::Embedded, None), |now| (now.origin, now.folder));
        Self { path: path.to_owned(), text: text.to_owned(), origin, folder }
    }

    /// What this recipe may import from. One that is in the binary imports from the binary alone,
    /// so that files of the folder it happens to be started in cannot change it.
    pub fn roots(&self, places: &Places) -> Roots {
        let Some(folder) = &self.folder else { return Roots { folders: Vec::new(), embedded: places.embedded } };
        let mut folders = vec![folder.clone()];
        folders.extend(folder.ancestors().skip(1).filter(|above| above.ends_with("scripts")).map(Path::to_path_buf));
        folders.extend(roots(places).into_iter().map(|(root, _)| root));
        let mut seen = std::collections::HashSet::new();
        folders.retain(|folder| seen.insert(folder.clone()));
        Roots { folders, embedded: places.embedded }
    }

    /// The recipe's own description: its `//!` lines.
    pub fn description(&self) -> String {
        description(&self.text)
    }
}

fn roots(places: &Places) -> [(PathBuf, Origin); 2] {
    [(places.work.join("scripts"), Origin::Project), (places.data.clone(), Origin::User)]
}

fn found(file: &Path, path: String, origin: Origin) -> Result<Found, Failure> {
    let text = read_script(file)?;
    let file = file.canonicalize().map_err(|error| {
        Failure::new(FailureKind::Local, format!("cannot find out where {} lies: {error}", file.display()))
    })?;
    Ok(Found { path, text, origin, folder: file.parent().map(Path::to_path_buf) })
}

fn name_of_file(file: &Path, places: &Places) -> String {
    file.strip_prefix(&places.work).unwrap_or(file).display().to_string()
}

/// Scripts in a folder and two levels below, as `recipes/hadoop.rhai`; at most a thousand.
pub(crate) fn scripts_below(root: &Path) -> Vec<String> {
    let mut scripts = Vec::new();
    let mut folders = vec![(root.to_path_buf(), 0)];
    while let Some((folder, depth)) = folders.pop() {
        let Ok(entries) = std::fs::read_dir(&folder) else { continue };
        for path in entries.flatten().map(|entry| entry.path()) {
            if path.is_dir() && depth < 2 {
                folders.push((path, depth + 1));
            } else if path.extension().is_some_and(|extension| extension == "rhai")
                && let Ok(below) = path.strip_prefix(root)
            {
                scripts.push(below.to_string_lossy().into_owned());
            }
        }
        if scripts.len() > 1000 {
            break;
        }
    }
    scripts.sort();
    scripts
}

/// The text of the `//!` lines at the top.
pub(crate) fn description(text: &str) -> String {
    let lines = text.lines().skip_while(|line| line.trim().is_empty() || line.starts_with("#!"));
    let lines = lines.map_while(|line| line.trim_start().strip_prefix("//!"));
    lines.map(|line| line.strip_prefix(' ').unwrap_or(line)).collect::<Vec<_>>().join("\n").trim().to_owned()
}

fn title(text: &str) -> String {
    description(text).lines().next().unwrap_or_default().to_owned()
}
