"""Detectors: a model that can be asked for detections, whatever file it is and whatever comes out of it."""

from graphkit.detectors.detector import Detector
from graphkit.detectors.opening import open_detector, open_loaded
from graphkit.detectors.picture import Found, find_objects, framed
from graphkit.detectors.pictures import BATCH, Picture, find_in_pictures, marks_of
from graphkit.detectors.results import CocoIds, check_ids, coco_ids, coco_results, picture_dict

__all__ = [
    "BATCH",
    "CocoIds",
    "Detector",
    "Found",
    "Picture",
    "check_ids",
    "coco_ids",
    "coco_results",
    "find_in_pictures",
    "find_objects",
    "framed",
    "marks_of",
    "open_detector",
    "open_loaded",
    "picture_dict",
]
