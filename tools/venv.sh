#!/bin/sh
# Make the virtual environment DIR with the locked requirements and this project in it. Usage: tools/venv.sh DIR
# $PYTHON is the interpreter to take; where it is empty, the newest supported one on PATH.
set -eu

dir=$1
supported="python3.14 python3.13 python3.12 python3.11"

fail() {
    echo "error: $1" >&2
    exit 1
}

# Print "3.12" for an interpreter of 3.11 or later, nothing for others.
version_of() {
    "$1" -c 'import sys; print("%d.%d" % sys.version_info[:2] if sys.version_info >= (3, 11) else "")' 2>/dev/null || true
}

# Debian's pythonX.Y comes without ensurepip: `python -m venv` fails there halfway, with advice in its output.
can_make_venv() {
    "$1" -c 'import ensurepip, venv' 2>/dev/null
}

venv_missing() {
    version=$(version_of "$1")
    if command -v apt-get >/dev/null 2>&1; then
        fail "$1 cannot make virtual environments. Run: apt install python$version-venv"
    fi
    fail "$1 cannot make virtual environments: install the ensurepip and venv modules of Python $version"
}

find_python() {
    without_venv=""
    for candidate in $supported python3; do
        command -v "$candidate" >/dev/null 2>&1 || continue
        [ -n "$(version_of "$candidate")" ] || continue
        if can_make_venv "$candidate"; then
            echo "$candidate"
            return
        fi
        without_venv=${without_venv:-$candidate}
    done
    [ -z "$without_venv" ] || venv_missing "$without_venv"
    fail "no Python 3.11 or later on PATH. Install one (Debian, Ubuntu: apt install python3 python3-venv; macOS: brew install python@3.13), or name it: make PYTHON=/path/to/python3"
}

command -v git >/dev/null 2>&1 || fail "git is missing: certificates are files of a git repository. Install it (Debian, Ubuntu: apt install git; macOS: xcode-select --install)"

if [ -n "${PYTHON:-}" ]; then
    python=$PYTHON
    command -v "$python" >/dev/null 2>&1 || fail "PYTHON=$python: there is no such program"
    [ -n "$(version_of "$python")" ] || fail "PYTHON=$python is too old: Python 3.11 or later is needed"
    can_make_venv "$python" || venv_missing "$python"
else
    python=$(find_python)
fi

# An environment of another interpreter, or of one that is gone, is made anew; a sound one is only brought up to date.
wanted=$(version_of "$python")
[ "$(version_of "$dir/bin/python")" = "$wanted" ] || "$python" -m venv --clear "$dir"

echo "installing into $dir (Python $wanted)"
export PIP_DISABLE_PIP_VERSION_CHECK=1
"$dir/bin/python" -m pip install --quiet --require-hashes --requirement requirements-dev.txt
"$dir/bin/python" -m pip install --quiet --no-deps --no-build-isolation --editable .
