"""Command lines: a wrong one is one line, what is typed reaches the settings, what is printed can be typed."""

import ast
import errno
import importlib
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from common import check_gpu, command, config as configuration, process, record, reproduce, scripts
from common.corpora import __main__ as corpora_script
from common.demo import __main__ as demo_script
from common.errors import BusyError, DataError, StaleError
from common.report import __main__ as report_script
from papers.softmax_ae import config as settings

ROOT = Path(__file__).resolve().parents[2]
PAPERS = sorted(path.parent.name for path in ROOT.glob("papers/*/evaluate.py"))


def with_main(path):
    return 'if __name__ == "__main__"' in path.read_text(encoding="utf-8")


def module_of(path):
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__main__")


SCRIPTS = [path for path in sorted([*ROOT.glob("papers/*/*.py"), *ROOT.glob("common/**/*.py")]) if with_main(path)]


def train_script(arguments):
    return scripts.parse(settings, "x", scripts.TrainOptions, arguments)


# ---------------------------------------------------------------- wrong calls

WRONG = [
    (reproduce.main, "", "Missing .*softmax_ae"),
    (reproduce.main, "musea", "invalid choice 'musea'.*'musae'"),
    (reproduce.main, "softmax_ae --preset tiny", "invalid choice 'tiny'"),
    (reproduce.main, "softmax_ae --follow text", "invalid choice 'text'"),
    (reproduce.main, "softmax_ae --epoch 3", "--epoch"),
    (reproduce.main, "softmax_ae --epochs many", "--epochs"),
    (reproduce.main, "softmax_ae --seeds -1", "--seeds.*-1"),
    (reproduce.main, "softmax_ae --seeds", "--seeds"),
    (reproduce.main, "softmax_ae --data /nonexistent", "^error: /nonexistent: no such file or folder"),
    (reproduce.main, "softmax_ae --data . --null", "NULL=1.*leave out"),
    (train_script, "--seed -1", "-1"),
    (train_script, "--split XX", "invalid choice 'XX'.*'P1', 'P2'"),
    (train_script, "--batch-size -4", "^error: --batch-size -4: must be 1 or more"),
    (reproduce.main, "softmax_ae --epochs 0", "^error: --epochs 0: must be 1 or more"),
    (train_script, "--data /nonexistent", "^error: /nonexistent: no such"),
    (train_script, "--models x", "--models, x; perhaps --model"),
    (report_script.main, "publsh x", "publsh, x; .*publish, readme"),
    (report_script.main, "publish", "name one or more runs"),
    (corpora_script.main, "chek .", "chek.*check, get"),
    (corpora_script.main, "check /nonexistent", "/nonexistent"),
    (demo_script.main, "gtza somewhere", "gtzan, fma, medley_solos_db"),
    (check_gpu.main, "--gpu", "--gpu"),
]


@pytest.mark.parametrize(("main", "words", "said"), WRONG, ids=[f"{m.__module__} {w}" for m, w, _ in WRONG])
def test_a_wrong_call_is_one_line_and_exit_code_2(main, words, said, capsys):
    with pytest.raises(SystemExit) as end:
        main(words.split())
    printed = capsys.readouterr()
    assert end.value.code == 2 and not printed.out
    assert len(printed.err.splitlines()) == 1 and printed.err.startswith("error: ") and re.search(said, printed.err)


def test_data_without_permission_is_one_line(tmp_path, monkeypatch):
    monkeypatch.setattr(scripts.os, "access", lambda path, mode: False)  # the superuser may read everything
    with pytest.raises(DataError, match="no permission to read it"):
        scripts.check(tmp_path, False, (0,))


