#!/bin/sh
# Fills corpus/ with pieces of fixtures/: lines for the readers of lines and times, heads of files for the rest.
set -eu
cd "$(dirname "$0")"
for target in time detection records access envelopes databases applications; do
    mkdir -p "corpus/$target"
done
n=0
find ../fixtures -type f -path '*/logs/*' | sort | while read -r file; do
    n=$((n + 1))
    case "$file" in *.gz) cat="gzip -dc" ;; *) cat="cat" ;; esac
    $cat "$file" 2>/dev/null | head -c 3000 >"corpus/records/$n" || true
    cp "corpus/records/$n" "corpus/detection/$n"
    $cat "$file" 2>/dev/null | head -n 2 | head -c 1200 >"corpus/access/$n" || true
    for target in envelopes databases applications; do cp "corpus/access/$n" "corpus/$target/$n"; done
    head -c 40 "corpus/access/$n" >"corpus/time/$n"
done
