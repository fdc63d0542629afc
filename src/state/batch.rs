//! One transaction of many operations: each has its savepoint, all have one commit.

use rusqlite::{Connection, Transaction, TransactionBehavior};

use super::{
    Cause, Trouble,
    order::{Failure, Lazy, Order, guarded},
    seam::Seam,
    sorting,
};

/// Does durable writes, and answers each once they are on the disk. Otherwise none happened as far as anybody was
/// told, and the trouble is that of the database.
pub(super) fn durable(
    connection: &Connection,
    orders: Vec<Box<dyn Order>>,
    seam: &Seam,
) -> Result<(), Trouble> {
    let mut orders: Vec<_> = orders.into_iter().filter(|order| !order.is_deserted()).collect();
    if orders.is_empty() {
        return Ok(());
    }
    let outcome = run(connection, &mut orders, seam);
    match outcome {
        Ok(own) => {
            for (order, own) in orders.into_iter().zip(own) {
                order.answer(own.map_or(Ok(()), Err));
            }
            Ok(())
        }
        Err(trouble) => {
            for order in orders {
                let what = order.what();
                order.answer(Err(trouble.about(what)));
            }
            Err(trouble)
        }
    }
}

/// Runs and commits; tells of each operation its own failure.
fn run(
    connection: &Connection,
    orders: &mut [Box<dyn Order>],
    seam: &Seam,
) -> Result<Vec<Option<Trouble>>, Trouble> {
    let transaction = begin(connection)?;
    let mut own = Vec::with_capacity(orders.len());
    for order in orders {
        own.push(within(&transaction, |on| order.run(on))?.err());
    }
    commit(transaction, seam)?;
    Ok(own)
}

/// Does lazy writes until `urgent` says that somebody waits. What was not done comes back, the trouble with it.
pub(super) fn lazy(
    connection: &Connection,
    mut writes: Vec<Lazy>,
    seam: &Seam,
    urgent: impl Fn() -> bool,
) -> (Vec<Lazy>, Result<(), Trouble>) {
    let done = (|| {
        // In the write-ahead log such a commit waits for no disk; the next durable one takes it along.
        synchronous(connection, "NORMAL")?;
        let transaction = begin(connection)?;
        let mut done = 0;
        for lazy in &writes {
            if done > 0 && urgent() {
                break;
            }
            let outcome = within(&transaction, |on| guarded(lazy.what, || (lazy.op)(on)))?;
            if let Err(trouble) = outcome {
                tracing::error!(%trouble, "a lazy write is dropped");
            }
            done += 1;
        }
        commit(transaction, seam)?;
        synchronous(connection, "FULL")?;
        Ok(done)
    })();
    match done {
        Ok(done) => (writes.split_off(done), Ok(())),
        Err(trouble) => (writes, Err(trouble)),
    }
}

/// Answers reads.
pub(super) fn reads(connection: &Connection, orders: Vec<Box<dyn Order>>) -> Result<(), Trouble> {
    let mut orders = orders.into_iter();
    while let Some(mut order) = orders.next() {
        if order.is_deserted() {
            continue;
        }
        let outcome = read(connection, order.as_mut());
        let what = order.what();
        match outcome {
            Ok(own) => order.answer(own),
            Err(trouble) => {
                order.answer(Err(trouble.about(what)));
                for order in orders {
                    let what = order.what();
                    order.answer(Err(trouble.about(what)));
                }
                return Err(trouble);
            }
        }
    }
    Ok(())
}

/// One read, in a transaction of its own that is never kept: it sees one state, and changes none.
fn read(connection: &Connection, order: &mut dyn Order) -> Result<Result<(), Trouble>, Trouble> {
    let sort = |e: rusqlite::Error| sorting::trouble(order.what(), &e);
    connection.pragma_update(None, "query_only", true).map_err(sort)?;
    let transaction = Transaction::new_unchecked(connection, TransactionBehavior::Deferred).map_err(sort)?;
    let outcome = order.run(&transaction);
    drop(transaction);
    let sort = |e: rusqlite::Error| sorting::trouble(order.what(), &e);
    connection.pragma_update(None, "query_only", false).map_err(sort)?;
    match outcome {
        Ok(()) => Ok(Ok(())),
        Err(Failure::Own(trouble)) => Ok(Err(trouble)),
        Err(Failure::Database(trouble)) => Err(trouble),
    }
}

/// One operation in its savepoint. The outer error is the database's.
fn within(
    transaction: &Transaction<'_>,
    op: impl FnOnce(&Transaction<'_>) -> Result<(), Failure>,
) -> Result<Result<(), Trouble>, Trouble> {
    let sort = |e: rusqlite::Error| sorting::trouble("the state database", &e);
    transaction.execute_batch("SAVEPOINT op").map_err(sort)?;
    let outcome = op(transaction);
    if transaction.is_autocommit() {
        // SQLite rolled all back by itself, as it does on a full disk; or the operation ended the transaction.
        return Err(match outcome {
            Err(Failure::Own(trouble) | Failure::Database(trouble)) => trouble,
            Ok(()) => {
                Trouble::new("the state database", Cause::Rejected, "an operation ended the transaction")
            }
        });
    }
    match outcome {
        Ok(()) => transaction.execute_batch("RELEASE op").map(Ok).map_err(sort),
        Err(Failure::Own(trouble)) => {
            transaction.execute_batch("ROLLBACK TO op; RELEASE op").map_err(sort)?;
            Ok(Err(trouble))
        }
        Err(Failure::Database(trouble)) => Err(trouble),
    }
}

fn begin(connection: &Connection) -> Result<Transaction<'_>, Trouble> {
    Transaction::new_unchecked(connection, TransactionBehavior::Immediate)
        .map_err(|e| sorting::trouble("the state database", &e))
}

/// Commits. After a failure nobody knows what the disk holds, until the database was opened again.
fn commit(transaction: Transaction<'_>, seam: &Seam) -> Result<(), Trouble> {
    seam.commit()
        .and_then(|()| transaction.commit())
        .map_err(|e| sorting::trouble("the state database", &e).doubtful())
}

fn synchronous(connection: &Connection, how: &str) -> Result<(), Trouble> {
    connection.pragma_update(None, "synchronous", how).map_err(|e| sorting::trouble("the state database", &e))
}
