"""Operators that are known, and where a size could hide in them."""

from __future__ import annotations

ELEMENTWISE = frozenset(
    (
        *("Add", "And", "BitShift", "BitwiseAnd", "BitwiseOr", "BitwiseXor", "Div", "Equal", "Greater"),
        *("GreaterOrEqual", "Less", "LessOrEqual", "Max", "Mean", "Min", "Mod", "Mul", "Or", "PRelu", "Pow", "Sub"),
        *("Sum", "Where", "Xor"),
    )
)
"""Inputs are broadcast: a constant that has a size in its shape has to grow with it."""

INNOCENT = frozenset(
    (
        *("Abs", "Acos", "Acosh", "Asin", "Asinh", "Atan", "Atanh", "ArgMax", "ArgMin", "BatchNormalization"),
        *("BitwiseNot", "Cast", "CastLike", "Ceil", "Celu", "ConstantOfShape", "Conv", "ConvTranspose", "Cos"),
        *("Cosh", "CumSum", "DepthToSpace", "DequantizeLinear", "Dropout", "DynamicQuantizeLinear", "Elu", "Erf"),
        *("Exp", "EyeLike", "Flatten", "Floor", "Gelu", "GlobalAveragePool", "GlobalMaxPool", "GroupNormalization"),
        *("HardSigmoid", "HardSwish", "Hardmax", "Identity", "InstanceNormalization", "IsInf", "IsNaN", "LRN"),
        *("LeakyRelu", "Log", "LogSoftmax", "LpNormalization", "MeanVarianceNormalization", "Mish", "Neg", "NonZero"),
        *("Not", "OneHot", "Pad", "QuantizeLinear", "QLinearConv", "ConvInteger", "Range", "Reciprocal", "ReduceL1"),
        *("ReduceL2", "ReduceLogSum", "ReduceLogSumExp", "ReduceMax", "ReduceMean", "ReduceMin", "ReduceProd"),
        *("ReduceSum", "ReduceSumSquare", "Relu", "RoiAlign", "Round", "Selu", "Shape", "Shrink", "Sigmoid", "Sign"),
        *("Sin", "Sinh", "Size", "Softmax", "Softplus", "Softsign", "SpaceToDepth", "Sqrt", "Squeeze", "Swish"),
        *("Tan", "Tanh", "ThresholdedRelu", "Transpose", "Trilu", "Unsqueeze", "Upsample"),
    )
)
"""What they do with a size follows from their input alone; where a constant does not fit, shape inference says so."""

POOLS = frozenset(("AveragePool", "MaxPool", "LpPool"))
"""A kernel as large as the whole map pools all of it, at that size only."""

LOOKUPS = frozenset(("Gather", "GatherElements", "GatherND"))
"""A constant that is looked up in must have a row for each position."""

PRODUCTS = frozenset(("MatMul", "Gemm", "Einsum", "MatMulInteger", "QLinearMatMul"))
"""A constant operand is a layer for a fixed number of features."""

NORMS = frozenset(("LayerNormalization", "RMSNormalization"))
"""Scale and bias are constants of the normalised shape."""

OTHERS = frozenset(
    ("Clip", "Concat", "Expand", "NonMaxSuppression", "Reshape", "Resize", "Slice", "Split", "Tile", "TopK")
)
"""Each has a rule of its own."""

UNKNOWN_COUNT = frozenset(("NonZero", "NonMaxSuppression"))

KNOWN = ELEMENTWISE | INNOCENT | POOLS | LOOKUPS | PRODUCTS | NORMS | OTHERS
