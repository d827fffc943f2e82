"""Which of our own code a script can reach, found by reading it, not by running it: one hash for every function.

Names and attributes are followed through imports (also those inside functions, `from package import module`, and what
a package's `__init__` hands on) to the functions, classes and constants that they mean in `common` and `papers`. A
function that nothing reaches is not in the closure: a change to it voids nothing. A module that is used as a value
(`getattr(splits, name)`) is in it whole. Hashes are of the compiled form, without docstrings, comments, formatting,
line numbers and types, of arguments or of fields. Files beside a module that a reached definition names are in it too.

Of a paper's `config.py` only functions, methods and constants that are reached count: what `Config`, `PRESETS` and
`DIVERGENCES` say is compared by value, as a run's resolved settings, so that another preset's change voids nothing.
"""

import ast
import functools
import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("common", "papers")
BY_VALUE = ("PRESETS", "PRESETS_BY_MODE", "DIVERGENCES", "ENOUGH")  # of config.py, and the fields of Config
# Books about a run, messages and pages: they change no weight and no value.
BOOKS = tuple(f"common.{name}" for name in (
    "record", "provenance", "closure", "locks", "errors", "progress", "standing", "report", "scripts", "reproduce",
    "claims", "claims_file", "intervals", "tries", "config", "sizes", "plots", "command", "process", "files",
    "machine"))
# Only these make what a store holds; its content is hashed where it is built, and stands for them.
MAKES_DATA = ("common.demo", "common.corpora")
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
SCOPES = (*FUNCTIONS, ast.Lambda, ast.ClassDef, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


def training(paper: str, root: Path = ROOT) -> dict:
    """{module: {function: hash}} of all that `papers/<paper>/train.py` reaches, the data's making left out."""
    return reach(root, _trained(paper), (*BOOKS, *MAKES_DATA, f"papers.{paper}.train.main"))


def evaluation(paper: str, root: Path = ROOT) -> dict:
    """What `evaluate.py` reaches beyond training: all that makes a value; figures.py only draws and is left out."""
    out = (f"papers.{paper}.figures", f"papers.{paper}.train.main", f"papers.{paper}.evaluate.main")
    found = reach(root, ((f"papers.{paper}.evaluate", None), *_trained(paper)), (*BOOKS, *MAKES_DATA, *out))
    trained = training(paper, root)
    found = {module: {name: value for name, value in units.items() if name not in trained.get(module, {})}
             for module, units in found.items()}
    return {module: units for module, units in found.items() if units}


def _trained(paper: str) -> tuple:
    """train.py, and the methods of what it is handed: the settings and the store."""
    return (f"papers.{paper}.train", None), (f"papers.{paper}.config", "Config"), ("common.store", "Store")


def making(paper: str, root: Path = ROOT) -> dict:
    """What `preprocess.preprocess` reaches; the demo's composer is left out, its recordings are hashed as input."""
    starts = ((f"papers.{paper}.preprocess", "preprocess"), ("common.corpora", "find"), ("common.store", "Writer"),
              ("common.corpora.evidence", "settled"))
    return reach(root, starts, (*BOOKS, "common.demo", "common.store.prepare", "common.store.place"))


@functools.lru_cache(maxsize=64)
def reach(root: Path, starts: tuple, left_out: tuple = ()) -> dict:
    """{module: {definition: hash}} of all that is reached from `starts`, sorted.

    Args:
        starts: (module, definition), or (module, None) for all of a module but what stands under `__main__`.
        left_out: names of modules, packages or definitions (`common.store.prepare`) where the search stops.

    Read once a process: what a long run says of itself is the code that it was started with.
    """
    found, waiting = {}, []

    def wanted(module, name):
        names = (module, f"{module}.{name}")
        return not any(one == out or one.startswith(out + ".") for one in names for out in left_out)

    for module, name in starts:
        source = read(root, module)
        if source:
            waiting += [(module, name)] if name else [(module, one) for one in source.everything()]
    while waiting:
        module, name = waiting.pop()
        source = read(root, module)
        if source is None or name in found.get(module, ()) or not wanted(module, name):
            continue
        if name in source.imports and name not in source.definitions:
            waiting += _meant(root, *source.imports[name])
            continue
        nodes = source.nodes(name)
        if not nodes:
            continue
        found.setdefault(module, {})[name] = nodes
        waiting += [(module, "<module>")]
        for node in nodes:
            for target, path in References(source, node).found:
                waiting += _meant(root, target, path)
    return {module: dict(sorted(_hashes(root, module, found[module]).items())) for module in sorted(found)}


def changes(before: dict, now: dict) -> list[str]:
    """What differs between two closures, one line a definition: `train.py: train_step changed`."""
    lines = []
    for module in sorted(set(before) | set(now)):
        old, new = before.get(module, {}), now.get(module, {})
        for name in sorted(set(old) | set(new)):
            if old.get(name) != new.get(name):
                what = "changed" if name in old and name in new else "is new" if name in new else "is gone"
                lines.append(f"{label(module)}: {name} {what}")
    return lines


def label(module: str) -> str:
    """How a module is called in a message: `train.py` of the paper, `common/loop.py`."""
    rest = module.split(".")
    return f"{rest[-1]}.py" if rest[0] == "papers" else "/".join(rest) + ".py"


def sha256(closure: dict) -> str:
    """One hash of a closure, or of a part of one."""
    return hashlib.sha256(repr(sorted((m, sorted(u.items())) for m, u in closure.items())).encode()).hexdigest()


@dataclass(frozen=True)
class Source:
    """A module as written: top-level definitions by name, statements that bind nothing, and imports.

    `imports` maps a name to (module, path of attributes); `package` is what relative imports start from.
    """

    name: str
    path: Path
    package: str
    definitions: dict
    loose: list
    imports: dict

    def everything(self) -> list[str]:
        """Names of all definitions, and "<module>" for the statements that bind nothing."""
        return [*self.definitions, "<module>"]

    def nodes(self, name: str) -> list:
        """The statements that define a name."""
        if self.name.startswith("papers.") and self.name.endswith(".config") and name in BY_VALUE:
            return []
        return self.loose if name == "<module>" else self.definitions.get(name, [])


@functools.cache
def read(root: Path, module: str) -> Source | None:
    """The source of one of our own modules; None for any other."""
    path = file_of(root, module)
    if path is None:
        return None
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, (*FUNCTIONS, ast.ClassDef)) and ast.get_docstring(node, clean=False) is not None:
            node.body = node.body[1:] or [ast.Pass()]
        if isinstance(node, FUNCTIONS):
            node.returns = None
        elif isinstance(node, ast.arg):
            node.annotation = None
        elif isinstance(node, ast.AnnAssign) and not re.search("ClassVar|InitVar|KW_ONLY", ast.dump(node.annotation)):
            node.annotation = ast.Constant(None)
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    source = Source(module, path, package, {}, [], {})
    _sort(source, tree.body)
    return source


