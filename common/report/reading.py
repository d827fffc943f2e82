"""`runs/read/<paper>.html`: a paper's code beside what it says of the paper, made from the sources.

Left: docstrings, the comments above a definition, the equations that it computes, the settings in which paper, program
and sound experiment differ. Right: the code. Numbers of equations, sections, tables and figures are links to an index
that tells where in the code, and in which claims, each of them is. `equations.csv` holds the paper's equations:

    number,latex,where,note        where: module.definition, several with blanks; empty: unused, and the note says why

`shapes.txt` (`common.shapes`) holds every network's table of shapes, shown beside what builds it.
"""

import ast
import csv
import functools
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from markupsafe import Markup, escape
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

from common import shapes
from common.errors import ClaimsError

ORDER = ("config", "preprocess", "data", "model", "variants", "losses", "train")  # modules of equations: after model
LIST = r"((?:\d+(?:\.\d+)*)(?:(?:, | and | to |-|–)\d+(?:\.\d+)*)*)"
KINDS = {"equation": rf"\b([Ee]quations?|[Ee]qs?\.) {LIST}", "section": rf"\b([Ss]ections?|[Ss]ecs?\.) {LIST}",
         "table": rf"\b([Tt]ables?) {LIST}", "figure": rf"\b([Ff]igures?|[Ff]igs?\.) {LIST}"}
MENTION = re.compile("|".join(f"(?:{pattern})" for pattern in KINDS.values()))
COLUMNS = ("number", "latex", "where", "note")


@dataclass(frozen=True)
class Equation:
    """A row of equations.csv; `where` are "module.definition" names, empty for an equation that nothing computes."""

    number: str
    latex: str
    where: tuple[str, ...]
    note: str

    @property
    def mathml(self) -> Markup:
        """The equation set, as a block."""
        from latex2mathml.converter import convert

        return Markup(convert(self.latex, display="block"))


@dataclass(frozen=True)
class Block:
    """A stretch of a module: `name` (empty for statements between definitions), what is said of it, its code."""

    module: str
    name: str
    line: int
    said: str
    code: str
    fields: tuple[str, ...]
    equations: list = field(default_factory=list)
    shapes: list = field(default_factory=list)  # (which sizes, table) of each network that it builds

    @property
    def anchor(self) -> str:
        """The block's place on the page."""
        return f"{self.module}.{self.name}" if self.name else f"{self.module}-{self.line}"

    @property
    def title(self) -> str:
        """How links call it."""
        return f"{self.module}.{self.name}" if self.name else f"{self.module}.py, line {self.line}"

    def defines(self, name: str) -> bool:
        """Whether `module.definition` is this block's, or a name that its statements give a value."""
        return name == self.anchor or not self.name and bool(
            re.search(rf"^{re.escape(name.partition('.')[2])} = ", self.code, re.M)) and name.startswith(
            f"{self.module}.")

    @property
    def html(self) -> Markup:
        """Docstring and comments as paragraphs."""
        return prose(self.said)


def page(paper: Any) -> dict:
    """What the template shows of one paper (`collect.Paper`).

    Raises:
        ClaimsError: equations.csv is not as it should be, or names a definition that is not there.
    """
    equations = read_equations(paper.directory / "equations.csv")
    tables = shapes.read(paper.directory / "shapes.txt")
    extra = [name.split(".")[0] for name in (*(one for equation in equations for one in equation.where), *tables)]
    names = [*ORDER[:4], *dict.fromkeys(name for name in extra if name not in ORDER), *ORDER[4:]]
    modules = []
    for name in names:
        if (path := paper.directory / f"{name}.py").exists():
            about, blocks = read_module(path)
            modules.append({"name": name, "about": prose(about), "text": about, "blocks": blocks})
    every = {block.anchor: block for module in modules for block in module["blocks"]}
    for equation in equations:
        for name in equation.where:
            if name not in every:
                raise ClaimsError(f"{paper.directory / 'equations.csv'}: equation {equation.number} names {name}, "
                                  "which is not there; name the function that computes it")
            every[name].equations.append(equation)
    for name, found in tables.items():
        place = next((block for block in every.values() if block.defines(name)), None)
        if place is None:
            raise ClaimsError(f"{paper.directory / 'shapes.txt'}: names {name}, which is not there; next: "
                              f"python -m common.shapes {paper.name}")
        place.shapes.extend(found)
    places = index(modules, paper.claims)
    for row in places.pop("equation"):
        if row["number"] not in {equation.number for equation in equations}:
            raise ClaimsError(f"{paper.directory / 'equations.csv'}: lacks equation {row['number']}, which "
                              f"{row['blocks'][0].title if row['blocks'] else 'a module'} names")
    return {"paper": paper, "equations": equations, "modules": modules, "index": places,
            "networks": [block for block in every.values() if block.shapes],
            "divergences": {one.field: one for one in paper.divergences}, "every": every,
            "light": Markup(style("default")), "dark": Markup(style("github-dark"))}


