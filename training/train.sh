#!/bin/sh
# One command from nothing to the exported model: ./train.sh
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
# The tagger.
$PY photo_features.py 1
$PY drawing_features.py
[ -f "$W/runs/head/head.pt" ] || $PY train_head.py --run head
[ -f "$W/runs/head/targets.npz" ] || $PY teacher.py --run head
$PY train_text.py --head head --run text --minutes "${TEXT_MINUTES:-45}"
# The image head once more, for the vectors that the text tower gives.
[ -f "$W/runs/head2/head.pt" ] || $PY train_head.py --run head2 --start head --text text
$PY calibrate.py --head head2 --text text --scale 36
# The captioner.
$PY scene_features.py "${SCENE_CHUNKS:-21}"
$PY scene_words.py --head head2 --text text
$PY train_captioner.py --run captioner --minutes "${CAPTION_MINUTES:-13}"
$PY train_captioner.py --run captioner2 --start captioner --fixed-tokens --lr 0.002 --minutes "${CAPTION2_MINUTES:-85}"
$PY train_matching.py --captioner captioner2 --minutes "${MATCHING_MINUTES:-12}"
# What ships, and the pictures that it is measured with.
$PY export.py
$PY pictures.py "$W/made"
# The tagger once more without 200 classes, for measuring what it makes of names whose pictures it never had.
[ -f "$W/runs/head-left-out/head.pt" ] || $PY train_head.py --run head-left-out --heldout
[ -f "$W/runs/head-left-out/targets.npz" ] || $PY teacher.py --run head-left-out
$PY train_text.py --head head-left-out --run text-left-out --minutes "${TEXT_MINUTES:-45}"
[ -f "$W/runs/head2-left-out/head.pt" ] || $PY train_head.py --run head2-left-out --heldout --start head-left-out --text text-left-out
$PY calibrate.py --head head2-left-out --text text-left-out
$PY export.py --head head2-left-out --text text-left-out --out "$W/left-out"
# What the shipped model answers in float32, where the everyday pictures are.
DATA="${OCELLI_TRAINING_DATA:-../../shared/data}"
[ ! -d "$DATA/everyday" ] || $PY answers.py "$W/answers.json"
