"""Reports as text for a terminal and as JSON. Renderers know reports, not models."""
