# A browser of the system's, and the two packages that drive it, under the target directory. Sourced after backends.sh.
#
# Chromium is the distribution's; none is downloaded. BACKLINE_CHROMIUM names another one.

browser_tests=$top/tests/browser
browser_binary=${BACKLINE_CHROMIUM:-/usr/bin/chromium}

# Prints what is missing here; nothing where all is there.
browser_lacks() {
    [[ -x $browser_binary ]] || echo "no browser at $browser_binary (Debian: chromium)"
    node -e 'process.exit(Number(process.versions.node.split(".")[0]) < 18 ? 1 : 0)' 2>/dev/null || echo "no Node.js 18 or newer (Debian: nodejs)"
    npm --version >/dev/null 2>&1 || echo "no npm (Debian: npm)"
}

# Exactly the packages of the lock, each held against its hash; none of their scripts is run.
install_browser_packages() {
    browser_packages=$built/browser/packages-$(hash_of "$browser_tests/package-lock.json")
    [[ -e $browser_packages/complete ]] && return
    rm -rf "$browser_packages"
    mkdir -p "$browser_packages"
    cp "$browser_tests/package.json" "$browser_tests/package-lock.json" "$browser_packages/"
    npm ci --prefix "$browser_packages" --ignore-scripts --no-audit --no-fund --loglevel=error
    : >"$browser_packages/complete"
}

# browse BINARY [SCENE...]: the scenes of tests/browser; their pictures stay under target/browser/pictures.
browse() {
    BACKLINE_CHROMIUM=$browser_binary node "$browser_tests/run.mjs" "$1" "$browser_packages/node_modules" "$built/browser/pictures" "${@:2}"
}
