import sys

from graphkit.facts import schemas as _moved

sys.modules[__name__] = _moved
