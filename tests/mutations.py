"""Small faults in Python source: what `tests.mutate` puts into the code to see whether a test notices.

Each is one change of one place: an operator, a number, a truth value, a condition, a sign, a statement left out, a name
exchanged for its opposite (mean and sum, argmax and argmin, train and test).
"""

import ast
from dataclasses import dataclass

COMPARISONS = {ast.Lt: ("<", ">="), ast.LtE: ("<=", ">"), ast.Gt: (">", "<="), ast.GtE: (">=", "<"),
               ast.Eq: ("==", "!="), ast.NotEq: ("!=", "=="), ast.In: ("in", "not in"), ast.NotIn: ("not in", "in"),
               ast.Is: ("is", "is not"), ast.IsNot: ("is not", "is")}
ARITHMETIC = {ast.Add: ("+", "-"), ast.Sub: ("-", "+"), ast.Mult: ("*", "/"), ast.Div: ("/", "*"),
              ast.FloorDiv: ("//", "*"), ast.Mod: ("%", "*"), ast.Pow: ("**", "*"), ast.MatMult: ("@", "*"),
              ast.BitAnd: ("&", "|"), ast.BitOr: ("|", "&")}
NAMES = {"mean": "sum", "sum": "mean", "reduce_mean": "reduce_sum", "reduce_sum": "reduce_mean", "argmax": "argmin",
         "argmin": "argmax", "max": "min", "min": "max", "maximum": "minimum", "minimum": "maximum", "std": "var",
         "all": "any", "any": "all", "ceil": "floor", "floor": "ceil", "exp": "abs", "zeros": "ones", "ones": "zeros",
         "zeros_like": "ones_like", "ones_like": "zeros_like", "setdiff1d": "intersect1d", "sqrt": "square"}
WORDS = {"train": "test", "test": "train", "dev": "train", "validation": "train", "training": "test",
         "encoder": "decoder", "decoder": "encoder", "source": "target", "target": "source"}
SKIPPED_CALLS = {"print", "tqdm", "Divergence", "progress", "dedent", "add_argument", "warn", "filterwarnings",
                 "lru_cache"}
LOOKS = {"size", "dpi", "linewidth", "lw", "linestyle", "dashes", "alpha", "fontsize", "ncols", "frameon", "rotation",
         "pad", "labelpad", "markersize", "zorder", "visible", "width_ratios", "height_ratios", "line_length"}
SEEDS = {"default_rng", "RandomState", "SeedSequence"}
EPSILON = 1e-6  # numbers below it keep a division or a comparison safe; twice as much is the same program


@dataclass(frozen=True)
class Mutation:
    """A change of `path` from character `start` to `end` into `text`; `line` counts from 1."""

    path: str
    line: int
    start: int
    end: int
    text: str
    what: str

    def apply(self, source: str) -> str:
        """The source with the fault in it."""
        return source[:self.start] + self.text + source[self.end:]


