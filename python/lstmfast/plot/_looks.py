"""The old name of `looks`."""

from .looks import *  # noqa: F403
