"""Model: a gs.Graph to edit, and everything about the file that gs.Graph would drop."""

from graphkit.model.captures import reads
from graphkit.model.model import Model, SessionSource
from graphkit.model.protos import holders, standard_domain, subgraphs, tensors
from graphkit.model.stripped import without_weights

__all__ = ["Model", "SessionSource", "holders", "reads", "standard_domain", "subgraphs", "tensors", "without_weights"]
