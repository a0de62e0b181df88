#!/usr/bin/env bash
# Sees to it that there is a Chromium for the tests of the playground: one that is there, else Debian's or Ubuntu's.
set -euo pipefail

names="chromium chromium-browser google-chrome google-chrome-stable"

find_browser() {
    [ -n "${CHROMIUM:-}" ] && [ -x "$CHROMIUM" ] && return
    for name in $names; do
        command -v "$name" >/dev/null && return
    done
    return 1
}

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi
}

find_browser && exit
if command -v apt-get >/dev/null && { [ "$(id -u)" = 0 ] || sudo -n true 2>/dev/null; }; then
    echo "Installing Chromium for the tests of the playground" >&2
    as_root apt-get update -qq
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium >/dev/null
    find_browser && exit
fi
echo "The tests of the playground need Chromium. Install it, as by 'apt-get install chromium', or let CHROMIUM name its program." >&2
exit 1
