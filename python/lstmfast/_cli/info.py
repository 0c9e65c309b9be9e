"""`lstmfast info`: versions, processor, instruction sets, threads."""

from __future__ import annotations

import argparse

from .common import Parser

HELP = "show versions, processor, instruction sets and threads"


def add_arguments(parser: Parser) -> None:
    """Add none."""


def run(args: argparse.Namespace) -> int:
    """Print the configuration."""
    from lstmfast import show_config

    show_config()
    return 0
