//! The binary: its document, its exit codes, and that nothing leaves this machine.

use std::process::{Command, Output};

use backline::sim::comfyui::{SimComfyui, Version};

fn backline(arguments: &[&str], home: &std::path::Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_backline"));
    command
        .args(arguments)
        .current_dir(home)
        .env_clear()
        .env("HOME", home)
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
    command
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[tokio::test]
async fn the_command_says_what_it_found_and_exits_by_it() {
    let home = tempfile::tempdir().unwrap();
    let comfyui = SimComfyui::start(Version::V0_24_0).await.unwrap();
    let port = comfyui.server().port();
    let run = |arguments: Vec<String>| {
        let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
        backline(&arguments, home.path()).output().unwrap()
    };
    let asked = vec!["discover".to_owned(), "--json".to_owned(), "--port".to_owned(), port.to_string()];
    let shown = tokio::task::spawn_blocking({
        let command = backline(&asked.iter().map(String::as_str).collect::<Vec<_>>(), home.path());
        move || { command }.output().unwrap()
    });
    let shown = shown.await.unwrap();
    assert_eq!(shown.status.code(), Some(0), "{}", text(&shown));
    let document: serde_json::Value = serde_json::from_slice(&shown.stdout).unwrap();
    let find = &document["found"][0];
    assert_eq!(
        (&find["kind"], &find["version"], &find["needs"]),
        (&"comfyui".into(), &"0.24.0".into(), &().into())
    );
    assert_eq!(find["url"], format!("http://127.0.0.1:{port}"));
    assert!(find["identity"].as_str().unwrap().starts_with("comfyui:"));
    assert_eq!((&document["scanned"], document["took_ms"].is_u64()), (&1.into(), true));
    assert_eq!(document["silent"], serde_json::json!([]));
    drop(comfyui);
    assert_eq!(run(asked).status.code(), Some(3));
    for bad in [["--port", "0"], ["--port", "9-1"], ["--host", "10.0.0.0/8"], ["--host", "http://x"]] {
        let ended = run(vec!["discover".to_owned(), bad[0].to_owned(), bad[1].to_owned()]);
        assert_eq!(ended.status.code(), Some(2), "{bad:?}");
    }
}

/// Sends everything that is not loopback to an interface that counts: none in a default sweep, some once another
/// machine is named.
const SCRIPT: &str = r#"
set -e
ip link set lo up
ip link add counted type veth peer name beyond
for each in counted beyond; do
    echo 1 > /proc/sys/net/ipv6/conf/$each/disable_ipv6
    ip link set $each up
done
ip addr add 10.77.0.1/24 dev counted
ip route add default dev counted
sent() { cat /sys/class/net/counted/statistics/tx_packets; }
mount -t sysfs none /sys
before=$(sent)
"$1" discover --json > found.json || [ $? = 3 ]
echo "default $(($(sent) - before))"
before=$(sent)
"$1" discover --json --host 10.77.0.9 --port 9000 > other.json || [ $? = 3 ]
echo "named $(($(sent) - before))"
"#;

#[test]
fn nothing_leaves_the_machine_unless_another_is_named() {
    let home = tempfile::tempdir().unwrap();
    let permitted =
        Command::new("unshare").args(["-rnm", "ip", "link", "add", "counted", "type", "veth"]).output();
    if !permitted.as_ref().is_ok_and(|output| output.status.success()) {
        return println!("SKIP: packets in a network namespace: not permitted here ({permitted:?})");
    }
    let mut command = Command::new("unshare");
    command.args(["-rnm", "sh", "-c", SCRIPT, "sh", env!("CARGO_BIN_EXE_backline")]);
    let output = command.current_dir(home.path()).env("HOME", home.path()).output().unwrap();
    let said = text(&output);
    assert!(output.status.success(), "{said}");
    assert!(said.contains("default 0\n"), "{said}");
    // The counter counts: the other half of the proof.
    assert!(said.contains("named ") && !said.contains("named 0\n"), "{said}");
    let swept: serde_json::Value =
        serde_json::from_slice(&std::fs::read(home.path().join("found.json")).unwrap()).unwrap();
    assert_eq!(swept["scanned"], 28);
}