def read_equations(path: Path) -> list[Equation]:
    """Rows of equations.csv, in order; none where the paper numbers no equation.

    Raises:
        ClaimsError: no such file, other columns, a number twice, or an unused equation without its reason.
    """
    try:
        with open(path, newline="", encoding="utf-8") as file:
            reader = csv.DictReader(file)
            rows = list(reader)
    except OSError as error:
        raise ClaimsError(f"{path}: {error.strerror}; it lists the paper's equations") from None
    if tuple(reader.fieldnames or ()) != COLUMNS:
        raise ClaimsError(f"{path}: the first line must be {','.join(COLUMNS)}")
    for row in rows:
        if not row["where"] and not row["note"]:
            raise ClaimsError(f"{path}: equation {row['number']} is neither computed anywhere nor said to be unused")
    if len({row["number"] for row in rows}) < len(rows):
        raise ClaimsError(f"{path}: an equation is there twice")
    return [Equation(row["number"], row["latex"], tuple(row["where"].split()), row["note"]) for row in rows]


def read_module(path: Path) -> tuple[str, list[Block]]:
    """(module docstring, blocks in order); imports and what runs as a script are left out."""
    source = path.read_text(encoding="utf-8")
    lines, tree = source.splitlines(), ast.parse(source)
    groups: list[Any] = []
    for node in tree.body:
        if isinstance(node, ast.Import | ast.ImportFrom) or _is_docstring(node) or "__main__" in ast.dump(node)[:200]:
            groups.append(None)
        elif isinstance(node, ast.FunctionDef | ast.ClassDef) or not groups or not isinstance(groups[-1], list):
            groups.append([node] if not isinstance(node, ast.FunctionDef | ast.ClassDef) else node)
        else:
            groups[-1].append(node)
    blocks = [_block(path.stem, lines, one if isinstance(one, list) else [one]) for one in groups if one]
    return ast.get_docstring(tree) or "", blocks


def _is_docstring(node) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _block(module: str, lines: list[str], nodes: list) -> Block:
    first = min([nodes[0].lineno, *(one.lineno for one in getattr(nodes[0], "decorator_list", ()))])
    above = first - 1
    while above and lines[above - 1].startswith("#"):
        above -= 1
    comments = " ".join(line.lstrip("# ") for line in lines[above:first - 1])
    named = isinstance(nodes[0], ast.FunctionDef | ast.ClassDef)
    kept, said = list(range(first, nodes[-1].end_lineno + 1)), comments
    if named and ast.get_docstring(nodes[0]):
        said = "\n\n".join(filter(None, (comments, ast.get_docstring(nodes[0]))))
        gone = range(nodes[0].body[0].lineno, nodes[0].body[0].end_lineno + 1)
        kept = [number for number in kept if number not in gone]
    code = "\n".join(lines[number - 1] for number in kept)
    settings = {one.attr for node in nodes for one in ast.walk(node)
                if isinstance(one, ast.Attribute) and isinstance(one.value, ast.Name) and one.value.id == "config"}
    return Block(module, nodes[0].name if named else "", first, said, code, tuple(sorted(settings)))


def code(block: Block) -> Markup:
    """The block's code, coloured, with links in its comments."""
    coloured = highlight(block.code, PythonLexer(), HtmlFormatter(nowrap=True))
    return Markup(re.sub(r'(<span class="c1">)(.*?)(</span>)', lambda m: m[1] + linked(m[2]) + m[3], coloured))


def prose(text: str) -> Markup:
    """Docstring text as paragraphs: `code`, links to the index, argument lists line by line."""
    parts = []
    for paragraph in filter(None, re.split(r"\n\s*\n", text.strip())):
        shown = linked(str(escape(paragraph)))
        shown = re.sub(r"`([^`]+)`", r"<code>\1</code>", shown)
        listed = re.match(r"(Args|Attributes|Returns|Raises):", paragraph)
        parts.append(f'<p class="arguments">{shown}</p>' if listed else f"<p>{shown}</p>")
    return Markup("\n".join(parts))


def linked(text: str) -> str:
    """HTML text with a link at each mention of an equation, section, table or figure."""
    def replace(match):
        whole, found = match[0], mentions(match[0])
        return f'<a href="#{found[0][0]}-{found[0][1]}">{whole}</a>'
    return MENTION.sub(replace, text)


def mentions(text: str) -> list[tuple[str, str]]:
    """(kind, number) of what a text mentions, in order; "eq. 4 to 6" is three."""
    found = []
    for kind, pattern in KINDS.items():
        for match in re.finditer(pattern, text):
            before = None
            for joint, number in re.findall(r"(, | and | to |-|–)?(\d+(?:\.\d+)*)", match[2]):
                if joint in (" to ", "-", "–") and before and before.isdigit() and number.isdigit():
                    found += [(kind, str(one)) for one in range(int(before) + 1, int(number))]
                found.append((kind, number))
                before = number
    return found


def index(modules: list[dict], claims: list) -> dict[str, list[dict]]:
    """{kind: [{"number", "blocks", "claims"}]} of all that code and claims mention, by number."""
    found = {kind: {} for kind in KINDS}

    def entry(kind, number):
        return found[kind].setdefault(number, {"number": number, "blocks": [], "claims": []})

    for module in modules:
        for kind, number in mentions(module["text"]):
            entry(kind, number)
        for block in module["blocks"]:
            for kind, number in dict.fromkeys(mentions(f"{block.said}\n{block.code}")):
                entry(kind, number)["blocks"].append(block)
    for claim in claims:
        for kind, number in dict.fromkeys(mentions(claim.where)):
            entry(kind, number)["claims"].append(claim)
    order = functools.partial(sorted, key=lambda row: [int(part) for part in row["number"].split(".")])
    return {kind: order(rows.values()) for kind, rows in found.items()}


def style(name: str) -> str:
    """Colours of the code."""
    return HtmlFormatter(style=name).get_style_defs(".code")
