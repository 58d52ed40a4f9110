#!/bin/sh
# Runs `dev TARGET ...` with a Python that can carry Odoo 19 (3.10 to 3.13); installs Debian's when there is none.
root=$(dirname -- "$(dirname -- "$(readlink -f -- "$0")")")

fits() {
    command -v "$1" >/dev/null 2>&1 && "$1" - 2>/dev/null <<'PY'
import ensurepip, sys, venv
sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 13))
PY
}

choose() {
    for candidate in ${PYTHON:-} python3 python3.13 python3.12 python3.11 python3.10 /usr/bin/python3; do
        if fits "$candidate"; then
            python=$candidate
            return 0
        fi
    done
    return 1
}

install_python() {
    as_root=
    if [ "$(id -u)" != 0 ]; then
        command -v sudo >/dev/null 2>&1 || return 1
        as_root="sudo -n"
    fi
    command -v apt-get >/dev/null 2>&1 || return 1
    output=$(
        {
            $as_root apt-get update
                $as_root env DEBIAN_FRONTEND=noninteractive \
                    apt-get install -y --no-install-recommends python3 python3-venv ca-certificates
        } 2>&1
    ) || {
        echo "$output" | tail -n 15 >&2
        return 1
    }
}

# The environment's own interpreter has been checked when it was made, so a warm start skips the search.
marker=$root/.dev/python
if [ -r "$marker" ] && [ -x "$(cat "$marker")" ]; then
    python=$(cat "$marker")
elif ! choose; then
    echo "==> Installing Debian packages for this environment's tools: python3 python3-venv" >&2
    started=$(date +%s)
    if ! { install_python && choose; }; then
        echo "error: no Python 3.10 to 3.13 with venv found: apt-get install python3 python3-venv, or set PYTHON=" >&2
        exit 1
    fi
    echo "    done in $(($(date +%s) - started)) s" >&2
fi
exec "$python" -c 'import sys; sys.path[0] = sys.argv.pop(1); from dev.__main__ import main; main()' "$root" "$@"
