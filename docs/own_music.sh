#!/usr/bin/env bash
# What README.md shows of the tools: each command and what it says, as it is. Run it from the checkout with two recordings,
# song.wav and other.wav, after `make reproduce-softmax_ae reproduce-fma_interpolation FOLLOW=sound`:
#     bash docs/own_music.sh > docs/own_music.txt && python -m common.report readme
export TF_CPP_MIN_LOG_LEVEL=3 PATH="$PWD/.venv/bin:$PATH"
place=$(mktemp -d)
show() {
  echo "\$ $1"
  eval "$1" > "$place/out" 2> "$place/err"
  grep -av $'\r' "$place/err" | grep -v '^ *$'  # without progress bars
  cat "$place/out"
}
show 'python -m papers.softmax_ae.embed song.wav > encodings.csv'
show 'head -4 encodings.csv | cut -d, -f1-8'
show 'python -m papers.fma_interpolation.interpolate song.wav other.wav --steps 3'
show 'ls interpolation'
rm -r "$place"