@pytest.mark.parametrize(("number", "said"), [
    (errno.ENOSPC, "runs/x.json: no space left on device; free some space"),
    (errno.EROFS, "runs/x.json: read-only file system; name another folder"),
    (errno.EACCES, "runs/x.json: permission denied; change its permissions"),
])
def test_an_error_of_the_system_is_one_line_with_its_file(number, said, capsys):
    with pytest.raises(SystemExit) as end, process.one_line_errors():
        raise OSError(number, os.strerror(number), "runs/x.json")
    assert end.value.code == 2 and capsys.readouterr().err.startswith(f"error: {said}")


def test_an_error_that_is_not_expected_keeps_its_traceback():
    with pytest.raises(KeyError), process.one_line_errors():
        raise KeyError("x")
    with pytest.raises(SystemExit), process.one_line_errors(KeyError):
        raise KeyError("x")


# ---------------------------------------------------------------- reproduce


@pytest.fixture
def quiet_report(monkeypatch):
    from common import report

    monkeypatch.setattr(report, "write_report", lambda runs: "runs/index.html")


def test_a_full_disk_is_one_line_for_all_modes_and_exit_code_1(tmp_path, monkeypatch, capsys, quiet_report):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device", "runs/config.json.partial")

    monkeypatch.setattr(reproduce, "reproduce", full)
    assert reproduce.main(["softmax_ae", "--runs", tmp_path]) == 1
    lines = capsys.readouterr().err.splitlines()
    assert lines == ["error: softmax_ae code seed 0: runs/config.json.partial: no space left on device; free some "
                     "space, the same command goes on", "failed: code seed 0; paper seed 0; sound seed 0"]


def test_a_full_disk_in_the_report_is_one_line(tmp_path, monkeypatch, capsys):
    from common import report

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device", "runs/index.html")

    monkeypatch.setattr(reproduce, "reproduce", lambda *_: None)
    monkeypatch.setattr(report, "write_report", full)
    with pytest.raises(SystemExit) as end:
        reproduce.main(["softmax_ae", "--runs", tmp_path])
    assert end.value.code == 2 and capsys.readouterr().err.startswith("error: runs/index.html: no space left")


def test_one_failing_mode_does_not_stop_the_others(tmp_path, monkeypatch, capsys, quiet_report):
    tried = []

    def some(options, settings, plan):
        tried.append(plan.follow)
        if plan.follow == "code":
            raise DataError("nothing usable in it")

    monkeypatch.setattr(reproduce, "reproduce", some)
    assert reproduce.main(["softmax_ae", "--runs", tmp_path]) == 1 and tried == ["code", "paper", "sound"]
    assert capsys.readouterr().err == "error: softmax_ae code seed 0: nothing usable in it\n"


@pytest.mark.parametrize(("error", "said"), [
    (StaleError("line: x changed; --fresh to go on"), "line: x changed; --fresh to go on (make: FLAGS=--fresh)"),
    (BusyError("process 7 is at work on it"), "process 7 is at work on it")])
def test_a_run_that_waits_ends_its_paper_with_1_so_that_the_next_goes_on(tmp_path, monkeypatch, capsys, quiet_report,
                                                                         error, said):
    def waiting(*_):
        raise error

    monkeypatch.setattr(reproduce, "reproduce", waiting)
    assert reproduce.main(["softmax_ae", "--runs", tmp_path, "--follow", "code"]) == 1
    assert capsys.readouterr().err == f"error: softmax_ae code seed 0: {said}\n"


def test_settings_of_a_paper_hold_for_every_mode_and_are_recorded():
    words = ["softmax_ae", "--epochs", "5", "--keep-probability", "0.8", "--seeds", "0", "1", "--preset", "smoke"]
    options, plans = reproduce.parse(settings, words)
    assert options.seeds == (0, 1) and [plan.follow for plan in plans] == ["code", "code", "paper", "paper",
                                                                           "sound", "sound"]
    for plan in plans:
        own = configuration.resolve(settings, plan.follow, "smoke").keep_probability
        assert plan.overrides == {"epochs": 5} | ({} if own == 0.8 else {"keep_probability": 0.8})
        config = configuration.resolve(settings, plan.follow, "smoke", plan.overrides)
        assert config.epochs == 5 and config.keep_probability == 0.8
    assert {own for own in (configuration.resolve(settings, mode, "smoke").keep_probability
                            for mode in configuration.FOLLOW)} > {0.8}  # or the test shows nothing


