"""The built-in model in PyTorch: one image tower for tags, captions and matches. The reference for `src/models/ocelli`.

    pixels (b, 3, size, size) -> EfficientNet-Lite -> map (b, 1280, side, side)
      mean over the map x -> normalise(P x + p + Q softmax(W x + w))        compared with the text tower's vectors
      map -> tokens: LayerNorm(T map + t) + positions (b, side * side, V)   attended to by BLIP's decoder and text encoder

Every tensor has the name that it has in the file. `OcelliModel(config)` takes the dictionary of config.json.
"""
from functools import partial

import torch
from timm.models._efficientnet_builder import BN_EPS_TF_DEFAULT, decode_arch_def, round_channels
from timm.models.efficientnet import EfficientNet
from torch import nn
from torch.nn import functional as F
from transformers import BlipTextConfig, CLIPTextConfig, CLIPTextModelWithProjection
from transformers.models.blip.modeling_blip_text import BlipTextLMHeadModel, BlipTextModel

# Factors of width and depth.
LITES = {f"tf_efficientnet_lite{n}": factors for n, factors in enumerate([(1.0, 1.0), (1.0, 1.1), (1.1, 1.2), (1.2, 1.4), (1.4, 1.8)])}
STAGES = [["ds_r1_k3_s1_e1_c16"], ["ir_r2_k3_s2_e6_c24"], ["ir_r2_k5_s2_e6_c40"], ["ir_r3_k3_s2_e6_c80"], ["ir_r3_k5_s1_e6_c112"],
          ["ir_r4_k5_s2_e6_c192"], ["ir_r1_k3_s1_e6_c320"]]


def efficientnet(config):
    """timm's `tf_efficientnet_lite*` of a `vision_config`, of any width and depth."""
    width, depth = LITES[config["architecture"]]
    return EfficientNet(
        block_args=decode_arch_def(STAGES, config.get("depth_coefficient", depth), fix_first_last=True),
        num_classes=config.get("num_classes", 1000), num_features=config.get("hidden_size", 1280), stem_size=32, fix_stem=True,
        round_chs_fn=partial(round_channels, multiplier=config.get("width_coefficient", width)), pad_type="same",
        act_layer=nn.ReLU6, norm_layer=partial(nn.BatchNorm2d, eps=BN_EPS_TF_DEFAULT))


class ImageTokens(nn.Module):
    """Feature maps (b, places, features) to what texts attend to (b, places, width)."""

    def __init__(self, features, places, width):
        super().__init__()
        self.projection = nn.Linear(features, width)
        self.norm = nn.LayerNorm(width)
        self.position_embedding = nn.Parameter(torch.zeros(places, width))

    def forward(self, maps):
        return self.norm(self.projection(maps)) + self.position_embedding


class OcelliModel(nn.Module):
    def __init__(self, config):
        super().__init__()
        vision = config["vision_config"]
        features, classes, dim = vision.get("hidden_size", 1280), vision.get("num_classes", 1000), config["projection_dim"]
        self.vision_model = efficientnet(vision)
        self.visual_projection = nn.Linear(features, dim)
        self.class_projection = nn.Linear(classes, dim, bias=False)
        text = CLIPTextModelWithProjection(CLIPTextConfig(**config["text_config"] | {"projection_dim": dim}))
        self.text_model, self.text_projection = text.text_model, text.text_projection
        self.logit_scale = nn.Parameter(torch.tensor(2.6592))

        decoder = BlipTextConfig(**config["decoder_config"] | {"is_decoder": True})
        self.decoder_config = decoder
        side = -(-vision["image_size"] // 32)
        self.image_tokens = ImageTokens(features, side * side, decoder.encoder_hidden_size)
        self.text_decoder = BlipTextLMHeadModel(decoder)
        self.text_encoder = BlipTextModel(decoder, add_pooling_layer=False)
        both = config["image_text_hidden_size"]
        self.vision_proj = nn.Linear(decoder.encoder_hidden_size, both)
        self.text_proj = nn.Linear(decoder.hidden_size, both)
        self.itm_head = nn.Linear(decoder.hidden_size, 2)

    def maps(self, pixels):
        """The last feature map, (b, features, side, side)."""
        return self.vision_model.forward_features(pixels)

    def image_embeddings(self, maps):
        """Not of length 1 yet: (b, dim)."""
        x = maps.mean((2, 3))
        classes = self.vision_model.classifier(x).softmax(-1)
        return self.visual_projection(x) + self.class_projection(classes)

    def text_embeddings(self, ids):
        """Not of length 1 yet: (texts, dim)."""
        return self.text_projection(self.text_model(ids).pooler_output)

    def tokens(self, maps):
        """What texts attend to: (b, places, V)."""
        return self.image_tokens(maps.flatten(2).transpose(1, 2))

    def decode(self, tokens, ids, **more):
        """Logits after each of `ids`."""
        return self.text_decoder(input_ids=ids, encoder_hidden_states=tokens, return_dict=True, **more)

    def read(self, ids, tokens=None, **more):
        """The states of texts, which see an image if there is one."""
        if tokens is None:
            return self.text_encoder(ids, mode="text", return_dict=True, **more)
        return self.text_encoder(ids, encoder_hidden_states=tokens, return_dict=True, **more)

    def contrast(self, tokens, ids):
        """Image-text contrast: cosines (b, texts). There is no class token: the mean of all stands for the image."""
        image = F.normalize(self.vision_proj(tokens.mean(1)), dim=-1)
        text = F.normalize(self.text_proj(self.read(ids).last_hidden_state[:, 0]), dim=-1)
        return image @ text.T

    def match(self, tokens, ids, **more):
        """Image-text matching: logits (texts, 2), and the outputs that they are of."""
        out = self.read(ids, tokens, **more)
        return self.itm_head(out.last_hidden_state[:, 0]), out
