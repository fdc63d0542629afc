# Steps with their durations, and the totals of every test run of the script. Sourced.
#
# A test that cannot run here (no ComfyUI checkout, say) appends one line, `SKIP: <what>: <reason>`, to the file that
# BACKLINE_SKIPS names. To the runner it passed; the totals take it from the passed and count it as skipped.

export LC_ALL=C # one decimal point, whatever the machine speaks
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
built=${CARGO_TARGET_DIR:-$top/target}
scratch=$built/tests-run
began=$EPOCHREALTIME
current=
passed=0 failed=0 skipped=0

seconds_since() { awk -v a="$1" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.3f", b - a }'; }

# step NAME COMMAND...: the script ends at the first command that fails, and says in which step.
step() {
    current=$1
    local start=$EPOCHREALTIME
    shift
    printf '\n==> %s\n' "$current"
    "$@"
    printf '    %s: %.1f s\n' "$current" "$(seconds_since "$start")"
    current=
}

# skip WHAT REASON: a step that cannot run on this machine.
skip() {
    printf '\nSKIP: %s: %s\n' "$1" "$2"
    skipped=$((skipped + 1))
}

# counted COMMAND...: runs tests, and adds the runner's own closing lines to the totals.
counted() {
    local log=$scratch/closing.log status=0 counts
    "$@" 2>&1 | tee "$log" || status=$?
    counts=$(tally "$log")
    if [[ -z $counts && $status == 0 ]]; then
        echo "no closing line of a test runner in: $*"
        return 1
    fi
    add_counts ${counts:-0 0 0}
    return "$status"
}

add_counts() {
    passed=$((passed + $1)) failed=$((failed + $2)) skipped=$((skipped + $3))
}

# Prints `passed failed skipped`, summed over the closing lines of nextest ("Summary [..] 3 tests run: 2 passed
# (1 slow), 1 timed out, 4 skipped"), of cargo test ("test result: ok. 2 passed; 0 failed; 1 ignored; ...") and of
# the browser's ("2 passed, 0 failed").
tally() {
    awk '
        function count(word) { return match($0, "[0-9]+ " word) ? substr($0, RSTART) + 0 : 0 }
        { gsub(/\033\[[0-9;]*m/, "") }
        /^ *Summary \[/ || /^test result: / || /^[0-9]+ passed, [0-9]+ failed/ {
            seen = 1
            passed += count("passed")
            failed += count("failed") + count("timed out") + count("exec failed")
            skipped += count("skipped") + count("ignored")
        }
        END { if (seen) print passed, failed, skipped }
    ' "$1"
}

# The last line of every run, in the form of nextest: what CI reads.
print_totals() {
    local inside=0
    if [[ -s $scratch/skips ]]; then
        printf '\n'
        cat "$scratch/skips"
        inside=$(wc -l <"$scratch/skips")
    fi
    add_counts "-$inside" 0 "$inside"
    printf '\n     Summary [%8.3fs] %d tests run: %d passed' \
        "$(seconds_since "$began")" $((passed + failed)) "$passed"
    ((failed == 0)) || printf ', %d failed' "$failed"
    printf ', %d skipped\n' "$skipped"
}

close() {
    local status=$?
    if [[ $status != 0 && -n $current ]]; then
        printf '\nFAILED: %s (exit code %d)\n' "$current" "$status"
    fi
    print_totals
    exit "$status"
}

open_run() {
    mkdir -p "$scratch"
    : >"$scratch/skips"
    export BACKLINE_SKIPS=$scratch/skips
    trap close EXIT
    # Without these, the exit code of a run that was ended would be that of its last command.
    trap 'exit 130' INT
    trap 'exit 143' TERM
}
