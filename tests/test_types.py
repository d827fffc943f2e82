"""Type hints: every public function has them."""

import ast
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FILES = sorted([*ROOT.glob("common/**/*.py"), *ROOT.glob("papers/**/*.py")])
FEWEST = 1500  # functions looked at


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


def of_file(path):
    """{function: what it lacks} of a file's public functions."""
    return {name: lacking(node, method) for name, node, method in public(ast.parse(path.read_text(encoding="utf-8")))}


def test_every_public_function_has_types():
    found = {f"{path.relative_to(ROOT)}: {name}": what for path in FILES for name, what in of_file(path).items()}
    assert {function: what for function, what in found.items() if what} == {} and len(found) > FEWEST


def test_a_lacking_type_is_seen():
    text = "class A:\n    def b(self, c: int, *, d): ...\ndef e() -> None: ...\ndef _f(g): ...\ndef h(*i): ...\n"
    found = {name: lacking(node, method) for name, node, method in public(ast.parse(text))}
    assert found == {"A.b": ["d", "return"], "e": [], "h": ["i", "return"]}
