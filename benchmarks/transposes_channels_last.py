"""Networks that work channels last inside, exported by PyTorch: untrained, seeded, small."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

OPSET = 17


def _memory_format() -> tuple[Any, Any]:
    """Convolutions in memory_format=channels_last: no permutation is written down."""
    import torch
    from torch import nn

    net = nn.Sequential(
        nn.Conv2d(3, 16, 3, 2, 1), nn.BatchNorm2d(16), nn.ReLU(), nn.Conv2d(16, 32, 3, 2, 1), nn.SiLU(),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(32, 10),
    )  # fmt: skip
    return net.to(memory_format=torch.channels_last), torch.rand(1, 3, 64, 64).to(memory_format=torch.channels_last)


def _permuting() -> tuple[Any, Any]:
    """A channels-last stem that permutes around each convolution, with residual sums and a dense head."""
    import torch
    from torch import nn

    class Last(nn.Module):  # type: ignore[misc]  # torch is not followed
        """A convolution of [N, H, W, C]."""

        def __init__(self, read: int, made: int, stride: int = 1) -> None:
            super().__init__()
            self.conv = nn.Conv2d(read, made, 3, stride, 1, bias=False)
            self.bias = nn.Parameter(torch.rand(made))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            """In and out channels last."""
            return torch.relu(self.conv(x.permute(0, 3, 1, 2)).permute(0, 2, 3, 1) + self.bias)

    class Net(nn.Module):  # type: ignore[misc]
        """Channels-last picture in, classes out."""

        def __init__(self) -> None:
            super().__init__()
            self.stem, self.one, self.two = Last(3, 16, 2), Last(16, 16), Last(16, 16)
            self.down, self.head = Last(32, 32, 2), nn.Linear(32, 10)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            """[N, H, W, 3] to [N, 10]."""
            x = self.stem(x)
            x = torch.cat([self.two(self.one(x)) + x, x], -1)
            return torch.softmax(self.head(self.down(x).mean((1, 2))), -1)

    return Net(), torch.rand(1, 64, 64, 3)


def _convnext() -> tuple[Any, Any]:
    """torchvision's ConvNeXt, narrow."""
    import torch
    from torchvision.models.convnext import CNBlockConfig, ConvNeXt

    stages = [CNBlockConfig(16, 32, 2), CNBlockConfig(32, 64, 2), CNBlockConfig(64, None, 2)]
    return ConvNeXt(stages, num_classes=10, layer_scale=0.5), torch.rand(1, 3, 64, 64)


def _swin() -> tuple[Any, Any]:
    """torchvision's Swin transformer, narrow: windows of shifted, permuted, parted pixels."""
    import torch
    from torchvision.models.swin_transformer import SwinTransformer

    net = SwinTransformer([4, 4], 16, [2, 2], [2, 4], [4, 4], num_classes=10)
    return net, torch.rand(1, 3, 64, 64)


def _vit() -> tuple[Any, Any]:
    """torchvision's vision transformer, narrow: MultiheadAttention is written sequence first."""
    import torch
    from torchvision.models.vision_transformer import VisionTransformer

    return VisionTransformer(32, 8, 2, 4, 32, 64, num_classes=10), torch.rand(1, 3, 32, 32)


NETWORKS: dict[str, Callable[[], tuple[Any, Any]]] = {
    "memory_format=channels_last": _memory_format,
    "permuting around convolutions": _permuting,
    "ConvNeXt": _convnext,
    "Swin transformer": _swin,
    "vision transformer": _vit,
}
"""Name -> what makes the network and an input for it."""


def export_network(name: str, target: Path) -> None:
    """Write one of the networks, where it is not there yet.

    Raises:
        ImportError: torch or torchvision is missing.
    """
    if target.exists():
        return
    import torch

    torch.manual_seed(0)
    torch.set_num_threads(1)
    net, given = NETWORKS[name]()
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        made = Path(folder) / "made.onnx"
        torch.onnx.export(
            net.eval(), (given,), str(made), opset_version=OPSET, dynamo=False, input_names=["x"], output_names=["y"]
        )
        made.rename(target)
