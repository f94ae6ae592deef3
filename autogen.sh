#!/bin/sh
# Makes configure and Makefile.in from a git checkout (Debian: autoconf automake pkg-config).
set -eu
cd "$(dirname "$0")"
mkdir -p build-aux
exec autoreconf --install --force --warnings=all,no-override,no-obsolete
