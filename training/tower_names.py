"""Names of the tower's tensors: from `efficientnet-lite-pytorch` to timm's `tf_efficientnet_lite2`."""

STAGES = [1, 3, 3, 4, 4, 5, 1]  # blocks of each stage of Lite2
OUTSIDE = {"_conv_stem.weight": "conv_stem.weight", "_conv_head.weight": "conv_head.weight", "_fc.weight": "classifier.weight",
           "_fc.bias": "classifier.bias"}
NORMS = {"_bn0": "bn1", "_bn1": "bn2"}
EXPANDED = {"_expand_conv": "conv_pw", "_bn0": "bn1", "_depthwise_conv": "conv_dw", "_bn1": "bn2", "_project_conv": "conv_pwl", "_bn2": "bn3"}
PLAIN = {"_depthwise_conv": "conv_dw", "_bn1": "bn1", "_project_conv": "conv_pw", "_bn2": "bn2"}


def timm_state(network, stages=STAGES):
    """The state dict of a network of `efficientnet-lite-pytorch` under timm's names, counters left out."""
    place = [(stage, i) for stage, count in enumerate(stages) for i in range(count)]
    out = {}
    for name, tensor in network.state_dict().items():
        if name.endswith("num_batches_tracked"):
            continue
        if name in OUTSIDE:
            out[OUTSIDE[name]] = tensor
        elif name.startswith("_blocks."):
            _, number, layer, rest = name.split(".", 3)
            stage, i = place[int(number)]
            table = PLAIN if stage == 0 else EXPANDED
            out[f"blocks.{stage}.{i}.{table[layer]}.{rest}"] = tensor
        else:
            layer, rest = name.split(".", 1)
            out[f"{NORMS[layer]}.{rest}"] = tensor
    return out
