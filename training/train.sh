#!/bin/sh
# One command from nothing to exported models: ./train.sh
# Every step is skipped or resumed when its result is already under $OCELLI_TRAINING_WORK.
set -eu
cd "$(dirname "$0")"
export OCELLI_TRAINING_WORK="${OCELLI_TRAINING_WORK:-$HOME/ocelli-training}"
W="$OCELLI_TRAINING_WORK"
mkdir -p "$W/npm" "$W/cache"
[ -x "$W/venv/bin/python" ] || { python3 -m venv "$W/venv"; "$W/venv/bin/pip" install -r requirements.txt; }
[ -d "$W/npm/node_modules/@iconify-json/noto" ] || { cp package.json "$W/npm/"; (cd "$W/npm" && npm install); }
[ -f "$W/cache/drawings/fluent-emoji-high-contrast.json" ] || node render_drawings.mjs "$W/npm" "$W/cache/drawings"
PY="$W/venv/bin/python -u"
[ -f "$W/cache/teacher-train-4.npz" ] && [ -f "$W/cache/teacher-drawings.npy" ] || $PY teacher.py
$PY tokenizers_own.py
$PY train_clip.py --run clip --minutes "${CLIP_MINUTES:-45}"
$PY train_clip.py --run clip2 --init clip --lr 0.0015 --minutes "${CLIP2_MINUTES:-90}"
$PY train_clip.py --run clip3 --init clip2 --lr 0.0012 --style 0.35 --keep 1.0 --batch 64 144 16 --minutes "${CLIP3_MINUTES:-90}"
$PY cache_scenes.py 60 5
[ -f "$W/runs/blip/last.pt" ] || $PY train_decoder.py --clip clip3 --run blip --minutes "${DECODER_MINUTES:-10}"
$PY train_blip.py --run blip --clip clip3 --minutes "${BLIP_MINUTES:-60}"
$PY export.py clip3 blip
$PY evaluate.py