def file_of(root: Path, module: str) -> Path | None:
    """The file of one of our own modules, None for any other."""
    if module.split(".")[0] not in ROOMS:
        return None
    path = Path(root, *module.split("."))
    return next((one for one in (path.with_suffix(".py"), path / "__init__.py") if one.is_file()), None)


def _sort(source: Source, body: list):
    for node in body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            source.imports.update(_imported(node, source.package))
        elif isinstance(node, (*FUNCTIONS, ast.ClassDef)):
            source.definitions.setdefault(node.name, []).append(node)
        elif isinstance(node, ast.If) and "__main__" in ast.dump(node.test):
            continue  # the command line: what it calls is called by `make` too
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            continue  # a docstring
        elif names := [one.id for target in _targets(node) for one in ast.walk(target) if isinstance(one, ast.Name)]:
            for name in names:
                source.definitions.setdefault(name, []).append(node)
        else:
            source.loose.append(node)
            for inner in ast.walk(node):
                if isinstance(inner, ast.Import | ast.ImportFrom):
                    source.imports.update(_imported(inner, source.package))


def _targets(node) -> list:
    """What a statement assigns to; a change inside (`TABLE["x"] = …`, `TABLE.x = …`) counts to the name changed."""
    if isinstance(node, ast.Assign):
        return node.targets
    return [node.target] if isinstance(node, ast.AnnAssign | ast.AugAssign) else []


def _imported(node, package: str) -> dict:
    """{name: (module, path)} that an import statement binds."""
    if isinstance(node, ast.Import):
        return {one.asname or one.name.split(".")[0]: (one.name if one.asname else one.name.split(".")[0], ())
                for one in node.names}
    module = node.module or ""
    if node.level:
        base = package.split(".")[: len(package.split(".")) - node.level + 1]
        module = ".".join([*base, *filter(None, [module])])
    return {one.asname or one.name: (module, (one.name,)) for one in node.names}


def _meant(root: Path, module: str, path: tuple) -> list:
    """The definitions that `module` and a path of attributes mean: [(module, definition)]; all of a bare module."""
    while path and file_of(root, f"{module}.{path[0]}"):
        module, path = f"{module}.{path[0]}", path[1:]
    source = read(root, module)
    if source is None:
        return []
    if path and path[0] not in source.definitions and path[0] in source.imports:
        target, more = source.imports[path[0]]
        return _meant(root, target, (*more, *path[1:])) if target != module or more != path else []
    if path and path[0] != "*":
        return [(module, path[0])]
    return [(module, name) for name in source.everything()]


