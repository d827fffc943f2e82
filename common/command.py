"""One way of command lines: a frozen dataclass is a script's options, its docstring their help. tyro does the rest.

A wrong option is one line on stderr and exit code 2; `--help` explains and loads nothing else.
"""

import contextlib
import io
import re
import sys
from pathlib import Path
from typing import Any

import tyro

FLAT = tyro.conf.arg(name="")
STYLE = (tyro.conf.OmitArgPrefixes, tyro.conf.OmitSubcommandPrefixes, tyro.conf.CascadeSubcommandArgs)


def parse(kind: type, description: str, arguments: list[str] | None = None) -> Any:
    """An instance of the dataclass `kind` from the command line; the first paragraph of `description` heads the help.

    Fields of `tyro.conf.Positional[Kind]` need no name; `Annotated[Kind, subcommand("x")]` in a union is chosen by x.

    Raises:
        SystemExit: 2 after one line on stderr for options that cannot be, 0 after the help.
    """
    words = sys.argv[1:] if arguments is None else [str(word) for word in arguments]
    said = io.StringIO()
    try:
        with contextlib.redirect_stderr(said), contextlib.redirect_stdout(io.StringIO()):
            return _tyro(kind, description, words)
    except SystemExit as end:
        if not end.code:
            _tyro(kind, description, words)  # the help once more, in the colours of the screen
        print(f"error: {_one_line(said.getvalue())}", file=sys.stderr)
        raise


def _tyro(kind, description, words):
    return tyro.cli(kind, args=words, description=description.split("\n\n")[0], prog=program(), config=STYLE)


def program() -> str:
    """What the user typed to get here: `python -m papers.<paper>.<script>`."""
    spec = getattr(sys.modules["__main__"], "__spec__", None)
    name = spec.name.removesuffix(".__main__") if spec else Path(sys.argv[0]).name
    return f"python -m {name}" if spec else name


def peek(arguments: list[str], option: str, choices: tuple[str, ...], default: str) -> str:
    """The value of `--option` before the command line is parsed: what the defaults of the others depend on.

    A value that is none of the choices gives the default: parsing will refuse it.
    """
    for i, word in enumerate(arguments):
        if word.split("=", 1)[0] == f"--{option}":
            value = word.split("=", 1)[1] if "=" in word else "".join(arguments[i + 1:i + 2])
            return value if value in choices else default
    return default


def _one_line(box: str) -> str:
    """tyro's box as one line: what is wrong, what was perhaps meant, and where the help is.

    A box is a title, what is wrong, and then what may help, with lines of hyphens between them.
    """
    wrong, *more = [" ".join(part.split()) for part in re.split(r"\n[\s-]*---\s*\n", box)][1:]
    meant = [re.search(r"--[\w-]+", part).group() for part in more if part.startswith(("Perhaps", "Arguments similar"))]
    choices = [part for part in more if part.startswith("Available")]
    hints = [f"perhaps {' or '.join(meant)}"] if meant else choices
    return "; ".join([wrong.rstrip("."), *hints, f"{program()} --help"])
