"""Subcommands of `lstmfast`, a module each; `lstmfast.cli` lists them."""
