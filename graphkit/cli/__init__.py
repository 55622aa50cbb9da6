"""The command line: one file a command, with its arguments and exit codes and nothing else."""

from graphkit.cli.app import main

__all__ = ["main"]
