"""WanGP's own MCP server over its own session API, without a card: only the generating is played.

    python wan2gp_stub.py CHECKOUT PORT OUTPUTS

CHECKOUT is a checkout of WanGP (`shared/`, `docs/` and `wangp-agent/` are enough). Needs mcp, numpy and Pillow.
A task takes `num_inference_steps` (4) steps of WAN2GP_STUB_STEP (0.05) seconds. Its prompt says how it goes: `fail` and
`oom` fail in the middle, `invalid` fails the validation, anything else makes a file of the model's kind. One line for each
generation begun and ended is written to OUTPUTS/ledger.
"""

import math
import os
import struct
import sys
import time
import types
import wave
from pathlib import Path

checkout, port, outputs = Path(sys.argv[1]).resolve(), int(sys.argv[2]), Path(sys.argv[3]).resolve()
sys.path.insert(0, str(checkout))
# The package's own __init__ imports torch; its modules that are used here do not need it.
utils = types.ModuleType("shared.utils")
utils.__path__ = [str(checkout / "shared" / "utils")]
sys.modules["shared.utils"] = utils
# Imported where a card is, never called here.
sys.modules.setdefault("torch", types.ModuleType("torch"))

import shared.api as api  # noqa: E402
from shared import mcp_server  # noqa: E402

STEP = float(os.environ.get("WAN2GP_STUB_STEP", "0.05"))
MODELS = {
    "t2v": ("Wan2.1 Text2video 14B", "wan", "video", ["text"]),
    "i2v": ("Wan2.1 Image2video 14B", "wan", "video", ["text", "image"]),
    "flux": ("Flux 1 Dev 12B", "flux", "image", ["text"]),
    "ace_step": ("ACE-Step 1.5", "tts", "audio", ["text"]),
}


def model_def(model_type):
    if model_type not in MODELS:
        return None
    name, family, output, inputs = MODELS[model_type]
    metadata = {
        "model_type": model_type, "family": family, "family_label": family, "base_model_type": model_type,
        "finetune": False, "inputs": inputs, "outputs": [output], "main_output": [output], "setting_values": {},
    }
    return {"model_type": model_type, "name": name, "description": name, "architecture": model_type,
            "metadata": metadata, "settings": {"num_inference_steps": 4}}


def wanted(filters, record):
    for key, value in filters.items():
        if value is None:
            continue
        have = record["metadata"].get(key)
        if value not in (have if isinstance(have, list) else [have]):
            return False
    return True


def ledger(line):
    with (outputs / "ledger").open("a") as book:
        book.write(line + "\n")


def make(path, seed):
    """A small file of the kind that the extension names."""
    if path.suffix == ".wav":
        with wave.open(str(path), "wb") as sound:
            sound.setparams((1, 2, 8000, 0, "NONE", ""))
            tone = (int(8000 * math.sin(i / 20 + seed)) for i in range(800))
            sound.writeframes(b"".join(struct.pack("<h", level) for level in tone))
    elif path.suffix == ".png":
        from PIL import Image
        Image.new("RGB", (64, 64), (seed % 256, 80, 120)).save(path)
    else:
        body = b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom" + os.urandom(200_000)
        path.write_bytes(body)


class Wgp(types.ModuleType):
    settings_version = 2.5
    save_path = image_save_path = audio_save_path = str(outputs)
    server_config = {}
    wan_model = None
    gen_in_progress = False

    def list_model_defs(self, **filters):
        return [record for record in map(model_def, MODELS) if wanted(filters, record)]

    def get_model_def(self, model_type):
        return model_def(model_type)

    def get_settings_from_file(self, *_):
        return {}, False, False

    def validate_task(self, task, _state):
        params = dict(task["params"])
        if "invalid" in str(params.get("prompt", "")):
            return None, "You must specify a valid resolution"
        return params, ""

    def _is_edit_task_params(self, params):
        return "mode" in params

    def generate_preview(self, *_):
        return None

    def generate_media(self, task, send_cmd, plugin_data=None, state=None, prompt="", model_type="t2v",
                       num_inference_steps=4, image_start=None, client_id=""):
        gen = state["gen"]
        ledger(f"begun {client_id}")
        steps = int(num_inference_steps)
        send_cmd("progress", [0, "Loading model"])
        for step in range(1, steps + 1):
            time.sleep(STEP)
            if gen.get("abort"):
                ledger(f"cancelled {client_id}")
                return False
            if step * 2 > steps and "oom" in prompt:
                send_cmd("error", RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB."))
                return False
            if step * 2 > steps and "fail" in prompt:
                send_cmd("error", RuntimeError("The sampler broke"))
                return False
            gen["progress_phase"] = ("Denoising", step)
            send_cmd("progress", [(step, steps), "Prompt 1/1 | Denoising"])
        output = MODELS.get(model_type, MODELS["t2v"])[2]
        path = outputs / f"{time.time_ns()}{dict(video='.mp4', image='.png', audio='.wav')[output]}"
        make(path, len(prompt))
        lists = ("audio_file_list", "audio_file_settings_list") if output == "audio" else ("file_list", "file_settings_list")
        gen[lists[0]].append(str(path))
        gen[lists[1]].append({"prompt": prompt, "model_type": model_type, "image_start": str(image_start or "")})
        send_cmd("output", None)
        ledger(f"ended {client_id}")
        return True


outputs.mkdir(parents=True, exist_ok=True)
config = (checkout / "wgp_config.json").resolve()
api._RUNTIME = api._WanGPRuntime(module=Wgp("wgp"), root=checkout, config_path=config, cli_args=())
session = api.WanGPSession(root=checkout, output_dir=outputs, console_output=False, console_isatty=False)
settings = {"host": "127.0.0.1", "port": port, "json_response": True, "stateless_http": True}
server = mcp_server.build_server_for_session(session, settings, http_media_transfer=True)
server.run(transport="streamable-http")
