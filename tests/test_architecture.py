"""Which room is for what, as CONTRIBUTING.md says it: read from the sources, nothing is imported."""

import ast
import functools
import re
from pathlib import Path

from tests import test_contract

ROOT = Path(__file__).resolve().parents[1]
FILES = sorted([*ROOT.glob("common/**/*.py"), *ROOT.glob("papers/**/*.py")])
LONGEST_FILE, LONGEST_FUNCTION = 400, 60

# What is not done yet: this tuple only shrinks.
CAPTURING: tuple[str, ...] = ()


@functools.cache
def tree(path):
    return ast.parse(path.read_text(encoding="utf-8"))


def name_of(path):
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


MODULES = {name_of(path): path for path in FILES}


def imported(path):
    """Names of our own modules that a file imports, at its top or anywhere inside."""
    package = path.parent if path.name != "__init__.py" else path.parent
    found = set()
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                above = package
                for _ in range(node.level - 1):
                    above = above.parent
                base = ".".join(filter(None, (*above.relative_to(ROOT).parts, node.module)))
            for alias in node.names:  # `from common import store` means common/store.py, not common/__init__.py
                found.add(f"{base}.{alias.name}" if f"{base}.{alias.name}" in MODULES else base)
    return {name for name in found if name in MODULES}


@functools.cache
def graph():
    return {name: imported(path) for name, path in MODULES.items()}


def functions(node, inside=""):
    """(qualified name, node, how many functions it lies in) of all functions below a node."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            yield f"{inside}{child.name}", child
            yield from functions(child, f"{inside}{child.name}.")
        else:
            yield from functions(child, f"{inside}{child.name}." if isinstance(child, ast.ClassDef) else inside)


def short(path):
    return path.relative_to(ROOT).as_posix()


# ---------------------------------------------------------------- who imports whom


def test_no_module_imports_itself_by_a_detour():
    """Imports inside functions count too."""
    reach = {name: set(others) for name, others in graph().items()}
    for middle in reach:
        for name in reach:
            if middle in reach[name]:
                reach[name] |= reach[middle]
    circles = sorted(name for name, others in reach.items() if name in others)
    assert not circles


def test_common_knows_no_paper_and_no_demo():
    for name, others in graph().items():
        if name.split(".")[0] == "common":
            assert not [one for one in others if one.startswith("papers")], name
        if name.startswith("common.") and not name.startswith("common.demo"):
            assert not [one for one in others if one == "common.demo" or one.startswith("common.demo.")], name


def test_papers_do_not_know_each_other():
    for name, others in graph().items():
        if name.startswith("papers."):
            own = ".".join(name.split(".")[:2])
            foreign = [one for one in others if one.startswith("papers.") and not f"{one}.".startswith(f"{own}.")]
            assert not foreign, name


def test_the_graph_sees_lazy_and_relative_imports_and_submodules():
    """Or the three tests above would hold of nothing."""
    assert "common.training" in graph()["common.scripts"]  # inside of a function
    assert "common.store" in graph()["common.record"] and "common.corpora.items" in graph()["common.corpora.gtzan"]
    assert sum(map(len, graph().values())) > 300


def test_contributing_names_every_room():
    """Every file of a paper in its table, every module and package of common in the other."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    of_papers, of_common = (re.search(rf"^\| in {name} \|.*?\n\n", text, re.M | re.S)[0]
                            for name in ("a paper", "`common`"))
    rooms = [path.name for path in ROOT.glob("common/*.py") if path.name != "__init__.py"]
    rooms += [f"{path.parent.name}/" for path in ROOT.glob("common/*/__init__.py")]
    assert not [room for room in rooms if f"`{room}`" not in of_common], "say in CONTRIBUTING.md what it is for"
    assert not [name for name in test_contract.FILES if f"`{name}`" not in of_papers]
    named = set(re.findall(r"`(\w+\.py)`", text))
    assert named <= {path.name for path in [*FILES, *ROOT.glob("tests/*.py")]}


# ---------------------------------------------------------------- sizes


def test_no_file_is_too_long():
    found = {short(path): len(path.read_text(encoding="utf-8").splitlines()) for path in FILES}
    assert {name: size for name, size in found.items() if size > LONGEST_FILE} == {}


def test_no_function_is_too_long():
    found = {f"{short(path)}:{name}": node.end_lineno - node.lineno + 1
             for path in FILES for name, node in functions(tree(path))}
    assert {name: size for name, size in found.items() if size > LONGEST_FUNCTION} == {}


# ---------------------------------------------------------------- plain code


def bound(node):
    """Names that a function or lambda binds: its parameters, and what is assigned inside."""
    arguments = node.args
    every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg]
    inside = ast.walk(node) if isinstance(node, ast.Lambda) else own_statements(node)
    return {one.arg for one in every if one} | {one.id for one in inside
                                                if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store)}


def own_statements(node):
    """What lies in a function, but not in functions inside of it."""
    for child in ast.iter_child_nodes(node):
        yield child
        if not isinstance(child, ast.FunctionDef | ast.Lambda):
            yield from own_statements(child)


def capturing(node, around=(), depth=0):
    """(line, what) of lambdas that use a variable of the function around them, and of functions three deep.

    The argument of a call may: it is called before the variable can change. What is kept or returned may not.
    """
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Lambda) and not isinstance(node, ast.Call | ast.keyword):
            used = {one.id for one in ast.walk(child.body) if isinstance(one, ast.Name)} - bound(child)
            if used & set().union(*around):
                yield child.lineno, f"lambda that uses {', '.join(sorted(used & set().union(*around)))}"
        if isinstance(child, ast.FunctionDef):
            if depth == 2:
                yield child.lineno, f"{child.name} is a function in a function in a function"
            yield from capturing(child, (*around, bound(child)), depth + 1)
        else:
            yield from capturing(child, around, depth)


def test_no_lambda_captures_a_variable_and_no_closure_is_three_deep():
    found = {f"{short(path)}:{line}": what for path in FILES for line, what in capturing(tree(path))
             if short(path) not in CAPTURING}
    assert found == {}
    assert all(list(capturing(tree(ROOT / name))) for name in CAPTURING), "strike it from CAPTURING"


def test_every_catch_of_everything_says_why():
    for path in FILES:
        lines = path.read_text(encoding="utf-8").splitlines()
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.ExceptHandler):
                caught = {one.id for one in ast.walk(node.type or ast.Name("Exception")) if isinstance(one, ast.Name)}
                if caught & {"Exception", "BaseException"}:
                    assert "#" in lines[node.lineno - 1], f"{short(path)}:{node.lineno}"


def test_nothing_loads_a_pickle():
    for path in [*FILES, *ROOT.glob("benchmarks/*.py")]:
        text = path.read_text(encoding="utf-8")
        words = {alias.name for node in ast.walk(tree(path)) if isinstance(node, ast.Import) for alias in node.names}
        words |= {node.module for node in ast.walk(tree(path)) if isinstance(node, ast.ImportFrom)}
        assert "allow_pickle=True" not in text and "joblib.load" not in text, path
        assert not {"pickle", "dill", "shelve"} & words, path
