"""`python -m common.new_paper NAME`: lay out papers/NAME and tests/papers/NAME: a whole small paper, to be changed."""

import keyword
import re
import sys
from dataclasses import dataclass
from pathlib import Path

import tyro

from common import command, config, process
from common.errors import EncoreError

ROOT = Path(__file__).resolve().parents[2]
TEMPLATE = Path(__file__).with_name("template")
PLACEHOLDER = "new_paper"  # stands for the name in the template's files
OF_OPTIONS = (*config.FOLLOW, *config.PRESETS, "all")  # `--preset demo` is no paper


@dataclass(frozen=True)
class Options:
    """Options of the call.

    Attributes:
        name: of the directory, in lower case: musae, softmax_ae.
    """

    name: tyro.conf.Positional[str]


def lay_out(name: str, root: Path = ROOT) -> list[Path]:
    """Write a paper's directory and its tests; returns the files, in order.

    Raises:
        EncoreError: the name cannot be a module's, means something else here, or is taken.
    """
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name) or keyword.iskeyword(name) or keyword.issoftkeyword(name):
        raise EncoreError(f"{name!r} cannot be a paper's name: take a word of a to z, 0 to 9 and _ that begins with a "
                          "letter and is no word of Python")
    if name in (PLACEHOLDER, *OF_OPTIONS):
        raise EncoreError(f"{name!r} means something else on the command line; take another name")
    paper, tests = root / "papers" / name, root / "tests" / "papers" / name
    for path in (paper, tests):
        if path.exists():
            raise EncoreError(f"{path}: is there already; take another name, or remove it")
    written = []
    for source in sorted(TEMPLATE.rglob("*.*")):
        relative = source.relative_to(TEMPLATE)
        inside = tests / relative.relative_to("tests") if relative.parts[0] == "tests" else paper / relative
        target = inside.with_name(inside.name.removesuffix(".txt")) if ".py.txt" in inside.name else inside
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(source.read_text(encoding="utf-8").replace(PLACEHOLDER, name), encoding="utf-8")
        written.append(target)
    return written


def main(arguments: list[str] | None = None) -> int:
    """0 when it is laid out, 2 for a name that cannot be."""
    options = command.parse(Options, "Lay out a paper's directory and its tests: a small autoencoder on a demo corpus, "
                            "whole, to be changed piece by piece (CONTRIBUTING.md).", arguments)
    with process.one_line_errors():
        for path in lay_out(options.name):
            print(path.relative_to(ROOT))
    print(f"Next: make reproduce-{options.name} PRESET=smoke; .venv/bin/python -m pytest -q tests/test_contract.py "
          f"tests/papers/{options.name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
