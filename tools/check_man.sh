#!/bin/sh
# Every manual page is read without a warning, by mandoc too where it is installed. Exit 77: nothing here reads manuals.
set -eu
cd "$(dirname "$0")/../docs/man"
command -v man > /dev/null && command -v groff > /dev/null || { echo "man or groff is not installed"; exit 77; }
bad=0
for page in *.[1-9]; do
  said=$(LC_ALL=C.UTF-8 MANROFFSEQ='' MANWIDTH=80 man --warnings -E UTF-8 -l -Tutf8 -Z "$page" 2>&1 > /dev/null) || bad=1
  if [ -n "$said" ]; then
    echo "$page: $said"
    bad=1
  fi
  if command -v mandoc > /dev/null && ! mandoc -T lint -W warning "$page"; then bad=1; fi
done
exit $bad
