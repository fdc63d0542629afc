use serde_json::json;

use super::*;
use crate::{
    jobs::{Job, journal::Journal},
    net::body::hex,
};

fn workflow(file: &str) -> Work {
    let graph = json!({ "1": { "class_type": "LoadImage", "inputs": { "image": { "$file": file } } } });
    Job::workflow("comfyui", graph).work.unwrap()
}

fn named(work: &Work) -> (String, String) {
    let (_, document) = work.document();
    let (asked, place) = attachment::asked(document, "workflow").unwrap().remove(0);
    assert_eq!(place, "workflow.1.inputs.image");
    (asked.file.clone(), asked.name().to_owned())
}

#[test]
fn a_name_is_passed_on_without_what_could_harm() {
    for (name, safe) in [
        ("start.png", "start.png"),
        ("/etc/../passwd", "passwd"),
        ("..\\..\\boot.ini", "boot.ini"),
        ("..", "file"),
        (".hidden", "hidden"),
        ("a\nb\".png", "a_b_.png"),
        ("", "file"),
    ] {
        assert_eq!(safe_name(name), safe, "{name:?}");
    }
    assert!(safe_name(&format!("{}.png", "a".repeat(500))).ends_with("a.png"), "the extension is cut");
}

#[test]
fn a_handle_is_read_back_and_nothing_else_is_one() {
    let stored = Stored { sha256: "0123456789abcdef".repeat(4), bytes: 3 };
    let text = handle(&stored, "in/start.png");
    assert_eq!(read_handle(&text), Some((stored.sha256.as_str(), "start.png")));
    for none in ["", "upload:", "upload:abc:x", "/a/b.png", "upload:../../x:y", &stored.sha256] {
        assert_eq!(read_handle(none), None, "{none}");
    }
}

#[cfg(feature = "state")]
#[tokio::test]
async fn what_becomes_of_the_original_changes_nothing() {
    use sha2::{Digest, Sha256};
    let home = tempfile::tempdir().unwrap();
    let (original, store) = (home.path().join("start.png"), Inputs::new(home.path().join("inputs")));
    std::fs::write(&original, b"pixels").unwrap();
    let asked = workflow(&original.to_string_lossy());
    let (work, held) = gather(Some(&store), asked.clone(), Paths::Allowed).await.unwrap();
    let hash = hex(&Sha256::digest(b"pixels"));
    assert_eq!(
        (named(&work), held.files()),
        ((hash.clone(), "start.png".to_owned()), vec![(hash.clone(), 6)])
    );
    std::fs::write(&original, b"other pixels").unwrap();
    let place = PathBuf::from(named(&store.located(&work)).0);
    assert_eq!(std::fs::read(&place).unwrap(), b"pixels");
    assert_eq!(named(&store.located(&work)).1, "start.png");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = |path: &std::path::Path| path.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&place), mode(place.parent().unwrap())), (0o600, 0o700));
    }
    // The same name with other bytes is another request.
    let (other, _) = gather(Some(&store), asked, Paths::Allowed).await.unwrap();
    assert_ne!(named(&other), named(&work));
    let leftovers = std::fs::read_dir(home.path().join("inputs")).unwrap().count();
    assert_eq!(leftovers, 2, "something half done lies about");
}

#[cfg(feature = "state")]
#[tokio::test]
async fn a_file_that_is_held_stays_until_it_is_let_go() {
    let home = tempfile::tempdir().unwrap();
    let store = Inputs::new(home.path().join("inputs"));
    let journal = Journal::new(None, tokio::sync::watch::channel(crate::config::JobsConfig::default()).1);
    let mut held = Held::new(store.clone());
    let mut incoming = Incoming::new(&store).await.unwrap();
    incoming.write(b"pixels").await.unwrap();
    let stored = incoming.finish(&mut held).await.unwrap();
    let freed = [stored.sha256.clone(), "../x".to_owned()];
    store.remove(&freed, &journal).await;
    store.collect(&journal).await;
    let (work, again) =
        gather(Some(&store), workflow(&handle(&stored, "a.png")), Paths::Refused).await.unwrap();
    assert_eq!(again.files(), [(stored.sha256.clone(), 6)]);
    drop((held, again));
    store.remove(&freed, &journal).await;
    let gone = gather(Some(&store), workflow(&handle(&stored, "a.png")), Paths::Refused).await.unwrap_err();
    assert!(gone.message().contains("no such upload"), "{gone}");
    drop(work);
}

#[tokio::test]
async fn what_is_no_file_is_named_with_its_place_also_where_nothing_is_kept() {
    let home = tempfile::tempdir().unwrap();
    let missing = home.path().join("missing.png").to_string_lossy().into_owned();
    let directory = home.path().to_string_lossy().into_owned();
    for (file, paths, says) in [
        (&missing, Paths::Allowed, "missing.png cannot be read"),
        (&directory, Paths::Allowed, "is a directory"),
        (&missing, Paths::Refused, "may not be named from elsewhere"),
    ] {
        for store in [None, Some(Inputs::new(home.path().join("inputs")))] {
            let fault = gather(store.as_ref(), workflow(file), paths).await.unwrap_err();
            assert_eq!(fault.code(), Code::BadRequest);
            let text = fault.message();
            assert!(text.starts_with("`workflow.1.inputs.image`: ") && text.contains(says), "{text}");
        }
    }
    let handle = format!("upload:{}:a.png", "0".repeat(64));
    let fault = gather(None, workflow(&handle), Paths::Allowed).await.unwrap_err();
    assert!(fault.fix().contains("state directory"), "{fault}");
}
