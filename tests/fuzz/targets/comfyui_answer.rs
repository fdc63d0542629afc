#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| backline::fuzz::comfyui_answer(bytes));
