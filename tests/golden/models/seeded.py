"""Parameters of models whose answers mean nothing, but depend on every one of them."""

import torch


def randomise(model, seed, scale):
    """Parameters and statistics large enough that every one of them shows in the outputs."""
    generator = torch.Generator().manual_seed(seed)
    noise = lambda tensor: torch.randn(tensor.shape, generator=generator)  # noqa: E731
    norms = {name for name, module in model.named_modules() if "Norm" in type(module).__name__}
    with torch.no_grad():
        for name, tensor in [*model.named_parameters(), *model.named_buffers()]:
            owner, _, leaf = name.rpartition(".")
            if not tensor.is_floating_point() or leaf == "attn_mask":
                continue
            if name == "logit_scale":
                tensor.fill_(2.75)
            elif leaf == "running_var":
                tensor.copy_(0.5 + torch.rand(tensor.shape, generator=generator))
            elif owner in norms:
                tensor.copy_(noise(tensor) * 0.2 + (leaf == "weight"))
            elif leaf.endswith("bias"):
                tensor.copy_(noise(tensor) * 0.2)
            elif "embedding" in name:
                tensor.copy_(noise(tensor) * 0.8)
            else:
                tensor.copy_(noise(tensor) * scale / tensor[0].numel() ** 0.5)
