"""A plug-in that does not import, as happens when a dependency of it is missing."""

import a_module_that_is_not_installed  # type: ignore[import-not-found]  # noqa: F401
