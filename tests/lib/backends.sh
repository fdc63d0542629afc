# The pinned environments of the real backends, under the target directory. Sourced after steps.sh.
#
# An environment's name holds the hash of its lock file: it is built once, and again when the lock changes. The tests
# start the servers themselves, on free ports, with the Python that these variables name; without its variable a test
# skips. A variable that is set already is left alone, so an environment of one's own can be tried.
#   BACKLINE_REAL_GRADIO_6, _5, _4   Python with Gradio 6.31.0, 5.29.0, 4.44.1
#   BACKLINE_REAL_LITELLM            Python with LiteLLM 1.106.2; its executable `litellm` lies beside it
#   BACKLINE_WAN2GP_DIR              a checkout of WanGP, never installed from here
#   BACKLINE_WAN2GP_PYTHON           Python with what its MCP server needs; installed where there is a checkout
#   BACKLINE_COMFYUI_DIR             a checkout of ComfyUI, never installed from here
#   BACKLINE_COMFYUI_PYTHON          Python with its requirements and `requests`; else `python3`

locks=$top/tests/backends
environments=$built/backends

hash_of() { python3 -c 'import hashlib, sys; print(hashlib.sha256(open(sys.argv[1], "rb").read()).hexdigest()[:12])' "$1"; }

# uv resolves and installs in seconds what takes pip minutes.
install_uv() {
    local home=$environments/uv-$(hash_of "$locks/uv.txt")
    uv=$home/bin/uv
    "$uv" --version >/dev/null 2>&1 && return
    python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
        echo "the real backends need Python 3.11 or newer as python3"
        return 1
    }
    rm -rf "$home"
    python3 -m venv "$home"
    "$home/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes -r "$locks/uv.txt"
}

# environment VARIABLE LOCK: exports the Python of the environment that holds exactly the lock's packages.
environment() {
    [[ -z ${!1:-} ]] || return 0
    local lock=$locks/$2.txt
    local home=$environments/$2-$(hash_of "$lock")
    if ! [[ -e $home/complete ]] || ! "$home/bin/python" -c ''; then
        echo "    installing $2"
        rm -rf "$home"
        "$uv" venv --quiet --python "$(command -v python3)" "$home"
        "$uv" pip sync --quiet --python "$home/bin/python" --require-hashes "$lock"
        : >"$home/complete"
    fi
    export "$1=$home/bin/python"
}

install_backends() {
    install_uv
    environment BACKLINE_REAL_GRADIO_6 gradio-6.31.0
    environment BACKLINE_REAL_GRADIO_5 gradio-5.29.0
    environment BACKLINE_REAL_GRADIO_4 gradio-4.44.1
    environment BACKLINE_REAL_LITELLM litellm-1.106.2
    [[ -z ${BACKLINE_WAN2GP_DIR:-} ]] || environment BACKLINE_WAN2GP_PYTHON wan2gp-12.60
    # The servers stay on this machine.
    export GRADIO_ANALYTICS_ENABLED=False HF_HUB_OFFLINE=1 LITELLM_LOCAL_MODEL_COST_MAP=True
}
