#!/usr/bin/env bash
# Installs the Debian packages that Lowbit is built and tested with, those that
# are missing only. Called by the Makefile.
set -euo pipefail

packages=(
  # build
  cmake ninja-build make git g++ clang-22 lld-22 libmlir-22-dev mlir-22-tools
  llvm-22-dev llvm-22-tools libclang-rt-22-dev libeigen3-dev
  libonnx-dev libprotobuf-dev protobuf-compiler libzip-dev zlib1g-dev
  libopenmpi-dev
  # test
  libgtest-dev libonnx-testdata openmpi-bin python3 python3-numpy python3-pytest
  # ARM code, compiled and run
  qemu-user libc6-dev-arm64-cross libgcc-12-dev-arm64-cross
)

missing=()
for package in "${packages[@]}"; do
  status=$(dpkg-query -W -f='${Status}' "$package" 2>/dev/null || true)
  [[ $status == "install ok installed" ]] || missing+=("$package")
done
# Any release of LLVM's OpenMP runtime serves; two of them exclude each other.
if ! compgen -G '/usr/lib/llvm-*/lib/libomp.so.5' >/dev/null; then
  missing+=(libomp-22-dev)
fi
((${#missing[@]})) || exit 0

sudo=()
if ((EUID != 0)); then
  sudo=(sudo)
  command -v sudo >/dev/null || {
    echo "install-packages: missing: ${missing[*]}" >&2
    echo "install-packages: run as root, or install them yourself" >&2
    exit 1
  }
fi
echo "Installing ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
"${sudo[@]}" apt-get update -q
"${sudo[@]}" apt-get install -q -y --no-install-recommends "${missing[@]}"