class _Finder(ast.NodeVisitor):
    """Collects the mutations of one module."""

    def __init__(self, path: str, source: str):
        self.path, self.source, self.found = path, source, []
        self.starts = [0]
        for line in source.splitlines(keepends=True):
            self.starts.append(self.starts[-1] + len(line))
        self.lines = source.splitlines()

    def offset(self, line: int, column: int) -> int:
        """Character offset of an ast position (columns count bytes)."""
        return self.starts[line - 1] + len(self.lines[line - 1].encode()[:column].decode())

    def span(self, node) -> tuple[int, int]:
        return self.offset(node.lineno, node.col_offset), self.offset(node.end_lineno, node.end_col_offset)

    def add(self, node, start: int, end: int, text: str, what: str):
        if self.source[start:end] != text:
            self.found.append(Mutation(self.path, node.lineno, start, end, text, what))

    def between(self, left, right, old: str, new: str, what: str):
        """Exchange an operator that stands between two nodes."""
        start, end = self.span(left)[1], self.span(right)[0]
        at = self.source.find(old, start, end)
        if at >= 0:
            self.add(left, at, at + len(old), new, what)

    def body(self, node):
        """Visit a body, without its docstring; a call that stands alone or an assignment in place can be left out."""
        for child in node.body:
            if isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant):
                continue
            if isinstance(child, ast.AugAssign) or (isinstance(child, ast.Expr) and isinstance(child.value, ast.Call)
                                                    and _name(child.value.func) not in SKIPPED_CALLS):
                self.add(child, *self.span(child), "pass", "statement left out")
            self.visit(child)

    def visit_Module(self, node):
        self.body(node)

    def visit_FunctionDef(self, node):
        self.body(node)
        for default in [*node.args.defaults, *filter(None, node.args.kw_defaults)]:
            self.visit(default)

    def visit_ClassDef(self, node):
        self.body(node)

    def visit_Raise(self, node):
        """Messages are not mutated, nor whether one is raised: the condition above it is."""

    def visit_JoinedStr(self, node):
        """Texts are not mutated."""

    def visit_AnnAssign(self, node):
        if node.value is not None:
            self.visit(node.value)

    def visit_If(self, node):
        if _is_script(node):
            return
        self.add(node, *self.span(node.test), f"not ({ast.get_source_segment(self.source, node.test)})", "condition")
        self.generic_visit(node)

    def visit_IfExp(self, node):
        self.add(node, *self.span(node.test), f"not ({ast.get_source_segment(self.source, node.test)})", "condition")
        self.generic_visit(node)

    def visit_Compare(self, node):
        if len(node.ops) == 1 and type(node.ops[0]) in COMPARISONS:
            self.between(node.left, node.comparators[0], *COMPARISONS[type(node.ops[0])], "comparison")
        self.generic_visit(node)

    def visit_BinOp(self, node):
        if not isinstance(node.left, ast.Constant | ast.JoinedStr) or isinstance(
                getattr(node.left, "value", ""), int | float):
            if type(node.op) in ARITHMETIC:
                self.between(node.left, node.right, *ARITHMETIC[type(node.op)], "operator")
        self.generic_visit(node)

    def visit_BoolOp(self, node):
        old, new = ("and", "or") if isinstance(node.op, ast.And) else ("or", "and")
        self.between(node.values[0], node.values[1], old, new, "and, or")
        self.generic_visit(node)

    def visit_UnaryOp(self, node):
        start, end = self.span(node)
        inner = ast.get_source_segment(self.source, node.operand)
        if isinstance(node.op, ast.USub | ast.Not):
            self.add(node, start, end, f"({inner})", "sign" if isinstance(node.op, ast.USub) else "negation")
        self.generic_visit(node)

    def visit_Constant(self, node):
        start, end = self.span(node)
        if isinstance(node.value, bool):
            self.add(node, start, end, str(not node.value), "truth value")
        elif isinstance(node.value, int):
            self.add(node, start, end, str(node.value + 1), "number")
        elif isinstance(node.value, float) and not 0 < abs(node.value) < EPSILON:
            self.add(node, start, end, repr(node.value * 2 if node.value else 1.0), "number")
        elif isinstance(node.value, str) and node.value in WORDS and end - start == len(node.value) + 2:
            self.add(node, start, end, repr(WORDS[node.value]), "word")

    def visit_Call(self, node):
        if _name(node.func) in SKIPPED_CALLS:
            return
        self.generic_visit(node)

    def visit_Attribute(self, node):
        if node.attr in NAMES:
            end = self.span(node)[1]
            self.add(node, end - len(node.attr), end, NAMES[node.attr], "function")
        self.generic_visit(node)


def _name(function) -> str:
    return getattr(function, "id", getattr(function, "attr", ""))


def _is_script(node) -> bool:
    return isinstance(node.test, ast.Compare) and getattr(node.test.left, "id", "") == "__name__"


def find(path: str, source: str) -> list[Mutation]:
    """Every mutation of a module, in the order of the file; each compiles."""
    finder = _Finder(path, source)
    finder.visit(ast.parse(source))
    whole = []
    for mutation in sorted(set(finder.found), key=lambda m: (m.start, m.end, m.text)):
        try:
            compile(mutation.apply(source), path, "exec")
        except SyntaxError:
            continue
        whole.append(mutation)
    return whole


def compiled(mutation: Mutation, source: str) -> bool:
    """Whether it stands in a function that Numba compiles."""
    return any(node.lineno <= mutation.line <= node.end_lineno and any("njit" in ast.unparse(one)
                                                                       for one in node.decorator_list)
               for node in ast.walk(ast.parse(source)) if isinstance(node, ast.FunctionDef))


def unobservable(mutation: Mutation, source: str) -> str:
    """Why a test should not pin what a mutation changes: another seed of a draw, the looks of a picture; else empty."""
    def inside(node) -> bool:
        return first(node.lineno, node.col_offset) <= mutation.start and mutation.end <= first(
            node.end_lineno, node.end_col_offset)

    first = _Finder(mutation.path, source).offset
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.keyword) and inside(node.value):
            if node.arg in LOOKS:
                return "how a picture or a print looks"
            if node.arg == "strict":
                return "the lengths are equal; strict would say so if they were not"
            if node.arg in ("random_state", "seed") and isinstance(node.value, ast.Constant):
                return "another seed of a draw is as good"
        elif isinstance(node, ast.Call) and _name(node.func) in SEEDS:
            numbers = [one for given in node.args for one in getattr(given, "elts", [given])]
            if any(isinstance(one, ast.Constant) and inside(one) for one in numbers):
                return "another seed of a draw is as good"
        elif isinstance(node, ast.arguments):
            given = [*node.posonlyargs, *node.args]
            pairs = [*zip(given[len(given) - len(node.defaults):], node.defaults, strict=True),
                     *zip(node.kwonlyargs, node.kw_defaults, strict=True)]
            if any(one.arg == "seed" and value is not None and inside(value) for one, value in pairs):
                return "another seed of a draw is as good"
    return ""
