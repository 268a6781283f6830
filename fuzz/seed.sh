#!/bin/sh
# Fills corpus/ with pieces of fixtures/: lines for the readers of lines and times, heads of files for the rest, packed ones for the
# readers of containers (with whichever of gzip, zstd, bzip2, xz, lz4, tar and zip are there).
set -eu
cd "$(dirname "$0")"
for target in time detection records access envelopes databases applications packings tar zip encodings; do
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
    for packing in gzip zstd bzip2 xz lz4; do
        if command -v "$packing" >/dev/null; then
            "$packing" -c <"corpus/access/$n" >"corpus/packings/$n.$packing" 2>/dev/null || true
        fi
    done
    tar -cf "corpus/tar/$n" -C corpus access/$n time/$n packings/$n.gzip 2>/dev/null || true
    gzip -c "corpus/tar/$n" >"corpus/tar/$n.gz"
    if command -v zip >/dev/null; then
        (cd corpus && zip -q "zip/$n.zip" "access/$n" "time/$n" "packings/$n.gzip") || true
    fi
    if command -v iconv >/dev/null; then
        for encoding in UTF-16LE UTF-16BE SHIFT-JIS GB18030 LATIN1; do
            iconv -c -f UTF-8 -t "$encoding" <"corpus/access/$n" >"corpus/encodings/$n.$encoding" 2>/dev/null || true
        done
    fi
done
