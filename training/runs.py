"""Runs: a folder of checkpoints that one process at a time may write, and how fast this machine computes."""
import fcntl

import torch

from paths import RUNS, SEED


class Run:
    """WORK/runs/<name>: takes its lock, seeds torch, reads and writes `last.pt`.

    `state` is the last checkpoint, or None. A checkpoint holds the weights, their average,
    the optimisers, the steps done and the seconds used.
    """

    def __init__(self, name, threads=2):
        torch.set_num_threads(threads)
        torch.manual_seed(SEED)
        self.folder = RUNS / name
        self.folder.mkdir(parents=True, exist_ok=True)
        self.lock = open(self.folder / "lock", "w")
        try:  # two processes would overwrite each other's checkpoints
            fcntl.flock(self.lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise SystemExit(f"the run {name} is being trained by another process: see its log")

        self.state = load(name) if (self.folder / "last.pt").exists() else None

    def resume(self, model, ema, opts):
        """Go on from the last checkpoint, if there is one: (steps done, seconds used)."""
        if not self.state:
            return 0, 0.0
        model.load_state_dict(self.state["model"])
        ema.load_state_dict(self.state["ema"])
        for o, s in zip(opts, self.state["opts"]):
            o.load_state_dict(s)
        step, used = self.state["step"], self.state["used"]
        print(f"resumed at step {step}, {used / 60:.1f} min", flush=True)
        return step, used

    def save(self, model, ema, opts, step, used, **more):
        """Replace `last.pt`; a stop in between leaves the old one."""
        torch.save({"model": model.state_dict(), "ema": ema.state_dict(), "opts": [o.state_dict() for o in opts],
                    "step": step, "used": used, **more}, self.folder / "last.tmp")
        (self.folder / "last.tmp").rename(self.folder / "last.pt")


def load(name):
    """The last checkpoint of a run."""
    return torch.load(RUNS / name / "last.pt", weights_only=False)


def fast():
    """bfloat16 where the processor multiplies it; elsewhere it would be slower than float32."""
    return torch.autocast("cpu", torch.bfloat16, enabled=torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())


@torch.no_grad()
def average(ema, model, step):
    """Move the averaged weights towards the model's, slowly once some steps are done."""
    keep = min(0.993, (1 + step) / (20 + step))
    for a, b in zip(ema.parameters(), model.parameters()):
        a.lerp_(b, 1 - keep)
