"""Every network of a paper as a table: layer, output shape, parameters. `python -m common.shapes PAPER` writes it.

`papers/<paper>/shapes.py` has `networks()`, which builds them at the paper's sizes; what is printed lies beside it as
`shapes.txt`, so that the page that shows the code (`report.reading`) needs no TensorFlow. A test compares.
"""

import importlib
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tyro

from common import command, process
from common.errors import EncoreError

ROOT = Path(__file__).resolve().parent.parent
HEADING = "## "  # before the definition that builds a network and, in brackets, which of its sizes


@dataclass(frozen=True)
class Options:
    """Options of the call.

    Attributes:
        paper: which papers, by their directories' names.
        check: write nothing, exit 1 where shapes.txt is not what is built.
    """

    paper: tyro.conf.Positional[tuple[str, ...]]
    check: bool = False


def text(paper: str) -> str:
    """What shapes.txt of a paper holds; every network is built, without values for its weights."""
    import keras

    networks = importlib.import_module(f"papers.{paper}.shapes").networks()
    with keras.StatelessScope():  # weights have shapes and no values: gigabytes and minutes less
        made = "\n".join(f"{HEADING}{builder}{f' ({size})' if size else ''}\n{table(network)}"
                         for builder, size, network in networks)
        keras.backend.clear_session()  # or they are given values as the scope is left
        return made


def table(network: Any) -> str:
    """A Keras model layer by layer, networks inside it unfolded: name, output shape, parameters; then the whole's."""
    lines = [f"{'layer':36}{'output shape':34}{'parameters':>12}", *_rows(network, ""),
             f"{'output, total':36}{_shapes(network)[:33]:34}{network.count_params():>12,}"]
    return "\n".join(lines) + "\n"


def _rows(network: Any, indent: str) -> list[str]:
    rows = []
    for layer in network.layers:
        rows.append(f"{(indent + _name(layer))[:35]:36}{_shapes(layer)[:33]:34}{layer.count_params():>12,}")
        rows += _rows(layer, f"{indent}  ") if getattr(layer, "layers", None) else []
    return rows


def _name(layer: Any) -> str:
    """A layer's name, or its kind where Keras named it: its counter knows what else a process built."""
    kind = type(layer).__name__
    by_keras = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", kind).lower().replace("_", "")
    return kind if re.fullmatch(rf"{by_keras}\d*", layer.name.replace("_", "")) else layer.name


def _shapes(layer: Any) -> str:
    output = getattr(layer, "output", [])
    shapes = ["(" + ", ".join(("any" if k else "batch") if n is None else str(n) for k, n in enumerate(one.shape)) + ")"
              for one in (output if isinstance(output, list | tuple) else [output])]
    if len(shapes) > 1 and len(set(shapes)) == 1:
        return f"{len(shapes)} x {shapes[0]}"
    return " ".join(shapes)


def read(path: Path) -> dict[str, list[tuple[str, str]]]:
    """shapes.txt: {definition that builds them: [(which sizes, table)]}, empty where there is no such file."""
    found: dict[str, list[tuple[str, str]]] = {}
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    for line in lines:
        if line.startswith(HEADING):
            builder, _, size = line.removeprefix(HEADING).partition(" ")
            found.setdefault(builder, []).append((size.strip("()"), ""))
        elif line:
            size, before = found[builder][-1]
            found[builder][-1] = (size, f"{before}{line}\n")
    return found


def main(arguments: list[str] | None = None) -> int:
    """Write or compare shapes.txt; 1 where it differs, 2 for a paper that is none."""
    options = command.parse(Options, "Print every network of a paper as a table into papers/PAPER/shapes.txt.",
                            arguments)
    different = []
    with process.one_line_errors():
        for paper in options.paper:
            path = ROOT / "papers" / paper / "shapes.txt"
            if not path.with_suffix(".py").exists():
                raise EncoreError(f"{path.with_suffix('.py')}: is not there; name a paper, and give it networks()")
        process.quiet_tensorflow()
        for paper in options.paper:
            path = ROOT / "papers" / paper / "shapes.txt"
            now = text(paper)
            if not path.exists() or path.read_text(encoding="utf-8") != now:
                different.append(paper)
                if not options.check:
                    path.write_text(now, encoding="utf-8")
    for paper in different:
        print(f"papers/{paper}/shapes.txt: {'out of date' if options.check else 'written'}")
    return int(options.check and bool(different))


if __name__ == "__main__":
    sys.exit(main())
