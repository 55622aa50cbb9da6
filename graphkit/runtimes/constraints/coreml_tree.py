"""Where the conditions of onnxruntime's CoreML provider are said."""

ML, NN = "onnxruntime-coreml", "onnxruntime-coreml-neuralnetwork"
BOTH = f"{ML} {NN}"
READ = "1.21 1.23 1.24"
CITED = "onnxruntime/onnxruntime-qnn cee6c0d9 (ORT 1.24), onnxruntime/core/providers/coreml/builders/impl"
NEWER = "pip onnxruntime 1.32.0, mobile_helpers/coreml_supported_mlprogram_ops.md"
