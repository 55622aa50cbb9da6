"""What is known of a model's nodes and tensors without running it: types, shapes, constant values, definitions.

The doors: `survey`, `NodeFacts`, `TensorFacts`; for those who rewrite nodes, the modules themselves.
"""

from graphkit.facts.node import NodeFacts, TensorFacts
from graphkit.facts.survey import survey, survey_body

__all__ = ["NodeFacts", "TensorFacts", "survey", "survey_body"]
