# Cargo's tools, pinned, built under the target directory where the machine has none. Sourced after steps.sh.

# tool NAME VERSION: makes `cargo NAME` work.
tool() {
    local root=$built/tools
    [[ :$PATH: == *:$root/bin:* ]] || PATH=$root/bin:$PATH
    cargo "$1" --version >/dev/null 2>&1 && return
    echo "    installing cargo-$1 $2 (a few minutes, once)"
    cargo install --quiet --locked --root "$root" "cargo-$1" --version "$2"
}
