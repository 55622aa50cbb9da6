"""The generators of the support tables: each module turns the statements of some runtimes into rows."""
