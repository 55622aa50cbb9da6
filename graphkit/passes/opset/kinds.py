import sys

from graphkit.facts import kinds as _moved

sys.modules[__name__] = _moved
