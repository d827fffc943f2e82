"""A paper is laid out in a copy of the repository: it keeps the contract, passes its own tests, and has a page."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from common.closure import ROOT
from common.errors import EncoreError
from common.new_paper import __main__ as new_paper

NAME = "sixth"
BESIDE = ("pyproject.toml", "tests/__init__.py", "tests/conftest.py", "tests/test_contract.py",
          "tests/common/__init__.py", "tests/common/browser.py", "tests/common/replicas.py")


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    """A repository with `common`, the contract and one paper, laid out as a user does it."""
    root = tmp_path_factory.mktemp("checkout")
    shutil.copytree(ROOT / "common", root / "common", ignore=shutil.ignore_patterns("__pycache__"))
    for name in BESIDE:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, root / name)
    for name in ("papers", "tests/papers"):
        (root / name).mkdir()
        (root / name / "__init__.py").touch()
    done = called(root, "-m", "common.new_paper", NAME)
    assert done.returncode == 0 and f"Next: make reproduce-{NAME}" in done.stdout, done.stderr
    return root


def called(root, *words):
    return subprocess.run([sys.executable, *words], cwd=root, capture_output=True, text=True,
                          env=os.environ | {"PYTHONPATH": ""})


@pytest.mark.parametrize(("name", "said"), [
    ("a b", "a word of a to z"), ("../x", "a word of a to z"), ("6x", "a word of a to z"), ("Up", "a word of a to z"),
    ("lambda", "no word of Python"), ("", "a word of a to z"), ("naïve", "a word of a to z"),
    ("demo", "means something else"), ("all", "means something else"), ("new_paper", "means something else"),
    ("musae", "is there already"),
])
def test_a_name_that_cannot_be_is_one_line_and_nothing_is_written(name, said, capsys):
    before = sorted((ROOT / "papers").iterdir())
    with pytest.raises(SystemExit) as end:
        new_paper.main([name])
    (line,) = capsys.readouterr().err.splitlines()
    assert end.value.code == 2 and line.startswith("error: ") and said in line
    assert sorted((ROOT / "papers").iterdir()) == before


def test_tests_of_that_name_are_not_written_over(tmp_path):
    (tmp_path / "tests" / "papers" / NAME).mkdir(parents=True)
    with pytest.raises(EncoreError, match="is there already"):
        new_paper.lay_out(NAME, tmp_path)
    assert not (tmp_path / "papers").exists()


def test_it_passes_lint_and_holds_nothing_of_the_template(checkout):
    done = called(checkout, "-m", "ruff", "check", f"papers/{NAME}", f"tests/papers/{NAME}")
    assert done.returncode == 0, done.stdout
    for path in [*(checkout / "papers" / NAME).rglob("*"), *(checkout / "tests" / "papers" / NAME).rglob("*")]:
        assert path.is_dir() or (path.suffix != ".txt" or path.name == "shapes.txt"), path
        assert path.is_dir() or new_paper.PLACEHOLDER not in path.read_text(), path


@pytest.mark.slow
def test_help_needs_no_tensorflow(checkout):
    for script in ("preprocess", "train", "evaluate"):
        code = (f"import runpy, sys; sys.argv = ['x', '--help']; sys.modules['tensorflow'] = None; "
                f"runpy.run_module('papers.{NAME}.{script}', run_name='__main__', alter_sys=True)")
        done = called(checkout, "-c", code)
        assert done.returncode == 0 and "--bottleneck" in done.stdout, done.stderr


@pytest.mark.slow
def test_it_keeps_the_contract_and_passes_its_tests(checkout):
    """Among these a smoke run to the page, and one replica beside two."""
    done = called(checkout, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/test_contract.py",
                  f"tests/papers/{NAME}")
    assert done.returncode == 0, done.stdout[-3000:]
    assert "skipped" not in done.stdout.splitlines()[-1]


FAULTS = {  # test of the contract -> file, text, what is put there
    "test_files_and_names_are_there": ("sound.py", None, None),
    "test_the_readme_has_its_sections_in_order": ("README.md", "## Run it", "## Running"),
    "test_no_mode_word_in_models_and_training": ("train.py", "DECODER = {", 'DECODER = {"sound": None, '),
    "test_settings_resolve_in_every_mode_and_preset": ("config.py", '"smoke": {"epochs": 4}, ', ""),
    "test_every_divergence_has_a_source_a_reason_and_a_test": ("config.py", 'code_source="model.py: one layer",', ""),
    "test_every_claim_is_answered_and_nothing_else_is": ("findings.py", '"R2": more', '"R3": more'),
    "test_equations_and_shapes_name_definitions_that_are_there": ("equations.csv", "losses.squared_error", "losses.no"),
}


@pytest.mark.slow
def test_the_contract_notices_each_fault(checkout, tmp_path):
    root = tmp_path / "copy"
    shutil.copytree(checkout, root, ignore=shutil.ignore_patterns("__pycache__", "runs", "data"))
    for name, old, new in FAULTS.values():
        path = root / "papers" / NAME / name
        if old is None:
            path.unlink()
        else:
            assert path.read_text().count(old) == 1, name
            path.write_text(path.read_text().replace(old, new))
    tests = root / "tests" / "papers" / NAME / "test_paper.py"
    tests.write_text(tests.read_text().replace("SMOKE_RUN = ", "OTHER = "))
    done = called(root, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-m", "not slow", "tests/test_contract.py")
    failed = {line.split("::")[1].split("[")[0] for line in done.stdout.splitlines() if line.startswith("FAILED")}
    of_presets = "test_jobs_name_the_networks_of_every_mode_and_preset"  # asks for the preset that is left out
    assert failed == {*FAULTS, of_presets, "test_a_smoke_run_is_among_its_tests"}, done.stdout[-2000:]


def test_the_template_is_not_imported():
    assert not list(new_paper.TEMPLATE.rglob("*.py")) and Path(new_paper.TEMPLATE, "config.py.txt").exists()
