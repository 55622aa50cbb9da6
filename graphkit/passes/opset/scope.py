import sys

from graphkit.facts import scope as _moved

sys.modules[__name__] = _moved
