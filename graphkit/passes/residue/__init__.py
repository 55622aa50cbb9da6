"""What remove-no-ops and merge-reshapes share: facts that can be relied on, and rewiring on protos.

The doors: `look` and `Wires`.
"""

from graphkit.passes.residue.reading import ROUNDED
from graphkit.passes.residue.view import Site, look
from graphkit.passes.residue.wires import Key, Place, Wires

__all__ = ["ROUNDED", "Key", "Place", "Site", "Wires", "look"]
