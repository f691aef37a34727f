"""Where things are: inputs, caches, checkpoints, exported models.

Everything that is not source lives under `WORK` (caches, checkpoints, logs),
never in the repository; only `export.py` writes into `pkg/models`.
"""
import os
from pathlib import Path

HERE = Path(__file__).resolve().parent
REPO = HERE.parent
WORK = Path(os.environ.get("OCELLI_TRAINING_WORK", Path.home() / "ocelli-training"))
DATA = Path(os.environ.get("OCELLI_TRAINING_DATA", REPO.parent / "shared" / "data"))
CACHE = WORK / "cache"
RUNS = WORK / "runs"
MODELS = REPO / "pkg" / "models"
KNOWLEDGE = Path(os.environ.get("OCELLI_KNOWLEDGE", HERE / "knowledge"))

IMAGE = 260  # side of the square image that the tower sees
RESIZE = 274  # shorter side before the centre crop: 0.95 of it stays, so that little is cut off at the edges
SEED = 20240611
