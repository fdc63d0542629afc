use super::*;
use crate::{
    model::Severity,
    notices::{
        book::{Book, QUIET},
        draft::Draft,
        keep::Saved,
        moment::Moment,
    },
};

fn database() -> Connection {
    let on = Connection::open_in_memory().unwrap();
    on.execute_batch(include_str!("../../state/schema/004_notices.sql")).unwrap();
    on
}

fn save(on: &mut Connection, saved: &mut Saved, book: &Book) -> usize {
    let Some(delta) = saved.delta(book) else { return 0 };
    let transaction = on.transaction().unwrap();
    write(&transaction, &delta).unwrap();
    // A lazy write may be done again after trouble with the disk.
    write(&transaction, &delta).unwrap();
    transaction.commit().unwrap();
    delta.notices.len()
}

fn now() -> Moment {
    let now = Moment::now();
    Moment { tick: now.tick + QUIET, ..now }
}

fn draft(code: Code) -> Draft {
    Draft::new(code, Severity::Warning).backend("a".parse().unwrap()).subject("s").detail("one\ntwo")
}

#[test]
fn what_is_written_is_read_back_and_goes_on() {
    let (mut on, mut saved, mut book, now) = (database(), Saved::default(), Book::default(), now());
    book.raise(draft(Code::Hang).times(7), now);
    book.raise(Draft::new(Code::Flapping, Severity::Info), now);
    book.raise(draft(Code::Tls), now);
    book.clear(Code::Tls, Some(&"a".parse().unwrap()), now);
    let open = book.open(now);
    book.dismiss(open[1].id, now).unwrap();
    book.mute(open[0].id, Some(Mute::Until(now.wall + KEPT)), now).unwrap();
    assert_eq!(save(&mut on, &mut saved, &book), 3);
    assert_eq!(save(&mut on, &mut saved, &book), 0, "nothing changed");
    book.raise(draft(Code::Hang), now);
    assert_eq!(save(&mut on, &mut saved, &book), 1);

    let rows = read(&on).unwrap();
    let mut next = Book::default();
    next.restore(rows.notices, rows.mutes, now);
    let all = |book: &Book| book.open(now).into_iter().filter(|n| n.backend.is_some()).collect::<Vec<_>>();
    assert_eq!(all(&next), all(&book));
    assert!(next.ended().any(|n| n.code == Code::Tls));
    assert!(next.ended().any(|n| n.code == Code::Flapping), "about no backend: judged anew");
}

#[test]
fn history_is_pruned_and_what_cannot_be_read_is_left_out() {
    let (mut on, now) = (database(), now());
    let insert = "INSERT INTO notices VALUES (?1, ?2, 'error', NULL, NULL, 'm', 'f', 1, 0, 0, ?3, NULL, 0)";
    let at = now.wall.as_microsecond();
    for id in 0..600 {
        on.execute(insert, params![id, "hang", at - id]).unwrap();
    }
    on.execute(insert, params![1000, "hang", 1]).unwrap();
    on.execute(insert, params![1001, "of_a_later_version", None::<i64>]).unwrap();
    save(&mut on, &mut Saved::default(), &Book::default());
    let kept: i64 = on.query_row("SELECT count(*) FROM notices", (), |row| row.get(0)).unwrap();
    assert_eq!(kept, rows(HISTORY + 1));
    assert_eq!(read(&on).unwrap().notices.len(), HISTORY);
}
