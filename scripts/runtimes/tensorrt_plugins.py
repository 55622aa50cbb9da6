"""TensorRT's own operators for suppression, and what its layer for ONNX's NonMaxSuppression is limited to.

onnx-tensorrt looks a plugin up by the operator's name alone, whatever its domain (FallbackPluginImporter); exporters
write such nodes in the default domain or in "TRT". The table of onnx-tensorrt does not list them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from graphkit.runtimes import Row, Source
from scripts.runtimes.operators import statement

_REPOSITORY = "NVIDIA/TensorRT"
_LICENCE = "Apache-2.0"
_DOMAINS = ("", "TRT")
_PLUGIN_DOMAIN = "trt.plugins"
_EFFICIENT = (
    "plugin version 1; boxes [B,N,4], [B,N,1,4] or [B,N,C,4] and scores [B,N,C], both float or both float16; the "
    "attributes score_threshold, iou_threshold, max_output_boxes, background_class, score_activation and box_coding set"
)
_INDICES = (
    "plugin version 1; boxes [B,N,4], [B,N,1,4] or [B,N,C,4] and scores [B,N,C], both float or both float16; one int32 "
    "output of selected indices"
)
_BATCHED = (
    "plugin version 1; boxes [B,N,1,4] (shareLocation) or [B,N,C,4] and scores [B,N,C], both float or both float16; "
    "topK at most 4096"
)

_README = Source(
    "plugin",
    "doc",
    _REPOSITORY,
    "69f5e0c6a7604bbec7b7ac973b03221fa9c2c249",
    "",
    _LICENCE,
    "plugin/efficientNMSPlugin/README.md, VERSION 8.2.0.6",
)
_CODE = Source(
    "plugin",
    "code",
    _REPOSITORY,
    "922d13f56778e3a9201a53dda31ee5e050c644e6",
    "",
    _LICENCE,
    "plugin/{efficientNMSPlugin/efficientNMSPlugin,batchedNMSPlugin/batchedNMSPlugin}.cpp, VERSION 8.5.3.1",
)
_LIST = Source(
    "plugin",
    "doc",
    _REPOSITORY,
    "147005ffe1dc447bec8af9601539a9d464ca77fd",
    "",
    _LICENCE,
    "plugin/README.md, of a version after 9.0",
)
_LAYER = Source(
    "nms",
    "doc",
    "docs.nvidia.com/deeplearning/tensorrt",
    "10.7.0",
    "",
    "LicenseRef-NVIDIA",
    "archives/tensorrt-1070/operators/docs/NMS.html",
)

_ALL = {"EfficientNMS_TRT": _EFFICIENT, "EfficientNMS_ONNX_TRT": _INDICES, "BatchedNMSDynamic_TRT": _BATCHED}


def plugin_rows(version: tuple[int, ...]) -> list[Row]:
    """The plugins that a release is shown to have, with what they ask of a node."""
    if version < (8, 2):
        return []
    source = _LIST if version >= (9,) else _CODE if version >= (8, 5) else _README
    known = {"EfficientNMS_TRT": _EFFICIENT} if source is _README else _ALL
    return [
        statement(op, source, "full", domain=domain, constraint=constraint)
        for op, constraint in known.items()
        for domain in _DOMAINS
    ]


def provider_rows(rows: Iterable[Row]) -> list[Row]:
    """The rows of a release as ONNX Runtime's provider has them: a domain it does not know stops the model's loading.

    It registers EfficientNMS_TRT in the default domain, as older models have it, and all other plugins in
    "trt.plugins" (tensorrt_execution_provider_custom_ops.cc).
    """
    made = []
    for row in rows:
        if row.op in _ALL:
            if row.domain != "":
                continue
            domain = "" if row.op == "EfficientNMS_TRT" else _PLUGIN_DOMAIN
            row = replace(row, domain=domain)
        made.append(row)
    return made


def layer_rows(version: tuple[int, ...]) -> list[Row]:
    """What the layer that runs NonMaxSuppression is limited to."""
    if version < (10,):
        return []
    limits = (
        "an image's boxes are sorted by score whatever their class and only the first 5000 (2000 on compute capability "
        "5.3 and 6.2) are considered; boxes suppress each other within a class only"
    )
    return [statement("NonMaxSuppression", _LAYER, "partial", constraint=limits)]
