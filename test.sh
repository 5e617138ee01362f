#!/usr/bin/env bash
# Checks everything: formatting, lints, and every test of the workspace.
#
#   ./test.sh          all of it; the last line is the total, as in `120 passed, 0 failed`
#   ./test.sh --long   also the tests marked #[ignore]: the place for checks that take minutes (many clients, long runs)
#
# Exit codes: 0 all passed · 1 something failed, or no test ran at all · 2 wrong usage.
# As root on Debian it installs what is missing: tshark, slowhttptest, chromium, util-linux, python3-venv, curl, nodejs and npm
# by apt-get. Clients that others wrote, which tests try against our server, come by npm into target/npm and by pip into target/venv,
# with hdrhistogram and prometheus_client; what drives a browser through the page, by npm into target/npm-page (Lighthouse for --long alone). Where that can't be done (no root, no network), the tests that need them end with a line SKIPPED.
# LAB_DATA names the folder of openfootball's worldcup files; without it, ../shared/data is used where it exists.
set -euo pipefail
cd "$(dirname "$0")"

long=no
for option in "$@"; do
    case "$option" in
        --long) long=yes ;;
        *)
            echo "test.sh: unknown option '$option'; there is only --long" >&2
            exit 2
            ;;
    esac
done

if ! command -v cargo >/dev/null; then
    echo "test.sh: cargo is not there; https://rustup.rs installs Rust" >&2
    exit 1
fi

# Some installations of Rust come without these two.
for component in rustfmt clippy; do
    if ! "cargo-${component/rustfmt/fmt}" --version >/dev/null 2>&1; then
        if ! command -v rustup >/dev/null; then
            echo "test.sh: $component is not there, nor is rustup to add it: install Rust's $component" >&2
            exit 1
        fi
        rustup component add "$component" >&2
    fi
done

