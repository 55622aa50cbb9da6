"""A copy of an untrained network whose outputs differ from anchor to anchor, so that a proof has something to look at.

In an untrained network activations fade with depth and every class starts from one prior: scores and boxes are the same
everywhere, and a wrong graph returns them too.
"""

from __future__ import annotations

from typing import Any

_ROUNDS, _IMAGES, _SIDE = 4, 4, 4
"""Random pictures for the normalisation layers; their sides in largest strides."""
_GRAIN = 8
"""Pixels of a patch of one colour: noise of single pixels averages out before it reaches the head."""
_SCORES, _BOXES = (-3.0, 2.0), (2.0, 1.0)
"""Mean and deviation of what the head's last convolutions return: scores before their Sigmoid, distances in cells."""


def enliven(network: Any, seed: int) -> None:
    """Spread the outputs of an untrained network, in place, always the same way for one seed.

    Its normalisation layers learn their statistics from random pictures; the last convolution of each branch of the
    head gets random weights, scaled so that what it returns for these pictures has the mean and the deviation above.

    Args:
        network: An `ultralytics` model with a head that has branches cv2, cv3 and so on, as Detect's descendants do.
        seed: Of the random values.
    """
    import torch

    side = _SIDE * max(int(value) for value in network.stride.tolist())
    channels = int(getattr(network, "yaml", {}).get("channels", 3))

    def pictures() -> Any:
        patches = torch.rand(_IMAGES, channels, side // _GRAIN, side // _GRAIN)
        return torch.nn.functional.interpolate(patches, scale_factor=_GRAIN)

    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(seed)
        for module in network.modules():
            if isinstance(module, torch.nn.BatchNorm2d):
                module.momentum = 0.5
        network.train()
        for _ in range(_ROUNDS):
            network(pictures())
        last = _last_convolutions(network.model[-1])
        hooks = [
            convolution.register_forward_hook(_spread(*(_SCORES if is_class else _BOXES)))
            for convolution, is_class in last
        ]
        network(pictures())
        for hook in hooks:
            hook.remove()
        network.eval()


def _last_convolutions(head: Any) -> list[tuple[Any, bool]]:
    """The last convolution of each level of each branch, and whether it gives class scores."""
    import torch

    found = []
    for branch, module in head.named_children():
        if branch.startswith(("cv", "one2one_cv")):
            for level in module if isinstance(module, torch.nn.ModuleList) else [module]:
                own = [part for part in level.modules() if isinstance(part, torch.nn.Conv2d)][-1:]
                found += [(convolution, branch.endswith("cv3")) for convolution in own]
    return found


def _spread(mean: float, deviation: float) -> Any:
    """A hook that gives a convolution random weights, scaled by what they make of the input it is called with."""
    import torch

    def hook(module: Any, inputs: tuple[Any, ...], _output: Any) -> Any:
        torch.nn.init.normal_(module.weight)
        if module.bias is not None:
            torch.nn.init.zeros_(module.bias)
        made = module.forward(inputs[0])  # not a call, which would come back here
        scale = deviation / made.std((0, 2, 3)).clamp(min=1e-6)
        module.weight *= scale[:, None, None, None]
        if module.bias is not None:
            module.bias.copy_(mean - made.mean((0, 2, 3)) * scale)
        return module.forward(inputs[0])

    return hook
