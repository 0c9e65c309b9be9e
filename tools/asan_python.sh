#!/usr/bin/env bash
# Runs Python with an extension built with AddressSanitizer and UndefinedBehaviorSanitizer:
#   tools/asan_python.sh -m pytest -m fuzz
#   tools/asan_python.sh -m pytest tests/test_files.py
#   tools/asan_python.sh script.py
# The arguments are those of the interpreter: PYTHON, by default `python`, whose environment must
# hold NumPy, tqdm, pybind11 and what is run. The build is that of the preset `asan`, with the
# extension; Python files are used where they lie. Needs GCC.
set -euo pipefail

python=${PYTHON:-python}
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
build=$root/build/asan
mkdir -p "$build"

log=$build/python.log
(
  flock 9  # another run may be building
  cd "$root"
  cmake --preset asan -DLSTMFAST_BUILD_PYTHON=ON \
    -DPython_EXECUTABLE="$("$python" -c 'import sys; print(sys.executable)')" \
    -Dpybind11_DIR="$("$python" -m pybind11 --cmakedir)"
  cmake --build --preset asan --target _core
) > "$log" 2>&1 9> "$build/python.lock" || { cat "$log" >&2; exit 1; }

# A virtual environment that sees the packages of this interpreter but not its .pth files: the
# finder of an editable install would come before everything.
venv=$build/venv-$("$python" -c 'import sys; print(sys.implementation.cache_tag)')
[ -x "$venv/bin/python" ] || "$python" -m venv --without-pip "$venv"
site=$("$venv/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
"$python" -c 'import sys; print(*(p for p in sys.path if p.endswith("-packages")), sep="\n")' \
  > "$site/packages.pth"
mkdir -p "$site/lstmfast"
ln -sfn "$root"/python/lstmfast/* "$build"/cpp/bindings/_core.*.so "$site/lstmfast"
find "$site/lstmfast" -xtype l -delete

# The sanitizer must be loaded before everything else, and libstdc++ with it, or the sanitizer
# does not find the function that throws. Python's own allocator would hide what lies in its
# arenas. A size that cannot be had is to be a MemoryError here as everywhere.
gcc=${CXX:-g++}
LD_PRELOAD="$("$gcc" -print-file-name=libasan.so) $("$gcc" -print-file-name=libstdc++.so)"
export LD_PRELOAD PYTHONMALLOC=malloc
export ASAN_OPTIONS="detect_leaks=0:allocator_may_return_null=1${ASAN_OPTIONS:+:$ASAN_OPTIONS}"
export UBSAN_OPTIONS="print_stacktrace=1${UBSAN_OPTIONS:+:$UBSAN_OPTIONS}"
exec "$venv/bin/python" "$@"
