//! The tables of the settings.

use rusqlite::{Connection, Transaction};

use crate::{
    config::Edits,
    model::Kind,
    net::Address,
    settings::book::{Book, Entered, Known},
};

/// Writes the edits in place of those before.
pub(crate) fn put_edits(on: &Transaction<'_>, edits: &Edits) -> rusqlite::Result<()> {
    on.execute("DELETE FROM edits", ())?;
    let mut insert = on.prepare("INSERT INTO edits (path, value) VALUES (?1, ?2)")?;
    for path in edits.removed() {
        insert.execute((path, None::<&str>))?;
    }
    for (path, text) in edits.texts() {
        insert.execute((path, Some(text)))?;
    }
    Ok(())
}

/// Reads the edits.
pub(crate) fn edits(on: &Connection) -> rusqlite::Result<Edits> {
    let mut edits = Edits::default();
    let mut rows = on.prepare("SELECT path, value FROM edits ORDER BY place")?;
    let mut rows = rows.query(())?;
    while let Some(row) = rows.next()? {
        let (path, value): (String, Option<String>) = (row.get(0)?, row.get(1)?);
        match value {
            // A removal stands before the values of a backend that was added again under the same name.
            Some(text) => edits.write(path, text),
            None => edits.remove(path),
        }
    }
    Ok(edits)
}

/// Writes the book in place of the one before.
pub(crate) fn put_book(on: &Transaction<'_>, book: &Book) -> rusqlite::Result<()> {
    on.execute("DELETE FROM known", ())?;
    let mut insert = on.prepare(
        "INSERT INTO known (id, kind, url, identity, title, adopted) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?;
    for known in &book.0 {
        let Known { id, kind, url, identity, title, entered } = known;
        let adopted = *entered == Entered::Adopted;
        insert.execute((id.as_str(), kind.as_str(), url.to_string(), identity, title, adopted))?;
    }
    Ok(())
}

/// Reads the book. A row that cannot be understood (a kind of a later version) is left out, and said.
pub(crate) fn book(on: &Connection) -> rusqlite::Result<Book> {
    let mut book = Book::default();
    let mut rows = on.prepare("SELECT id, kind, url, identity, title, adopted FROM known ORDER BY place")?;
    let mut rows = rows.query(())?;
    while let Some(row) = rows.next()? {
        let (id, kind, url): (String, String, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let kind = Kind::ALL.into_iter().find(|known| known.as_str() == kind);
        let (Ok(id), Some(kind), Ok(url)) = (id.parse(), kind, Address::parse(&url)) else {
            tracing::warn!(
                id,
                url,
                "a found backend in the state database cannot be understood; it is left out"
            );
            continue;
        };
        let entered = if row.get(5)? { Entered::Adopted } else { Entered::Seen };
        book.0.push(Known { id, kind, url, identity: row.get(3)?, title: row.get(4)?, entered });
    }
    Ok(book)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn database() -> Connection {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch(include_str!("../state/schema/002_settings.sql")).unwrap();
        connection
    }

    #[test]
    fn what_is_written_is_read() {
        let mut connection = database();
        let mut wanted = Edits::default();
        wanted.set("backends.a.url", "http://x");
        wanted.set("backends.a.api_key", "secret");
        wanted.remove("backends.b");
        let known = |id: &str, entered| Known {
            id: id.parse().unwrap(),
            kind: Kind::Gradio,
            url: Address::loopback(7860),
            identity: "g".to_owned(),
            title: Some("An app".to_owned()),
            entered,
        };
        let noted = Book(vec![known("x", Entered::Adopted), known("a", Entered::Seen)]);
        for _ in 0..2 {
            let transaction = connection.transaction().unwrap();
            put_edits(&transaction, &wanted).unwrap();
            put_book(&transaction, &noted).unwrap();
            transaction.commit().unwrap();
            assert_eq!(edits(&connection).unwrap(), wanted);
            assert_eq!(book(&connection).unwrap(), noted);
        }
    }

    #[test]
    fn a_row_of_a_later_version_is_left_out() {
        let connection = database();
        let insert = "INSERT INTO known (id, kind, url, identity, adopted) VALUES ('a', 'psychic', 'x', 'i', 1), ('b', 'gradio', 'x', 'i', 1)";
        connection.execute_batch(insert).unwrap();
        let ids: Vec<_> =
            book(&connection).unwrap().0.into_iter().map(|known| known.id.to_string()).collect();
        assert_eq!(ids, ["b"]);
    }
}
