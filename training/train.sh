#!/bin/sh
# One command from nothing to exported models: ./train.sh
# Every step is skipped or resumed when its result is already under $OCELLI_TRAINING_WORK.
set -eu
cd "$(dirname "$0")"
export OMP_WAIT_POLICY=PASSIVE # on a shared machine, threads that spin at barriers cost more than they gain
export OCELLI_TRAINING_WORK="${OCELLI_TRAINING_WORK:-$HOME/ocelli-training}"
W="$OCELLI_TRAINING_WORK"
mkdir -p "$W/npm" "$W/cache"
[ -x "$W/venv/bin/python" ] || { python3 -m venv "$W/venv"; "$W/venv/bin/pip" install -r requirements.txt; }
[ -d "$W/npm/node_modules/@iconify-json/noto" ] || { cp package.json "$W/npm/"; (cd "$W/npm" && npm install); }
[ -f "$W/cache/drawings/fluent-emoji-high-contrast.json" ] || node render_drawings.mjs "$W/npm" "$W/cache/drawings"
PY="$W/venv/bin/python -u"
[ -f "$W/cache/teacher-logits.npy" ] || $PY teacher.py # writes the logits last
$PY tokenizers_own.py
$PY train_clip.py --run clip --minutes "${CLIP_MINUTES:-90}"
$PY train_clip.py --run clip2 --init clip --lr 0.0015 --style 0.4 --own 0.8 --minutes "${CLIP2_MINUTES:-90}"
$PY photo_features.py 2
$PY scene_features.py "${SCENE_CHUNKS:-16}"
$PY train_captioner.py --minutes "${CAPTIONER_MINUTES:-13}"
$PY train_matching.py --minutes "${MATCHING_MINUTES:-10}"
$PY export.py clip2 blip matching
$PY calibrate.py --write
$PY evaluate.py
