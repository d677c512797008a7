#!/usr/bin/env bash
# Installs Arrow C++ (headers, libarrow, libparquet) for the Parquet target, out of the pyarrow
# wheel that is pinned below by version and hash. Debian 12 has no package of it. Idempotent, and
# quiet when `pkg-config parquet` already answers; needs root (or sudo) only when it doesn't.
# ARROW_PREFIX: where the files go, /usr/local/lib/rehearsal-arrow unless set.
set -euo pipefail

version=26.0.1
soname=2600 # major * 100: changes with every major version
hashes=(
  sha256:39cb0f2418282c24bea6ceda77b03e5a8f0a5766b63a8bf194d4e2a2c423548c # x86_64
  sha256:22a96a225de107eb9acd1ad9a818198ca832df2a4c0952412f754a7ed2105a98 # aarch64
)
prefix=${ARROW_PREFIX:-/usr/local/lib/rehearsal-arrow}

say() { printf 'arrow: %s\n' "$1"; }
fail() { printf 'arrow: %s\n' "$1" >&2; exit 1; }

# The build asks pkg-config, the run asks ldconfig's cache: both must know.
is_installed() {
  pkg-config --exists "parquet >= ${version%%.*}" 2>/dev/null &&
    [[ "$(/sbin/ldconfig -p)" == *libparquet.so.* ]]
}

# Whether the compiler that SwiftPM uses finds a C++20 standard library.
has_cxx20() {
  local compiler
  compiler=$(command -v clang++ || command -v g++) || return 1
  "$compiler" -std=c++20 -fsyntax-only -x c++ - 2>/dev/null <<<'#include <span>'
}

missing_packages() {
  command -v pkg-config >/dev/null 2>&1 || echo pkg-config
  has_cxx20 || echo g++
  python3 -m pip --version >/dev/null 2>&1 || echo python3-pip
}

if is_installed && has_cxx20; then exit 0; fi

case "$(uname -s)-$(uname -m)" in
  Linux-x86_64 | Linux-aarch64) ;;
  *) fail "no pinned wheel for $(uname -sm); install Arrow C++ $version so that 'pkg-config parquet' finds it." ;;
esac
[[ "$prefix" == /* && "$prefix" != *[[:space:]]* ]] ||
  fail "ARROW_PREFIX is '$prefix'; give an absolute path without spaces."
# The folder is replaced whole, so it must be this script's own.
if [ -e "$prefix" ] && [ ! -e "$prefix/.rehearsal-arrow" ]; then
  fail "$prefix exists and isn't this script's; set ARROW_PREFIX to a folder that isn't there yet."
fi
root=()
if [ "$(id -u)" -ne 0 ]; then
  command -v sudo >/dev/null 2>&1 || fail "not root and no sudo; run as root: $0"
  root=(sudo)
fi

mapfile -t packages < <(missing_packages)
if [ "${#packages[@]}" -gt 0 ]; then
  command -v apt-get >/dev/null 2>&1 ||
    fail "there is no apt-get; install what these Debian packages hold, then run this again: ${packages[*]}"
  say "installing ${packages[*]}"
  "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get update -qq
  "${root[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y -qq --no-install-recommends "${packages[@]}" >/dev/null
fi
if is_installed; then exit 0; fi

# pkg-config's own list, not PKG_CONFIG_PATH: a plain `swift build` must find the file.
search=":$(env -u PKG_CONFIG_PATH pkg-config --variable pc_path pkg-config):"
for descriptions in /usr/local/lib/pkgconfig /usr/lib/pkgconfig ''; do
  if [[ "$search" == *":$descriptions:"* ]]; then break; fi
done
[ -n "$descriptions" ] || fail "pkg-config looks only in $search; add /usr/local/lib/pkgconfig to it."

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
say "downloading pyarrow $version from PyPI"
{
  printf 'pyarrow==%s' "$version"
  printf ' --hash=%s' "${hashes[@]}"
  printf '\n'
} >"$scratch/requirements.txt"
# Any wheel of this version holds the same libraries: cp311's, whichever Python runs pip.
python3 -m pip download --quiet --disable-pip-version-check --no-deps --require-hashes \
  --only-binary=:all: --implementation cp --python-version 3.11 --abi cp311 \
  --platform "manylinux_2_28_$(uname -m)" --dest "$scratch" --requirement "$scratch/requirements.txt" ||
  fail "pip couldn't download pyarrow $version: check the network, or put the wheel in a folder and set PIP_FIND_LINKS to it."

say "unpacking headers, libarrow and libparquet into $prefix"
python3 -m zipfile -e "$scratch"/pyarrow-*.whl "$scratch/wheel"
files=$scratch/prefix
mkdir -p "$files/lib"
touch "$files/.rehearsal-arrow"
mv "$scratch/wheel/pyarrow/include" "$files/include"
for library in libarrow libparquet; do
  mv "$scratch/wheel/pyarrow/$library.so.$soname" "$files/lib/"
  ln -s "$library.so.$soname" "$files/lib/$library.so"
done
cp "$scratch/wheel/pyarrow-$version.dist-info/licenses/LICENSE.txt" "$files/" 2>/dev/null || true
cat >"$scratch/parquet.pc" <<END
prefix=$prefix
Name: parquet
Description: Apache Parquet and Arrow C++ from the pyarrow wheel
Version: $version
Cflags: -I\${prefix}/include
Libs: -L\${prefix}/lib -lparquet -larrow
END
echo "$prefix/lib" >"$scratch/rehearsal-arrow.conf"

# The description last: a run that dies before it is simply run again.
"${root[@]}" rm -rf "$prefix"
"${root[@]}" mkdir -p "$(dirname "$prefix")" "$descriptions" /etc/ld.so.conf.d
"${root[@]}" cp -R "$files" "$prefix"
"${root[@]}" chmod -R u=rwX,go=rX "$prefix"
"${root[@]}" install -m 644 "$scratch/rehearsal-arrow.conf" /etc/ld.so.conf.d/rehearsal-arrow.conf
"${root[@]}" /sbin/ldconfig
"${root[@]}" install -m 644 "$scratch/parquet.pc" "$descriptions/parquet.pc"

is_installed || fail "installed, but pkg-config or ldconfig doesn't find it; look at $descriptions/parquet.pc and /etc/ld.so.conf.d/rehearsal-arrow.conf."
say "ready: parquet $(pkg-config --modversion parquet)"
