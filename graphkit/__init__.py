"""graphkit makes an exported detector deployable, and proves that it still computes the same."""
