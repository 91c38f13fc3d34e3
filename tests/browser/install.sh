#!/bin/sh
# The browser that the tests drive: Chromium from the system's packages. Playwright's own build is not needed.
# Debian has it without what draws windows, too, and the same page takes a third of the processor time there.
set -eu
if command -v chromium-headless-shell >/dev/null 2>&1; then exit 0; fi
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
  echo "Installing Chromium for the browser tests."
  apt-get update -qq || true
  for name in chromium-headless-shell chromium; do
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$name" >/dev/null || true
  done
fi
for name in chromium-headless-shell chromium chromium-browser google-chrome; do
  if command -v "$name" >/dev/null 2>&1; then exit 0; fi
done
echo "The browser tests need Chromium: install it with your system's package manager (apt install chromium)." >&2
exit 1
