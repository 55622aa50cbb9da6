"""NumPy references for what an embedded part has to compute, written from the specifications."""

from graphkit.verify.references.detections import Detections, detect
from graphkit.verify.references.efficientnms import efficient_nms
from graphkit.verify.references.onnx_nms import non_max_suppression

__all__ = ["Detections", "detect", "efficient_nms", "non_max_suppression"]
