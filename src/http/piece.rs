//! Values in a body, by the shapes that the file has too.

use indexmap::IndexMap;
use serde::Deserialize;

use crate::settings::Fields;

/// Values by name; `null` takes an edit back.
pub(super) type Pieces = IndexMap<String, Option<Piece>>;

/// A value of a body, by the shapes that the file has too.
#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum Piece {
    Flag(bool),
    Count(u64),
    Text(String),
    List(Vec<String>),
    Group(IndexMap<String, Option<Piece>>),
}

/// How deep groups may stand in one another: `headers` is the deepest of the table.
const DEPTH: usize = 4;

/// The fields by their paths, as the layers have them.
pub(super) fn flat(fields: Pieces) -> Result<Fields, &'static str> {
    let flat = any(fields)?;
    if flat.is_empty() { Err("it names no field") } else { Ok(flat) }
}

/// The same, where there may be none.
pub(super) fn any(fields: Pieces) -> Result<Fields, &'static str> {
    let mut flat = Fields::new();
    spread(fields, "", 0, &mut flat)?;
    Ok(flat)
}

fn spread(fields: Pieces, above: &str, depth: usize, flat: &mut Fields) -> Result<(), &'static str> {
    if depth > DEPTH {
        return Err("groups stand too deep in one another");
    }
    for (name, piece) in fields {
        let path = if above.is_empty() { name } else { format!("{above}.{name}") };
        let text = match piece {
            None => {
                flat.put(path, None);
                continue;
            }
            Some(Piece::Group(inside)) => {
                spread(inside, &path, depth + 1, flat)?;
                continue;
            }
            Some(Piece::List(list)) if path == "login" => {
                let [user, password] =
                    <[String; 2]>::try_from(list).map_err(|_| "`login` is a user and a password")?;
                flat.put("login.user".to_owned(), Some(user));
                flat.put("login.password".to_owned(), Some(password));
                continue;
            }
            Some(Piece::Flag(flag)) => flag.to_string(),
            Some(Piece::Count(count)) => count.to_string(),
            Some(Piece::Text(text)) => text,
            Some(Piece::List(list)) => list.join(","),
        };
        flat.put(path, Some(text));
    }
    Ok(())
}
