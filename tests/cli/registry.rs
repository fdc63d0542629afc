//! `backline registry`, asked of a running instance.
#![cfg(unix)]

use backline::sim::comfyui::{SimComfyui, Version};
use nix::sys::signal::Signal;
use tokio::task::spawn_blocking;

use crate::binary::Place;

#[tokio::test(flavor = "multi_thread")]
async fn the_registry_names_who_can_do_what_and_needs_an_instance() {
    let sim = SimComfyui::start(Version::V0_24_0).await.unwrap();
    let place = Place::new();
    let url = sim.server().url();
    place.write("backline.ron", &format!(r#"(backends: {{ "comfyui": (kind: comfyui, url: "{url}") }})"#));
    spawn_blocking(move || {
        let none = place.run(&["registry"]);
        assert_eq!(none.code, 4, "{}", none.err);
        assert_eq!(place.run(&["registry", "--capability", "image.paint"]).code, 2);
        let mut running = place.start(&["run", "--listen", "127.0.0.1:0"]);
        let images = &["--json", "registry", "--capability", "image.generate"];
        let known = (0..200).find_map(|_| {
            let answer = place.run(images).json();
            let entry = answer["backends"].get(0)?.clone();
            (entry["standing"] == "current" && entry["nodes"].as_array()?.len() > 7).then_some(entry)
        });
        let entry = known.expect("it was never known");
        assert_eq!((&entry["id"], &entry["version"]), (&"comfyui".into(), &"0.24.0".into()));
        for name in ["epoch", "capabilities", "models", "functions", "observed_at"] {
            assert!(entry.get(name).is_some_and(|value| !value.is_null()), "`{name}` is missing: {entry}");
        }
        assert_eq!(entry["evidence"][0]["models"][0], "sd.safetensors");
        let chats = place.run(&["--json", "registry", "--capability", "text.chat"]);
        assert_eq!((chats.code, chats.json()["backends"].as_array().unwrap().len()), (0, 0));
        let told = place.run(&["registry", "--capability", "image.generate"]).out;
        assert!(told.contains("KSampler") && told.contains("models: sd.safetensors"), "{told}");
        let told = place.run(&["registry"]).out;
        assert!(told.contains("can: image.generate, workflow.run"), "{told}");
        running.signal(Signal::SIGTERM);
        assert_eq!(running.wait().0, 0);
    })
    .await
    .unwrap();
}
