//! Whether this process runs in a container, where 127.0.0.1 is the container and not the machine around it.

use std::{path::Path, sync::OnceLock};

/// The name of what runs this process in a container; `None` where nothing says so. Looked at once.
pub(crate) fn container() -> Option<&'static str> {
    static SEEN: OnceLock<Option<&'static str>> = OnceLock::new();
    *SEEN.get_or_init(|| {
        let groups = std::fs::read_to_string("/proc/1/cgroup").unwrap_or_default();
        judge(&|file| Path::new(file).exists(), &|name| std::env::var(name).ok(), &groups)
    })
}

/// By what the engines leave: Docker a file at the root, Podman another, both and systemd-nspawn a variable,
/// Kubernetes its own variables, older ones the names of the first process's control groups.
fn judge(
    exists: &dyn Fn(&str) -> bool,
    env: &dyn Fn(&str) -> Option<String>,
    groups: &str,
) -> Option<&'static str> {
    let set = |name: &str| env(name).is_some_and(|value| !value.is_empty());
    let named = env("container").unwrap_or_default();
    if set("KUBERNETES_SERVICE_HOST") || groups.contains("kubepods") {
        return Some("a Kubernetes pod");
    }
    if exists("/run/.containerenv") || named == "podman" {
        return Some("a Podman container");
    }
    if exists("/.dockerenv") || named == "docker" || groups.contains("/docker") {
        return Some("a Docker container");
    }
    let other = !named.is_empty() || groups.contains("/lxc") || groups.contains("containerd");
    other.then_some("a container")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_engine_is_known_by_what_it_leaves() {
        let seen = |file: &str, variable: (&str, &str), groups: &str| {
            let (file, variable) = (file.to_owned(), (variable.0.to_owned(), variable.1.to_owned()));
            let env = move |name: &str| (name == variable.0).then(|| variable.1.clone());
            judge(&move |at| at == file, &env, groups)
        };
        assert_eq!(seen("", ("", ""), "0::/init.scope"), None);
        assert_eq!(seen("/.dockerenv", ("", ""), ""), Some("a Docker container"));
        assert_eq!(seen("", ("container", "podman"), ""), Some("a Podman container"));
        assert_eq!(seen("/run/.containerenv", ("", ""), ""), Some("a Podman container"));
        assert_eq!(seen("", ("container", "systemd-nspawn"), ""), Some("a container"));
        assert_eq!(seen("", ("container", ""), ""), None);
        assert_eq!(seen("", ("KUBERNETES_SERVICE_HOST", "10.0.0.1"), ""), Some("a Kubernetes pod"));
        assert_eq!(seen("", ("", ""), "1:name=systemd:/docker/0123"), Some("a Docker container"));
    }
}
