"""Type hints: every public function has them, but for those whose code published results stand on."""

import ast
from pathlib import Path

from common import closure

ROOT = Path(__file__).resolve().parents[1]
PAPERS = sorted(path.parent.name for path in ROOT.glob("papers/*/evaluate.py"))
FILES = sorted([*ROOT.glob("common/**/*.py"), *ROOT.glob("papers/**/*.py")])
FEWEST = 300  # functions looked at


def stood_on():
    """{(module, definition)} of all code that training, evaluation and preprocessing reach.

    A run keeps hashes of these, signatures included: a new annotation would make its results those of earlier code.
    """
    return {(module, name) for paper in PAPERS for reach in (closure.training, closure.evaluation, closure.making)
            for module, names in reach(paper).items() for name in names}


def public(node, inside="", method=False):
    """(qualified name, node, whether it is a method) of public functions and methods, none inside of a function."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef) and (not child.name.startswith("_") or child.name.startswith("__")):
            yield f"{inside}{child.name}", child, method
        elif isinstance(child, ast.ClassDef) and not child.name.startswith("_"):
            yield from public(child, f"{inside}{child.name}.", True)


def lacking(node, method):
    """Names of arguments without a type, and "return"; `self`, and what __init__ returns, say nothing."""
    every = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs, node.args.vararg, node.args.kwarg]
    static = any(getattr(one, "id", "") == "staticmethod" for one in node.decorator_list)
    found = [one.arg for one in filter(None, every[1 if method and not static else 0:]) if one.annotation is None]
    return found + ["return"] * (node.returns is None and node.name != "__init__")


def test_every_public_function_has_types():
    old, bad, seen = stood_on(), {}, 0
    for path in FILES:
        module = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        for name, node, method in public(ast.parse(path.read_text(encoding="utf-8"))):
            if (module, name) not in old:
                seen += 1
                if missing := lacking(node, method):
                    bad[f"{module}.{name}"] = missing
    assert bad == {} and seen > FEWEST


def test_a_lacking_type_is_seen():
    text = "class A:\n    def b(self, c: int, *, d): ...\ndef e() -> None: ...\ndef _f(g): ...\ndef h(*i): ...\n"
    found = {name: lacking(node, method) for name, node, method in public(ast.parse(text))}
    assert found == {"A.b": ["d", "return"], "e": [], "h": ["i", "return"]}
