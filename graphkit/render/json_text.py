"""Reports as JSON, for programs; and nothing in it steers the terminal of a person who looks at it."""

from __future__ import annotations

import json
import re
from typing import Any

_UNSURE = re.compile(r"[^\n -~]")


def json_text(data: Any) -> str:
    """Data as JSON with a line break at its end.

    Letters of all languages stand for themselves. What is not printed, or turns text round, is escaped: JSON's readers
    get it back as it was.
    """
    text = json.dumps(data, indent=2, ensure_ascii=False)
    return _UNSURE.sub(lambda found: found[0] if found[0].isprintable() else json.dumps(found[0])[1:-1], text) + "\n"
