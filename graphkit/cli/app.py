"""`graphkit`: the commands, and the one place where an error becomes a sentence and an exit status."""

from __future__ import annotations

import gc
import json
import os
import signal
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

import typer
from typer.core import TyperGroup

from graphkit.cli.bench import bench
from graphkit.cli.coverage import coverage
from graphkit.cli.demo import demo
from graphkit.cli.detect import detect
from graphkit.cli.diff import diff
from graphkit.cli.doctor import doctor
from graphkit.cli.export import export
from graphkit.cli.fit import fit
from graphkit.cli.inspect import inspect
from graphkit.cli.opsets import opsets
from graphkit.cli.passes import passes
from graphkit.cli.picture import picture
from graphkit.cli.probe import probe
from graphkit.cli.report import report
from graphkit.cli.run import run
from graphkit.cli.schema import schema
from graphkit.cli.try_ import try_
from graphkit.cli.verify import verify
from graphkit.errors import GraphkitError
from graphkit.version import __version__


class _Group(TyperGroup):
    """Turns whatever a command raises into one plain sentence on stderr and exit status 0, 1 or 2."""

    _arguments: Sequence[str] = ()

    def main(self, args: Sequence[str] | None = None, *rest: Any, **extra: Any) -> Any:
        """Remember the arguments: how an error is told depends on --debug and --json, wherever they stand."""
        self._arguments = sys.argv[1:] if args is None else list(args)
        return super().main(args, *rest, **extra)

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except GraphkitError as error:
            self._fail(str(error), error.exit_status, error)
        except KeyboardInterrupt as error:
            self._fail("stopped before it was done; nothing was written.", 1, error)
        except BrokenPipeError:
            # The reader of our output has gone; there is nobody left to tell.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise typer.Exit(1) from None
        except MemoryError as error:
            self._fail("there is not enough memory for this model; nothing was written.", 1, error)
        except RecursionError as error:
            self._fail("the model is nested deeper than graphkit can follow; nothing was written.", 2, error)
        except (typer.Exit, typer.Abort, typer.BadParameter):
            raise
        except Exception as error:
            if type(error).__module__.startswith(("click", "typer")):
                raise
            kind = type(error).__name__
            self._fail(f"graphkit itself broke ({kind}: {error}); nothing was written. --debug shows where.", 1, error)

    def _fail(self, message: str, status: int, error: BaseException) -> NoReturn:
        from graphkit.render.console import make_console, print_message

        if "--debug" in self._arguments:
            import traceback

            traceback.print_exception(error)
        if "--json" in self._arguments:
            sys.stdout.write(json.dumps({"error": {"kind": type(error).__name__, "message": message}}) + "\n")
        print_message(make_console(stderr=True), message)
        raise typer.Exit(status)


app = typer.Typer(
    name="graphkit",
    cls=_Group,
    help="Make an exported detector deployable: rewrite its ONNX graph, with proof that it still computes the same.",
    epilog="Start with `graphkit demo DIR`. Exit status: 0 fine, 1 a pass or a check failed, 2 bad usage or bad input.",
    no_args_is_help=True,
    add_completion=True,
    rich_markup_mode=None,  # plain text: what rich draws is padded to the width, in a pipe too
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command()(run)
app.command()(bench)
app.command()(demo)
app.command()(detect)
app.command()(diff)
app.command()(doctor)
app.command()(export)
app.command()(fit)
app.command()(inspect)
app.command()(opsets)
app.command()(coverage)
app.command()(passes)
app.command()(picture)
app.command()(probe)
app.command()(report)
app.command()(schema)
app.command("try")(try_)
app.command()(verify)

for _command in app.registered_commands:
    if _command.callback is not None:
        # Without it the list of commands has the first words of each only.
        _command.short_help = " ".join((_command.callback.__doc__ or "").split("\n\n")[0].split())


def _version(value: bool) -> None:
    if value:
        sys.stdout.write(f"graphkit {__version__}\n")
        raise typer.Exit


@app.callback()
def _root(
    version: bool = typer.Option(False, "--version", "-V", help="Print the version.", callback=_version, is_eager=True),
) -> None:
    """Options that stand before the command."""


def main() -> None:
    """The entry point of the `graphkit` command."""
    signal.signal(signal.SIGTERM, _interrupted)
    try:
        app()
    finally:
        # The process ends here; without this Python first takes graphs of many thousand nodes apart, object by object.
        gc.freeze()


def _interrupted(_number: int, _frame: object) -> None:
    """SIGTERM ends a run the way Ctrl-C does, so that half-written temporary files are removed."""
    raise KeyboardInterrupt