def test_effects_change_one_thing_at_a_time_beside_what_is_typed():
    words = ["softmax_ae", "--follow", "sound", "--effects", "--ablations", "--epochs", "5"]
    _, plans = reproduce.parse(settings, words)
    assert (plans[0].follow, plans[0].overrides) == ("sound", {"ablations": True, "epochs": 5})
    changes = reproduce.effects(settings)
    assert [(plan.follow, plan.overrides) for plan in plans[1:]] == [("paper", {"epochs": 5} | one) for one in changes]


def test_a_divergence_is_measured_at_its_values_or_the_programs_or_else_the_sound_ones():
    divergences = [SimpleNamespace(field=field, decides=decides, effects=effects, paper=paper, code=code, sound=sound)
                   for field, decides, effects, paper, code, sound in (
                       ("named", ("A1",), (5, 6), 1, 2, 3), ("programs", ("A1",), (), 1, 2, 3),
                       ("sound", ("A1",), (), 1, 1, 3), ("no claim", (), (5,), 1, 2, 3))]
    assert reproduce.effects(SimpleNamespace(DIVERGENCES=divergences)) == [
        {"named": 5}, {"named": 6}, {"programs": 2}, {"sound": 3}]


def test_a_data_set_that_is_named_is_the_only_one():
    from papers.lord_transfer import config as lord

    named = reproduce.parse(lord, ["lord_transfer", "--data-set", "fma_medium", "--follow", "paper"])[1]
    assert [plan.data_set for plan in named] == ["fma_medium"]
    assert len({plan.data_set for plan in reproduce.parse(lord, ["lord_transfer"])[1]}) > 1


# ---------------------------------------------------------------- what is printed can be typed


@pytest.mark.parametrize("paper", PAPERS)
def test_words_give_the_same_options_and_settings_when_typed(paper):
    module = importlib.import_module(f"papers.{paper}.config")
    words = ["--follow", "sound", "--preset", "smoke", "--seed", "3", "--runs", "my runs", "--ablations"]
    if hasattr(module.Config, "data_set"):
        words += ["--data-set", module.DATA_SETS[-1]]
    options, config, overrides, _ = scripts.parse(module, "x", None, words)
    again = shlex.split(scripts.words(options, overrides, config))
    assert scripts.parse(module, "x", scripts.EvaluateOptions, again)[:3] == (options, config, overrides)
    assert overrides == {"ablations": True} and options.runs == Path("my runs")


@pytest.fixture
def trained(tmp_path, monkeypatch):
    """run_training and run_evaluation of two models with nothing behind them; `ended` holds those that are trained."""
    from common import training

    ended, evaluated = set(), []
    store = SimpleNamespace(directory=tmp_path, parameters={"corpus": {"label": "demo-x"}}, fingerprint="f")
    preprocess = SimpleNamespace(preprocess=lambda *_, **__: store)
    monkeypatch.setattr(training, "train_all", lambda jobs, store, run, only: ended.update([only] if only else jobs))
    monkeypatch.setattr(training, "outcome", lambda directory: SimpleNamespace(complete=True, diverged=False)
                        if directory.name in ended else None)
    monkeypatch.setattr(record.Run, "write_config", lambda run, store: None)

    def train(*words):
        parsed = train_script([*words, "--runs", str(tmp_path / "runs")])
        scripts.run_training(parsed, settings, preprocess, lambda config: dict.fromkeys(("two_layer", "deep")))

    def evaluate(*words):
        parsed = scripts.parse(settings, "x", scripts.EvaluateOptions, list(words))
        scripts.run_evaluation(parsed, settings, preprocess, lambda *asked: evaluated.append(asked))

    return SimpleNamespace(train=train, evaluate=evaluate, evaluated=evaluated)