class References:
    """The names of other definitions that a statement uses: `found` is a set of (module, path of attributes)."""

    def __init__(self, source: Source, node: ast.AST) -> None:
        self.source, self.found = source, set()
        self._visit(node, [])

    def _visit(self, node, scopes):
        if isinstance(node, ast.Attribute):
            path, base = [node.attr], node.value
            while isinstance(base, ast.Attribute):
                path, base = [base.attr, *path], base.value
            if isinstance(base, ast.Name):
                return self._name(base.id, tuple(path), scopes)
        if isinstance(node, ast.Name):
            return self._name(node.id, (), scopes)
        if isinstance(node, SCOPES):
            return self._scope(node, scopes)
        for child in ast.iter_child_nodes(node):
            self._visit(child, scopes)
        return None

    def _scope(self, node, scopes):
        inner = [*scopes, _bound(node, self.source.package)]
        if isinstance(node, ast.ClassDef):
            inner = scopes  # a method does not see the names of its class
        for name, value in ast.iter_fields(node):
            outside = name in ("decorator_list", "returns", "bases", "keywords")
            for child in value if isinstance(value, list) else [value]:
                if isinstance(child, ast.arguments):
                    for part in (*child.defaults, *filter(None, child.kw_defaults)):
                        self._visit(part, scopes)
                elif isinstance(child, ast.AST):
                    self._visit(child, scopes if outside else inner)

    def _name(self, name, path, scopes):
        for scope in reversed(scopes):
            if name in scope:
                if scope[name]:
                    module, more = scope[name]
                    self.found.add((module, (*more, *path)))
                return
        if name in self.source.definitions:
            self.found.add((self.source.name, (name,)))
        elif name in self.source.imports:
            module, more = self.source.imports[name]
            self.found.add((module, (*more, *path)))


def _bound(node, package: str) -> dict:
    """Names that a function, lambda or comprehension binds: to None, or to what a local import means."""
    bound, shared = {}, set()
    if isinstance(node, (*FUNCTIONS, ast.Lambda)):
        every = node.args
        for one in (*every.posonlyargs, *every.args, *every.kwonlyargs, every.vararg, every.kwarg):
            bound |= {one.arg: None} if one else {}
        waiting = list(node.body) if isinstance(node.body, list) else []
    else:
        waiting = [generator.target for generator in getattr(node, "generators", ())]
    while waiting:
        inner = waiting.pop()
        if isinstance(inner, ast.Import | ast.ImportFrom):
            bound |= _imported(inner, package)
        elif isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Store):
            bound.setdefault(inner.id, None)
        elif isinstance(inner, ast.Global):
            shared |= set(inner.names)
        elif isinstance(inner, ast.ExceptHandler) and inner.name:
            bound.setdefault(inner.name, None)
        if isinstance(inner, (*FUNCTIONS, ast.ClassDef)):
            bound.setdefault(inner.name, None)
        elif not isinstance(inner, SCOPES):
            waiting += ast.iter_child_nodes(inner)  # type: ignore[operator]
    return {name: value for name, value in bound.items() if name not in shared}


def _hashes(root: Path, module: str, found: dict) -> dict:
    """{definition: hash} of a module's reached statements: methods one by one, and the files that they name."""
    hashes, folder = {}, file_of(root, module).parent
    for name, nodes in found.items():
        for node in nodes:
            if isinstance(node, ast.ClassDef):
                rest = [one for one in node.body if not isinstance(one, FUNCTIONS)]
                if module.startswith("papers.") and module.endswith(".config") and name == "Config":
                    rest = [one for one in rest if not isinstance(one, ast.AnnAssign)]  # by value
                for method in (one for one in node.body if isinstance(one, FUNCTIONS)):
                    hashes[f"{name}.{method.name}"] = _hash([method])
                hashes[name] = _hash([*node.decorator_list, *node.bases, *rest])
        if not isinstance(nodes[0], ast.ClassDef):
            hashes[name] = _hash(nodes)
        for path in (folder / one for node in nodes for one in _file_names(node)):
            if path.is_file():
                hashes[path.name] = hashlib.sha256(path.read_bytes()).hexdigest()[:12]
    return hashes


def _file_names(node) -> set[str]:
    """Texts of a statement that could name a file beside its module; claims.csv is compared on its own."""
    texts = {one.value for one in ast.walk(node) if isinstance(one, ast.Constant) and isinstance(one.value, str)}
    return {text for text in texts if re.fullmatch(r"\w[\w.-]{0,80}\.(csv|json|txt|npz|npy)", text)} - {"claims.csv"}


def _hash(nodes: list) -> str:
    text = "".join(ast.dump(node, annotate_fields=False) for node in nodes)
    return hashlib.sha256(text.encode()).hexdigest()[:12]
