"""Networks that are exported in a second: those of ultralytics' families, with few channels and three classes."""

from pathlib import Path

from ultralytics.utils import YAML, checks

NAMES = ("yolov8n", "yolo26n", "yolov8n-seg", "yolov8n-pose", "yolov8n-obb")


def tiny(folder: Path, name: str = "yolov8n") -> Path:
    """Write its YAML, and return the path."""
    family = name.replace("n-", "-", 1) if "-" in name else name[:-1]
    config = YAML.load(checks.check_yaml(f"{family}.yaml"))
    config |= {"nc": 3, "scales": {"n": [0.33, 0.125, 256]}}
    path = folder / f"{name}.yaml"
    YAML.save(path, config)
    return path
