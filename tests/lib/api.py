"""The HTTP API of a running `backline run` over simulated servers, held against what it says of itself.

    python3 api.py BACKLINE SCRATCH schemathesis PROGRAM
    python3 api.py BACKLINE SCRATCH promtool PROGRAM

`backline demo --stay` gives the simulated servers; the instance that is looked at is another.
"""

import json, os, pathlib, re, shutil, subprocess, sys, time, urllib.request

TOKEN = "held-against-its-description"
# An endless answer cannot be read to its end: the tests of tests/http read them.
ENDLESS = "/events$"
CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,response_schema_conformance"
# The names that show once three backends have each done a job and one has crashed.
METRICS = """
    backend_up backend_phase connection_attempts_total reconnects_total probe_duration_seconds
    request_duration_seconds pool_wait_seconds leases jobs jobs_total child_restarts_total events_lagged_total build_info
""".split()


def ask(url, path, token=None, body=None):
    request = urllib.request.Request(url + path, data=None if body is None else json.dumps(body).encode())
    request.add_header("Content-Type", "application/json")
    if token:
        request.add_header("Authorization", f"Bearer {token}")
    with urllib.request.urlopen(request, timeout=10) as answer:
        return answer.read().decode()


class Running:
    """A process, and the address that it prints; it ends with this."""

    def __init__(self, place, name, command, pattern, **variables):
        self.place = place / name
        self.place.mkdir(parents=True)
        environment = {k: v for k, v in os.environ.items() if not k.startswith("BACKLINE_")}
        # What it saves for its user stays here, too.
        environment |= {
            "BACKLINE_STATE_DIR": str(self.place / "state"), "XDG_CONFIG_HOME": str(self.place / "config"), **variables}
        self.said = open(self.place / "said", "w+")
        self.process = subprocess.Popen(
            command, cwd=self.place, env=environment, stdin=subprocess.DEVNULL, stdout=self.said, stderr=self.said)
        deadline = time.monotonic() + 60
        while True:
            text = (self.place / "said").read_text()
            found = re.search(pattern + r"(http://[0-9.:]+)/#(\S+)", text)
            if found:
                self.url, self.code = found.groups()
                return
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.end()
                sys.exit(f"{name} did not start:\n{text}")
            time.sleep(0.1)

    def end(self):
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            sys.exit(f"{self.place.name} did not end by SIGTERM")


def schemathesis(program, api, place):
    # One worker: Python 3.11 mixes up the syntax trees that two threads build at once, and fails with a SystemError.
    command = [
        program, "run", f"{api.url}/api/v1/openapi.json", "--header", f"Authorization: Bearer {TOKEN}",
        "--exclude-path-regex", ENDLESS, "--checks", CHECKS, "--phases", "examples,coverage,fuzzing",
        "--max-examples", "12", "--seed", "7", "--generation-database", "none", "--request-timeout", "35",
        "--workers", "1", "--no-color", "--warnings", "off",
    ]
    outcome = subprocess.run(command, cwd=place, capture_output=True, text=True)
    print("\n".join(outcome.stdout.splitlines()[-(12 if outcome.returncode == 0 else 400):]))
    if outcome.returncode:
        sys.exit(outcome.stderr[-2000:] or "the API is not what its description says")
    ask(api.url, "/healthz")


def promtool(program, stage):
    text = ask(stage.url, "/metrics")
    missing = [name for name in METRICS if not re.search(rf"^(# TYPE )?backline_{name}\b", text, re.M)]
    if missing:
        sys.exit(f"metrics of the contract are missing: {', '.join(missing)}\n{text}")
    outcome = subprocess.run([program, "check", "metrics"], input=text, capture_output=True, text=True)
    if outcome.returncode or (outcome.stdout + outcome.stderr).strip():
        sys.exit(f"promtool complains:\n{outcome.stdout}{outcome.stderr}")
    print(f"    {sum(not line.startswith('#') for line in text.splitlines())} samples, nothing to complain of")


def main():
    binary, scratch, what, program = sys.argv[1:]
    place = pathlib.Path(scratch) / f"api-{what}"
    shutil.rmtree(place, ignore_errors=True)
    running = []
    try:
        stage = Running(place, "stage", [binary, "demo", "--stay"], r"stays open until Ctrl-C: ")
        running.append(stage)
        if what == "promtool":
            return promtool(program, stage)
        token = json.loads(ask(stage.url, "/api/v1/session", body={"code": stage.code}))["token"]
        known = json.loads(ask(stage.url, "/api/v1/snapshot", token))["backends"]
        entries = ",".join(f'"{b["id"]}": (kind: {b["kind"]}, url: "{b["url"]}")' for b in known)
        config = place / "backline.ron"
        config.write_text(f"(backends: {{ {entries} }}, discovery: (adopt: never, enabled: false))")
        command = [binary, "--config", str(config), "--quiet", "run", "--listen", "127.0.0.1:0"]
        api = Running(place, "run", command, "dashboard: ", BACKLINE_TOKEN=TOKEN)
        running.append(api)
        schemathesis(program, api, place)
    finally:
        for one in reversed(running):
            one.end()


main()
