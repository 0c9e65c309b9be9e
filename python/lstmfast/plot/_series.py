"""The old name of `series`."""

from .looks import add_legend as add_legend
from .series import *  # noqa: F403