def printed_command(text):
    return re.search(r"python -m (papers\.\w+\.(\w+))(.*)", text).groups()


def test_the_next_command_that_training_prints_can_be_typed(trained, capsys):
    trained.train("--model", "two_layer", "--epochs", "7", "--follow", "code")
    said = capsys.readouterr().out
    _, script, words = printed_command(said)
    assert script == "train" and "1 of 2 models are left" in said
    trained.train(*shlex.split(words))
    _, script, words = printed_command(capsys.readouterr().out)
    assert script == "evaluate"
    options, config, overrides, _ = scripts.parse(settings, "x", scripts.EvaluateOptions, shlex.split(words))
    assert options.follow == "code" and overrides == {"epochs": 7} and config.epochs == 7


def test_evaluation_before_training_names_a_command_that_can_be_typed(trained, tmp_path, capsys):
    with pytest.raises(SystemExit):
        trained.evaluate("--partial", "--epochs", "7", "--runs", str(tmp_path / "none"))
    _, script, words = printed_command(capsys.readouterr().err)
    assert script == "train" and train_script(shlex.split(words))[2] == {"epochs": 7}


@pytest.mark.parametrize("partial", [False, True])
def test_evaluation_gets_settings_store_run_and_whether_it_may_be_partial(
        trained, tmp_path, monkeypatch, capsys, partial):
    monkeypatch.setattr(record.Run, "settle", lambda run, store: None)
    words = ["--epochs", "7", "--runs", str(tmp_path / "runs"), *["--partial"] * partial]
    options, config, overrides, _ = scripts.parse(settings, "x", scripts.EvaluateOptions, words)
    store = SimpleNamespace(directory=tmp_path, parameters={"corpus": {"label": "demo-x"}}, fingerprint="f")
    run = record.open_run(settings, config, store, options.follow, options.preset, 0, overrides, options.runs)
    run.directory.mkdir(parents=True)
    (run.directory / "config.json").write_text("{}")
    trained.evaluate(*words)
    [(config, store, run, asked)] = trained.evaluated
    assert (config.epochs, store.fingerprint, asked) == (7, "f", partial)
    assert run.directory.parents[2] == tmp_path / "runs"
    assert capsys.readouterr().out == f"{run.directory / 'results.json'}: written. Next: make report\n"


def test_every_command_of_list_can_be_typed(trained, capsys):
    trained.train("--list", "--seed", "2")
    lines = capsys.readouterr().out.splitlines()
    assert [train_script(shlex.split(printed_command(line)[2]))[3].model for line in lines] == ["two_layer", "deep"]
    assert {train_script(shlex.split(printed_command(line)[2]))[0].seed for line in lines} == {2}


def test_how_the_machine_is_used_is_handed_on(trained, capsys):
    trained.train("--list", "--precision", "mixed_bfloat16", "--jit", "--checkpoint-seconds", "5")
    for line in capsys.readouterr().out.splitlines():
        machine = train_script(shlex.split(printed_command(line)[2]))[3]
        assert (machine.precision, machine.jit, machine.checkpoint_seconds) == ("mixed_bfloat16", True, 5)
    options, _ = reproduce.parse(settings, ["softmax_ae", "--deterministic", "--steps-per-call", "4"])
    assert options.values() == {"precision": "float32", "jit": False, "deterministic": True}
    assert options.steps_per_call == 4
    with pytest.raises(SystemExit):
        train_script(["--readers", "0"])
    assert capsys.readouterr().err == "error: --readers 0: name a number from 1 up\n"


def texts(path):
    """The strings of a module, those of an f-string joined with {} for what is put in."""
    nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    joined = [node for node in nodes if isinstance(node, ast.JoinedStr)]
    parts = {id(part) for node in joined for part in node.values}
    for node in joined:
        yield "".join(part.value if isinstance(part, ast.Constant) else "{}" for part in node.values)
    for node in nodes:
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in parts:
            yield node.value


