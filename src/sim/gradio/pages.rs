//! `/config` and `/info`, as each version writes them, as far as clients read them.

use serde_json::{Map, Value, json};

use crate::sim::gradio::{
    Flavour, Version,
    functions::{Does, Offer, offers},
};

/// The components of the app, in order from 1 on: type and label.
const COMPONENTS: [(&str, Option<&str>); 14] = [
    ("state", None),
    ("textbox", Some("Prompt")),
    ("slider", Some("Steps")),
    ("image", Some("Start image")),
    ("dropdown", Some("Model")),
    ("image", Some("Output")),
    ("textbox", Some("Status")),
    ("json", Some("Info")),
    ("video", Some("Video")),
    ("file", Some("File")),
    ("button", None),
    ("button", None),
    ("button", None),
    ("button", None),
];

pub(super) fn config(version: Version, flavour: Flavour, app_id: u64, host: &str) -> Value {
    let mut page = json!({
        "version": version.as_str(), "mode": "blocks", "app_id": app_id, "dev_mode": false,
        "components": components(flavour), "title": title(flavour), "connect_heartbeat": true, "space_id": null,
        "enable_queue": true, "show_error": true, "protocol": "sse_v3", "dependencies": dependencies(version, flavour),
        "layout": {"id": 0, "children": []}, "root": format!("http://{host}"), "username": null,
        "max_file_size": null, "theme": "default", "is_colab": false,
    });
    let Value::Object(map) = &mut page else { return page };
    match version {
        Version::V4_44_1 => put(map, "show_api", json!(true)),
        Version::V5_29_0 => {
            put(map, "api_prefix", json!("/gradio_api"));
            put(map, "show_api", json!(true));
            put(map, "pages", json!([["", "Home"]]));
        }
        Version::V6_31_0 => {
            put(map, "api_prefix", json!("/gradio_api"));
            put(map, "footer_links", json!(["api", "gradio", "settings", "runs"]));
            put(map, "pages", json!([["", "Home", true]]));
            put(map, "mcp_server", json!(false));
        }
    }
    page
}

fn title(flavour: Flavour) -> &'static str {
    match flavour {
        Flavour::Plain => "WanGP-like wiretest",
        Flavour::WanGp => "WanGP",
    }
}

fn components(flavour: Flavour) -> Vec<Value> {
    let mut all: Vec<Value> = COMPONENTS
        .iter()
        .enumerate()
        .map(|(at, (sort, label))| {
            let skip = *sort == "state";
            json!({"id": at + 1, "type": sort, "props": {"label": label, "value": value(sort)}, "skip_api": skip})
        })
        .collect();
    if flavour == Flavour::WanGp {
        let credit = "<div align=center><H1>Wan<SUP>GP</SUP> v12.60 by DeepBeepMeep</H1></div>";
        all.push(json!({"id": 15, "type": "markdown", "props": {"value": credit}, "skip_api": true}));
    }
    all
}

fn value(sort: &str) -> Value {
    match sort {
        "slider" => json!(3),
        "dropdown" => json!("t2v"),
        _ => Value::Null,
    }
}

fn dependencies(version: Version, flavour: Flavour) -> Vec<Value> {
    offers(flavour).iter().enumerate().map(|(id, offer)| dependency(version, id, offer)).collect()
}

fn dependency(version: Version, id: usize, offer: &Offer) -> Value {
    let hidden = offer.name.is_none() || offer.does == Does::Browser;
    // `api_name=False` is a text in 6.31.0.
    let name = match (offer.name, version) {
        (Some(name), _) => json!(name),
        (None, Version::V6_31_0) => json!("false"),
        (None, _) => json!(false),
    };
    let mut entry = json!({
        "id": id, "targets": [[11, "click"]], "inputs": offer.inputs, "outputs": offer.outputs,
        "backend_fn": offer.does != Does::Browser, "queue": offer.queued, "api_name": name, "cancels": [],
        "types": {"generator": offer.does == Does::Stream, "cancel": false},
    });
    if let Value::Object(map) = &mut entry {
        match version {
            Version::V6_31_0 => {
                put(map, "api_visibility", json!(if hidden { "private" } else { "public" }));
            }
            _ => put(map, "show_api", json!(!hidden)),
        }
    }
    entry
}

pub(super) fn info(version: Version, flavour: Flavour) -> Value {
    let mut named = Map::new();
    for offer in offers(flavour).iter().filter(|o| o.does != Does::Browser) {
        let Some(name) = offer.name else { continue };
        // States are no parameters, and nothing that is returned.
        let shown = offer.inputs.iter().filter(|id| **id != 1);
        let told = offer.outputs.iter().filter(|id| **id != 1);
        let parameters: Vec<Value> =
            shown.zip(offer.parameters).map(|(id, name)| parameter(*id, name)).collect();
        let returns: Vec<Value> = told.map(|id| json!({"label": label(*id)})).collect();
        let mut entry = json!({"parameters": parameters, "returns": returns});
        if let Value::Object(map) = &mut entry {
            match version {
                Version::V6_31_0 => put(map, "api_visibility", json!("public")),
                _ => put(map, "show_api", json!(true)),
            }
        }
        named.insert(format!("/{name}"), entry);
    }
    json!({"named_endpoints": named, "unnamed_endpoints": {}})
}

fn parameter(id: u64, name: &str) -> Value {
    let (sort, _) = COMPONENTS[id as usize - 1];
    let default = value(sort);
    json!({"label": label(id), "parameter_name": name, "parameter_has_default": !default.is_null(),
        "parameter_default": default})
}

fn label(id: u64) -> Option<&'static str> {
    COMPONENTS[id as usize - 1].1
}

fn put(map: &mut Map<String, Value>, key: &str, value: Value) {
    map.insert(key.to_owned(), value);
}
