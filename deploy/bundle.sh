#!/usr/bin/env bash
# Makes the bundle that installs without any network: our wheel with the built web client, every Python package that it
# needs, Debian packages with all that these need, documents and the install script, in one tar.
#
#   deploy/bundle.sh [--out DIR] [--speech-model FOLDER]… [--extras sherpa,whisper] [--without-debs]
#
# Run it (`make bundle`) on Debian 12 of the same architecture as the server, with apt's sources in order.
set -euo pipefail
umask 022

root=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.." && pwd)
# Debian's own, which the server has: some packages depend on what its patch level is.
debian_python=/usr/bin/python3
out=$root/build/bundle extras='' with_debs=yes
models=()
# Fonts for papers and the program's picture, coturn for networks that let only TLS pass.
packages=(python3-venv fonts-noto-cjk coturn ca-certificates)

fail() {
  echo "$*" >&2
  exit 1
}

while [[ $# -gt 0 ]]; do
  case $1 in
    --out | --speech-model | --extras)
      [[ $# -ge 2 ]] || fail "$1 needs a value"
      case $1 in
        --out) out=$2 ;;
        --speech-model) models+=("$2") ;;
        --extras) extras=$2 ;;
      esac
      shift
      ;;
    --without-debs) with_debs=no ;;
    *) fail "unknown option: $1" ;;
  esac
  shift
done

# shellcheck source=/dev/null
codename=$(. /etc/os-release && printf '%s' "${VERSION_CODENAME:-}")
architecture=$(dpkg --print-architecture)
[[ $codename == bookworm ]] || fail "a bundle is made on Debian 12 (bookworm), not on ${codename:-this system}"
[[ -f $root/web_client/dist/.stamp ]] || fail "run \`make setup\` first"
for model in "${models[@]}"; do
  [[ -e $model ]] || fail "no such speech model: $model"
done

work=$(mktemp -d /tmp/yuanshang-bundle.XXXXXX)
trap 'rm -rf -- "$work"' EXIT
stage=$work/stage
mkdir -p "$stage/wheelhouse" "$out"

# ── Python packages, with hashes ──────────────────────────────────────────────────────────────

echo "Wheels"
"$debian_python" -m venv "$work/venv" || fail "install python3-venv first"
python=$work/venv/bin/python
# What comes as source is built here, so that the server needs no compiler.
"$python" -m pip install --quiet --disable-pip-version-check -c "$root/constraints.txt" hatchling setuptools wheel
(cd "$root" && "$python" -m hatchling build -t wheel -d "$work/wheel" >/dev/null 2>&1) || fail "our wheel cannot be built"
wheels=("$work"/wheel/*.whl)
"$python" -m pip wheel --quiet --disable-pip-version-check --no-build-isolation -c "$root/constraints.txt" \
  --wheel-dir "$stage/wheelhouse" "${wheels[0]}${extras:+[$extras]}"
# Names as pip knows them; each version with the one file that is meant.
(
  cd "$stage/wheelhouse"
  for wheel in *.whl; do
    IFS=- read -r name version _ <<<"$wheel"
    printf '%s==%s --hash=sha256:%s\n' "${name//_/-}" "$version" "$(sha256sum "$wheel" | cut -d' ' -f1)"
  done
) >"$stage/requirements.lock"

version=$(grep -m 1 '^yuanshang==' "$stage/requirements.lock" | sed 's/^yuanshang==\([^ ]*\) .*/\1/')
release=$version-$(sha256sum "$stage/requirements.lock" | cut -c1-8)
commit=$(git -C "$root" describe --always --dirty 2>/dev/null || echo unknown)
made=$(git -C "$root" log -1 --format=%cI 2>/dev/null || date -u +%FT%TZ)

# ── Debian packages, with everything below them ───────────────────────────────────────────────

if [[ $with_debs == yes ]]; then
  echo "Debian packages"
  # As on a machine on which nothing is installed: whatever the server lacks, or has in an older version, is there.
  mkdir -p "$work/apt/archives/partial" "$stage/debs"
  : >"$work/apt/status"
  apt-get -qq -o "Dir::State::status=$work/apt/status" -o "Dir::Cache::archives=$work/apt/archives" \
    -o "Dir::Cache::pkgcache=" -o "Dir::Cache::srcpkgcache=" -o Debug::NoLocking=1 -o APT::Sandbox::User=root \
    -y --no-install-recommends --download-only install "${packages[@]}" >/dev/null
  mv -- "$work"/apt/archives/*.deb "$stage/debs/"
  (
    cd "$stage/debs"
    for deb in *.deb; do
      dpkg-deb -f "$deb"
      printf 'Filename: ./%s\nSize: %s\nSHA256: %s\n\n' "$deb" "$(stat -c %s "$deb")" \
        "$(sha256sum "$deb" | cut -d' ' -f1)"
    done
  ) >"$work/Packages"
  mv -- "$work/Packages" "$stage/debs/Packages"
fi

# ── the rest ──────────────────────────────────────────────────────────────────────────────────

cp -- "$root/deploy/install.sh" "$root/deploy/backup.sh" "$root/deploy/probe.py" "$stage/"
cp -R -- "$root/deploy/systemd" "$root/deploy/nginx" "$root/deploy/monitoring" "$root/docs" "$stage/"
cp -- "$root/README.md" "$root/CHANGELOG.md" "$root/SECURITY.md" "$root/LICENSE" "$stage/docs/"
for model in "${models[@]}"; do
  mkdir -p "$stage/models"
  cp -R -- "$model" "$stage/models/"
done
printf '%s\ncommit %s\nof %s\n' "$release" "$commit" "$made" >"$stage/VERSION"
cat >"$stage/bundle.env" <<TEXT
RELEASE=$release
VERSION=$version
CODENAME=$codename
ARCHITECTURE=$architecture
DEBIAN_PACKAGES="${packages[*]}"
TEXT
(cd "$stage" && find . -type f ! -name SHA256SUMS -printf '%P\0' | sort -z | xargs -0 sha256sum) >"$work/SHA256SUMS"
mv -- "$work/SHA256SUMS" "$stage/SHA256SUMS"

name=yuanshang-$release-$codename-$architecture
mv -- "$stage" "$work/$name"
rm -f -- "$out/$name.tar" "$out/$name.tar.sha256"
tar -C "$work" --sort=name --owner=0 --group=0 --numeric-owner --mtime="$made" \
  -cf "$out/.$name.tar" "$name"
mv -- "$out/.$name.tar" "$out/$name.tar"
(cd "$out" && sha256sum "$name.tar" >"$name.tar.sha256")
echo "$out/$name.tar"
