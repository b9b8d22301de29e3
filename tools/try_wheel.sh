#!/usr/bin/env bash
# Build the wheel, install it into an empty environment, and run the demo from it in an empty folder.
# Used by the release workflow. FOLDER gets the wheel (dist/), the environment and the demo's folder.
set -euo pipefail

folder=$(mkdir -p "${1:?usage: tools/try_wheel.sh FOLDER}" && cd "$1" && pwd)
checkout=$(cd "$(dirname "$0")/.." && pwd)
python=${PYTHON:-python3}

"$python" -m pip wheel --quiet --no-deps --wheel-dir "$folder/dist" "$checkout"
wheel=$(ls "$folder"/dist/lakectl-*.whl)
"$python" -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet "$wheel[local]"

mkdir -p "$folder/empty"
cd "$folder/empty"
export XDG_STATE_HOME=$folder/state
trap '"$folder/venv/bin/lakectl" local stop' EXIT
installed=$("$folder/venv/bin/python" -c 'import lakectl; print(lakectl.__file__)')
case $installed in
  "$folder"/venv/*) ;;
  *) echo "error: lakectl is imported from $installed, and not from the wheel" >&2; exit 1 ;;
esac
"$folder/venv/bin/lakectl" --version
"$folder/venv/bin/lakectl" demo --orders "${ORDERS:-8772}"
"$folder/venv/bin/lakectl" down --yes