# Some tests look at the program from outside: through tshark, slowhttptest, a browser, Python's HdrHistogram, Prometheus' own parser, and
# clients that others wrote. What is missing is installed where that can be done in a short time; elsewhere those tests say SKIPPED, and
# here stands why.
not_installed=()
install_packages() {
    local missing=()
    command -v tshark >/dev/null || missing+=(tshark)
    command -v slowhttptest >/dev/null || missing+=(slowhttptest)
    command -v taskset >/dev/null || missing+=(util-linux)
    python3 -c 'import ensurepip, venv' >/dev/null 2>&1 || missing+=(python3 python3-venv)
    command -v chromium >/dev/null || missing+=(chromium)
    command -v curl >/dev/null || missing+=(curl)
    command -v node >/dev/null || missing+=(nodejs)
    command -v npm >/dev/null || missing+=(npm)
    [[ ${#missing[@]} -eq 0 ]] && return 0
    if [[ "$(id -u)" -ne 0 ]] || ! command -v apt-get >/dev/null; then
        not_installed+=("${missing[*]}: it takes root and apt-get to install what is missing")
        return 0
    fi
    echo "==> apt-get install ${missing[*]}"
    export DEBIAN_FRONTEND=noninteractive
    # Without a network apt-get would try every address of every mirror, again and again.
    local once=(-qq -o Acquire::Retries=0 -o Acquire::http::Timeout=10 -o Acquire::https::Timeout=10)
    if ! { timeout 120 apt-get "${once[@]}" update &&
        timeout 300 apt-get "${once[@]}" install -y --no-install-recommends "${missing[@]}"; } >&2; then
        not_installed+=("${missing[*]}: apt-get could not install what is missing")
    fi
}
clients=bench-client/tests/ordinary_clients/clients
install_python_packages() {
    local venv="${CARGO_TARGET_DIR:-target}/venv"
    local ours=(hdrhistogram==0.10.8 prometheus_client==0.23.1)
    # What is installed stands beside it: another list is installed anew.
    local wanted
    wanted="$(printf '%s\n' "${ours[@]}" && cat "$clients/requirements.txt")"
    [[ "$(cat "$venv/installed.txt" 2>/dev/null)" == "$wanted" ]] && return 0
    if ! command -v python3 >/dev/null; then
        not_installed+=("Python packages: python3 is not there")
        return 0
    fi
    echo "==> pip install hdrhistogram, prometheus_client and $clients/requirements.txt"
    rm -rf "$venv"
    local pip=(timeout 120 "$venv/bin/python3" -m pip install --quiet --retries 0 --timeout 10)
    # One that can't be had is no reason to go without the other.
    if ! { python3 -m venv "$venv" && "${pip[@]}" "${ours[@]}"; } >&2; then
        not_installed+=("hdrhistogram and prometheus_client: pip could not install it")
    elif ! "${pip[@]}" --requirement "$clients/requirements.txt" >&2; then
        not_installed+=("websockets, aiohttp and httpx-sse: pip could not install them")
    else
        echo "$wanted" >"$venv/installed.txt"
    fi
}
# Folder of a package.json with its lock, folder to install into, what it is for, and options of npm.
install_npm_packages() {
    local from="$1" npm="$2" what="$3"
    shift 3
    # What is installed stands beside it: another list, or other options, are installed anew.
    local wanted
    wanted="$(cat "$from/package-lock.json" && echo "$@")"
    [[ "$(cat "$npm/installed.txt" 2>/dev/null)" == "$wanted" ]] && return 0
    if ! command -v npm >/dev/null || ! command -v node >/dev/null; then
        not_installed+=("npm packages for $what: node or npm is not there")
        return 0
    fi
    echo "==> npm ci, for $from/package.json"
    rm -rf "$npm"
    mkdir -p "$npm"
    cp "$from/package.json" "$from/package-lock.json" "$npm/"
    local once=(--fetch-retries=0 --fetch-timeout=10000 --no-audit --no-fund --no-update-notifier --loglevel=error)
    if ! timeout 180 npm ci --prefix "$npm" --ignore-scripts "${once[@]}" "$@" >&2; then
        rm -rf "$npm"
        not_installed+=("$what: npm could not install it")
    else
        echo "$wanted" >"$npm/installed.txt"
    fi
}
install_packages
install_python_packages
install_npm_packages "$clients" "${CARGO_TARGET_DIR:-target}/npm" "eventsource, ws and @microsoft/fetch-event-source"
page_options=(--omit=optional)
[[ "$long" == yes ]] && page_options=(--include=optional)
install_npm_packages bench-client/tests/page/scripts "${CARGO_TARGET_DIR:-target}/npm-page" "puppeteer-core and axe-core" "${page_options[@]}"

[[ -t 1 ]] || export CARGO_TERM_COLOR=never
if [[ -z "${LAB_DATA:-}" && -d ../shared/data ]]; then
    LAB_DATA="$(cd ../shared/data && pwd)"
    export LAB_DATA
fi

failures=()
# Runs a step; a failure is noted, so that the steps after it still tell what they find.
step() {
    echo "==> $*"
    "$@" || failures+=("$*")
}

log="$(mktemp)"
trap 'rm -f "$log"' EXIT
tests() {
    cargo test --workspace --no-fail-fast "$@" | tee -a "$log"
}
# Sums one count of cargo's lines `test result: ok. 5 passed; 0 failed; 1 ignored; …`.
total() {
    sed -n "s/.*test result:.* \([0-9][0-9]*\) $1;.*/\1/p" "$log" | awk '{ sum += $1 } END { print sum + 0 }'
}

step cargo fmt --all --check
step cargo clippy --workspace --all-targets -- -D warnings
step tests
skipped="$(total ignored)"
if [[ "$long" == yes && "$skipped" -gt 0 ]]; then
    step tests -- --ignored
    skipped=0
fi

passed="$(total passed)"
failed="$(total failed)"
echo
if [[ ! -d "${LAB_DATA:-}" ]]; then
    echo "SKIPPED: tests on real matches; LAB_DATA names no folder of openfootball's worldcup files, and there is no ../shared/data"
fi
for what in ${not_installed[@]+"${not_installed[@]}"}; do
    echo "SKIPPED: tests that need $what"
done
# What tests measured: figures of a debug build on a machine that does other things too. They show that bounds hold.
grep '^figure: ' "$log" | sort || true
# What tests could not check here, in their own words.
grep '^SKIPPED: ' "$log" | sort -u || true
if [[ $((passed + failed)) -eq 0 ]]; then
    failures+=("no test ran")
fi
for failure in ${failures[@]+"${failures[@]}"}; do
    echo "FAILED: $failure"
done
summary="$passed passed, $failed failed"
if [[ "$skipped" -gt 0 ]]; then
    summary+=", $skipped skipped"
fi
echo "$summary"
[[ ${#failures[@]} -eq 0 && "$failed" -eq 0 ]]
