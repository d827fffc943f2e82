"""Import hook: the module that ENCORE_MUTANT names (`module=file`) is loaded from that file, under its own name.

`tests.mutate` puts this file on the path as sitecustomize.py, so that processes started by a test see the fault too.
"""

import importlib.machinery
import os
import sys


class _Loader(importlib.machinery.SourceFileLoader):
    """Compiles the mutated text. The code object names the mutated file, where AutoGraph looks for the source."""

    def get_code(self, fullname):
        """The code of the mutated file; nothing is cached."""
        with open(self.mutant, "rb") as file:
            return compile(file.read(), self.mutant, "exec", dont_inherit=True)


class _Finder:
    """Finds the one mutated module."""

    def __init__(self, module: str, mutant: str):
        self.module, self.mutant = module, mutant

    def find_spec(self, fullname, path=None, target=None):
        """The usual spec with another loader; None for every other module."""
        if fullname != self.module:
            return None
        spec = importlib.machinery.PathFinder.find_spec(fullname, path, target)
        loader = _Loader(fullname, spec.origin)
        loader.mutant = self.mutant
        spec.loader = loader
        return spec


def install(value: str):
    """Put the hook of `module=file` before all others."""
    sys.meta_path.insert(0, _Finder(*value.split("=", 1)))


if os.environ.get("ENCORE_MUTANT") and __name__ == "sitecustomize":
    install(os.environ["ENCORE_MUTANT"])