def test_every_command_named_in_a_message_or_a_readme_is_there():
    targets = re.search(r"^TARGETS := (.*)$", (ROOT / "Makefile").read_text(), re.M).group(1).split()
    targets += ["reproduce", *(f"reproduce-{paper}" for paper in PAPERS)]
    sources = {path: "\n".join(texts(path)) for path in [*ROOT.glob("common/**/*.py"), *ROOT.glob("papers/*/*.py")]}
    sources |= {path: path.read_text() for path in [*ROOT.glob("*.md"), *ROOT.glob("papers/*/README.md"),
                                                    ROOT / "data" / "README.md"] if path.name != "CHANGELOG.md"}
    others = [path for path in [*ROOT.glob("benchmarks/*.py"), *ROOT.glob("tests/**/*.py")] if with_main(path)]
    known, seen = {module_of(path) for path in [*SCRIPTS, *others]}, 0
    for path, text in sources.items():
        for module in re.findall(r"python -m ((?:papers|common|tests|benchmarks)\.[\w.]*\w)(?![.]?[{<])(?!\w)", text):
            assert module in known, (path, module)
            seen += 1
        for target in re.findall(r"(?<![\w-])make ([a-z][\w-]*[a-z])(?=[ `:;,.)]|$)", text, re.M):
            if target.startswith(("reproduce", "check", "test", "report", "clean", "lint", "bench", "mutants")):
                assert target in targets, (path, target)
                seen += 1
    assert seen > 40


def documented():
    """(module, words) of every command line in a README's code block, made-up places left out."""
    for path in [ROOT / "README.md", *ROOT.glob("papers/*/README.md")]:
        for line in re.findall(r"^(?:\S*/)?python -m (papers\.\w+\.\w+.*)$", path.read_text(), re.M):
            module, *words = re.split(r"\s[#>|]", line)[0].split()
            if not {"…", "--help"} & set(words) and not re.search(r"[\[\]<>*]", " ".join(words)):
                yield module, words


def test_every_command_line_of_a_readme_can_be_typed(monkeypatch):
    monkeypatch.setattr(scripts, "check", lambda *_: None)  # the folders in it are made up
    seen = set()
    for module, words in documented():
        paper, script = module.split(".")[1:]
        extra = {"train": scripts.TrainOptions, "evaluate": scripts.EvaluateOptions}.get(script)
        if script in ("preprocess", "train", "evaluate"):
            scripts.parse(importlib.import_module(f"papers.{paper}.config"), "x", extra, words)
        elif script != "model":
            command.parse(importlib.import_module(module).Options, "x", words)
        seen.add(module)
    assert len(seen) > 10


# ---------------------------------------------------------------- help

HELP = """
import contextlib, io, runpy, sys
for module in sys.argv[1:]:
    said = io.StringIO()
    sys.argv = [module, "--help"]
    with contextlib.redirect_stdout(said):
        try:
            runpy.run_module(module, run_name="__main__", alter_sys=True)
            print(module, "did not end")
        except SystemExit as end:
            assert not end.code, (module, end.code)
    assert "usage" in said.getvalue(), module
    assert "tensorflow" not in sys.modules, f"{module} loads TensorFlow"
    print(module, len(said.getvalue()), "--seed" in said.getvalue())
"""


@pytest.mark.slow
def test_help_explains_every_script_without_tensorflow():
    modules = [module_of(path) for path in SCRIPTS if path.name != "model.py"]
    done = subprocess.run([sys.executable, "-c", HELP, *modules], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr[-800:]
    assert len(done.stdout.splitlines()) == len(modules) > 20
    for module in modules:
        if module.rsplit(".", 1)[1] in ("preprocess", "train", "evaluate"):
            assert f"{module} " in done.stdout and re.search(rf"{module} \d+ True", done.stdout), module
