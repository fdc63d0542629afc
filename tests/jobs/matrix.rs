//! Every kind under every fault: the table says how each may end, and why.

use std::{collections::BTreeSet, time::Duration};

use backline::model::{JobState, JobStatus};
use futures_util::{StreamExt, stream};

use crate::{
    cells::{self, Played},
    stand::{Column, Stand},
};

const TABLE: &str = include_str!("matrix.txt");

/// Cells that are played at once.
const AT_ONCE: usize = 6;

/// One row of the table.
#[derive(Debug)]
struct Row {
    kind: &'static str,
    fault: &'static str,
    ends: Vec<&'static str>,
    begun: Vec<u64>,
    ended: Vec<u64>,
}

fn rows() -> impl Iterator<Item = Row> {
    let lines = TABLE.lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty());
    lines.map(|line| {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let [kind, fault, ends, begun, ended, why] = cells[..] else { panic!("six columns: {line}") };
        assert!(!why.is_empty(), "a reason: {line}");
        let numbers = |text: &str| text.split(',').map(|n| n.parse().unwrap()).collect();
        Row { kind, fault, ends: ends.split(',').collect(), begun: numbers(begun), ended: numbers(ended) }
    })
}

/// Plays all rows of a kind, and holds each to its row.
async fn play(kind: &'static str) {
    let mut played = BTreeSet::new();
    let rows: Vec<Row> = rows().filter(|row| row.kind == kind).collect();
    for row in &rows {
        assert!(played.insert(row.fault), "twice in the table: {row:?}");
    }
    let wanted: BTreeSet<&str> = cells::faults(Column::named(kind)).collect();
    assert_eq!(played, wanted, "the table does not list what can happen to {kind}");
    let ends: Vec<String> = stream::iter(rows).map(cell).buffer_unordered(AT_ONCE).concat().await;
    assert!(ends.is_empty(), "{}", ends.join("\n"));
}

/// What is wrong with a cell.
async fn cell(row: Row) -> Vec<String> {
    let stand = Stand::start(Column::named(row.kind)).await;
    let Played { status, others } = cells::play(&stand, row.fault).await;
    // What goes on at the backend after our end of it gets its time to be counted.
    if status.state == JobState::Uncertain {
        tokio::time::sleep(Duration::from_secs(3)).await;
    }
    let (begun, ended) = (stand.begun() - others.0, stand.ended() - others.1);
    eprintln!("{} {}: {}, {begun} begun, {ended} ended", row.kind, row.fault, status.state);
    let mut wrong = Vec::new();
    let mut expect = |fits: bool, what: &str| {
        if !fits {
            wrong.push(format!("{row:?}: {what}: {begun} begun, {ended} ended: {status:#?}"));
        }
    };
    expect(row.ends.contains(&status.state.as_str()), "another end");
    expect(row.begun.contains(&begun), "another number of executions");
    expect(row.ended.contains(&ended), "another number of executions that ended");
    expect(ended <= 1, "it ran to its end twice");
    expect(outputs_fit(&stand, &status, row.fault), "not all outputs");
    wrong
}

fn outputs_fit(stand: &Stand, status: &JobStatus, fault: &str) -> bool {
    // The document is history's, which died unread.
    let document = status.result.is_some() || fault == "killed_at_its_end";
    status.state != JobState::Done || (status.outputs.len() == stand.files() && document)
}

#[tokio::test]
async fn comfyui_ends_as_its_rows_say() {
    play("comfyui").await;
}

#[tokio::test]
async fn a_gradio_function_ends_as_its_rows_say() {
    play("function").await;
}

#[tokio::test]
async fn a_gradio_generator_ends_as_its_rows_say() {
    play("generator").await;
}

#[tokio::test]
async fn wan2gps_mcp_server_ends_as_its_rows_say() {
    play("wan2gp").await;
}

#[tokio::test]
async fn a_streamed_chat_ends_as_its_rows_say() {
    play("chat").await;
}
