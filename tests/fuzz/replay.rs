//! The corpus, read as ordinary tests: what was found once stays found.

use std::{fs, path::Path};

fn replay(target: &str, read: impl Fn(&[u8])) {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target);
    let mut count = 0;
    for file in fs::read_dir(&corpus).unwrap_or_else(|e| panic!("{}: {e}", corpus.display())) {
        read(&fs::read(file.expect("a file").path()).expect("it can be read"));
        count += 1;
    }
    assert!(count > 0, "{target} has no corpus");
}

macro_rules! targets {
    ($($target:ident)*) => {
        $(
            #[test]
            fn $target() {
                replay(stringify!($target), backline::fuzz::$target);
            }
        )*
    };
}

targets! { comfyui_frame comfyui_message comfyui_answer wan2gp_answer sse gradio_config openai_stream }
