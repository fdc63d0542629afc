//! In which order the nodes of a graph are run.

use std::collections::HashSet;

use serde_json::{Map, Value};

use crate::sim::comfyui::{
    nodes::{self, Role},
    prompt::{class_of, inputs_of, link},
};

/// The nodes that are still to run, in the order in which they were found, with what each waits for.
#[derive(Debug)]
pub(super) struct Plan {
    left: Vec<Step>,
}

#[derive(Debug)]
struct Step {
    node: String,
    waits_for: HashSet<String>,
    role: Role,
}

impl Plan {
    /// What has to run for these outputs; a cached node is run only where it is an output itself.
    pub(super) fn new(graph: &Map<String, Value>, outputs: &[String], cached: &HashSet<String>) -> Self {
        let mut left: Vec<Step> = Vec::new();
        let mut found: Vec<String> = outputs.iter().rev().cloned().collect();
        while let Some(node) = found.pop() {
            if left.iter().any(|s| s.node == node) {
                continue;
            }
            let inputs = inputs_of(graph, &node).into_iter().flat_map(Map::values);
            let before = inputs.filter_map(link).map(|(node, _)| node.to_owned());
            let waits_for: HashSet<String> = before.filter(|n| !cached.contains(n)).collect();
            if !cached.contains(&node) {
                found.extend(waits_for.iter().cloned());
            }
            let role = nodes::class(class_of(graph, &node)).map_or(Role::Inner, |c| c.role);
            left.push(Step {
                waits_for: if cached.contains(&node) { HashSet::new() } else { waits_for },
                node,
                role,
            });
        }
        Self { left }
    }

    /// The node to run next: an output that is ready, else one that an output waits for, else the first ready one.
    pub(super) fn next(&mut self) -> Option<String> {
        let ready: Vec<usize> = (0..self.left.len()).filter(|i| self.left[*i].waits_for.is_empty()).collect();
        let feeds_output = |i: &usize| {
            let node = &self.left[*i].node;
            self.left.iter().any(|s| s.role == Role::Output && s.waits_for.contains(node))
        };
        let output = ready.iter().find(|i| self.left[**i].role == Role::Output);
        let at = *output.or_else(|| ready.iter().find(|i| feeds_output(i))).or(ready.first())?;
        let step = self.left.remove(at);
        for other in &mut self.left {
            other.waits_for.remove(&step.node);
        }
        Some(step.node)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_output_is_run_as_soon_as_it_can_be() {
        let graph: Value = serde_json::from_str(
            r#"{"1":{"class_type":"EmptyImage","inputs":{}},
                "2":{"class_type":"WireSlow","inputs":{"image":["1",0]}},
                "3":{"class_type":"SaveImage","inputs":{"images":["2",0]}},
                "4":{"class_type":"PreviewImage","inputs":{"images":["1",0]}}}"#,
        )
        .unwrap();
        let outputs = ["3".to_owned(), "4".to_owned()];
        let mut plan = Plan::new(graph.as_object().unwrap(), &outputs, &HashSet::new());
        let order: Vec<String> = std::iter::from_fn(|| plan.next()).collect();
        assert_eq!(order, ["1", "4", "2", "3"]);
    }
}
