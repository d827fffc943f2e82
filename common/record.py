"""One run: a paper, a corpus, a preset, a mode, a seed; its directory and the files in it. No TensorFlow.

`runs/<paper>/<corpus>-<preset>-<follow>/seed-0/` holds `config.json environment.json results.json media.json figures/
audio/ models/<model>/`. `results.json` is written by `evaluate` alone.
"""

import dataclasses
import importlib.metadata
import json
import os
import platform
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType

from common import claims, config as configuration
from common.store import Store

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("tensorflow", "keras", "numpy", "scipy", "librosa", "scikit-learn", "soundfile", "symusic")


@dataclass(frozen=True)
class Run:
    """A run's settings and directory."""

    directory: Path
    settings: ModuleType
    config: object
    follow: str
    preset: str
    seed: int
    overrides: dict = field(default_factory=dict)

    @property
    def paper(self) -> str:
        """The paper's directory name."""
        return self.settings.PAPER

    def model_directory(self, name: str) -> Path:
        """Where a model's metrics and checkpoints lie."""
        return self.directory / "models" / name

    def figure(self, name: str) -> Path:
        """Path of a figure, `figures/<name>.png`."""
        return self._file("figures", f"{name}.png")

    def audio(self, name: str) -> Path:
        """Path of a sound, `audio/<name>.wav`."""
        return self._file("audio", f"{name}.wav")

    def _file(self, folder: str, name: str) -> Path:
        path = self.directory / folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def relative(self, path: Path) -> str:
        """A file's path as media.json names it: relative to the run's directory."""
        return Path(path).relative_to(self.directory).as_posix()

    def write_config(self, store: Store):
        """Write config.json and environment.json, before training starts."""
        self.directory.mkdir(parents=True, exist_ok=True)
        covered = configuration.covered(self.settings, self.follow, self.preset, self.overrides)
        write_json(self.directory / "config.json", {
            "paper": self.paper, "follow": self.follow, "preset": self.preset, "seed": self.seed,
            "overrides": self.overrides, "covered": covered, "store": str(store.directory),
            "store_fingerprint": store.fingerprint, "settings_sha256": configuration.sha256(self.config),
            "config": dataclasses.asdict(self.config)})
        write_json(self.directory / "environment.json", environment())

    def write_results(self, store: Store, results: dict, media: list | None = None, notes: dict | None = None,
                      step: int = 0, complete: bool = True, facts: dict | None = None):
        """Write results.json and media.json, whole or not at all.

        Args:
            results: {claim id: {"value", "n", "of", "baselines"} or {"not_testable": reason}}.
            media: sections of the report page (figures, audio, tables, grids).
            step: training steps done in all models; `complete`: all of them finished.
            facts: stated conditions that `needs` in claims.csv may ask for.

        Raises:
            claims.ClaimsError: a result whose id claims.csv lacks.
        """
        path = ROOT / "papers" / self.paper / "claims.csv"
        results = json.loads(json.dumps(results, default=_plain))
        claims.check_results(results, claims.read_claims(path), f"{self.paper} evaluate")
        commit, dirty = _commit()
        groups = store.parameters["groups_per_class"]
        facts = {"groups_per_class": min(groups.values()), "classes": len(groups)} | (facts or {})
        write_json(self.directory / "media.json", media or [])
        write_json(self.directory / "results.json", {
            "paper": self.paper, "corpus": store.parameters["corpus"], "preset": self.preset, "follow": self.follow,
            "overrides": self.overrides, "seed": self.seed, "complete": complete, "step": step, "commit": commit,
            "dirty": dirty, "claims_sha256": claims.sha256(path), "settings_sha256": configuration.sha256(self.config),
            "store_fingerprint": store.fingerprint, "evaluate_sha256": _evaluate_sha256(self.paper),
            "machine": environment()["machine"], "hours": self._hours(), "facts": facts, "notes": notes or {},
            "rejected": len(store.rejected), "results": results})

    def is_done(self, store: Store) -> bool:
        """Whether results.json stands for these settings, this store, today's claims and today's evaluate.py."""
        try:
            results = json.loads((self.directory / "results.json").read_text())
        except (OSError, ValueError):
            return False
        return bool(results.get("complete")) and all(results.get(key) == value for key, value in {
            "settings_sha256": configuration.sha256(self.config), "store_fingerprint": store.fingerprint,
            "claims_sha256": claims.sha256(ROOT / "papers" / self.paper / "claims.csv"),
            "evaluate_sha256": _evaluate_sha256(self.paper)}.items())

    def _hours(self) -> float:
        seconds = 0.0
        for path in sorted(self.directory.glob("models/**/timing.jsonl")):
            seconds += sum(json.loads(line)["seconds"] for line in path.read_text().splitlines())
        return round(seconds / 3600, 4)


def open_run(settings: ModuleType, config, store: Store, follow: str, preset: str, seed: int,
             overrides: dict | None = None, runs: Path = Path("runs")) -> Run:
    """The Run for these settings; nothing is written yet. Typed flags get a directory of their own."""
    overrides = json.loads(json.dumps(overrides or {}, default=str))
    name = f"{store.parameters['corpus']['label']}-{preset}-{follow}"
    if overrides:
        name += f"-{configuration.sha256(overrides)[:6]}"
    directory = Path(runs) / settings.PAPER / name / f"seed-{seed}"
    return Run(directory, settings, config, follow, preset, seed, overrides)


def newest(settings: ModuleType, runs: Path = Path("runs"), follow: str = "sound") -> Path | None:
    """The directory of the newest complete run of a paper in a mode, None without one."""
    found = []
    for path in Path(runs).glob(f"{settings.PAPER}/*-{follow}*/seed-*/results.json"):
        results = json.loads(path.read_text())
        if results.get("complete") and results.get("follow") == follow:
            found.append((path.stat().st_mtime, path.parent))
    return max(found)[1] if found else None


def for_tool(settings: ModuleType, directory: Path | None, runs: Path = Path("runs")) -> tuple[Run, Store, str]:
    """What a tool (embed, interpolate, …) works with: the given run or the newest complete `sound` run.

    Returns: (run, its store, a sentence that says what the model was trained on).

    Raises:
        FileNotFoundError: no such run; the message holds the command that makes one.
    """
    directory = directory or newest(settings, runs)
    if directory is None or not (Path(directory) / "config.json").exists():
        where = directory or Path(runs) / settings.PAPER
        raise FileNotFoundError(f"{where}: no complete run; make one with: "
                                f"make reproduce-{settings.PAPER} FOLLOW=sound")
    saved = json.loads((Path(directory) / "config.json").read_text())
    names = {f.name for f in dataclasses.fields(settings.Config)}
    values = {k: tuple(v) if isinstance(v, list) else v for k, v in saved["config"].items() if k in names}
    run = Run(Path(directory), settings, settings.Config(**values), saved["follow"], saved["preset"], saved["seed"],
              saved["overrides"])
    store = Store(Path(saved["store"]))
    if not (store.directory / "store.json").exists():
        raise FileNotFoundError(f"{store.directory}: the data this run was trained on is gone; make it again with: "
                                f"make reproduce-{settings.PAPER} FOLLOW={saved['follow']} PRESET={saved['preset']}")
    corpus = store.parameters["corpus"]
    sentence = f"Model: {directory}, trained on {corpus['label']} ({corpus['items']} items, preset {saved['preset']})."
    if corpus["evidence"] == "demo":
        sentence += " Trained on synthetic music, expect poor results on yours."
    return run, store, sentence


def environment() -> dict:
    """Machine, Python and package versions: what a result may depend on besides settings."""
    versions = {}
    for name in PACKAGES:
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            versions[name] = None
    threads = {k: os.environ[k] for k in ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS") if k in os.environ}
    return {"machine": f"{_processor()}, {len(os.sched_getaffinity(0))} cores", "python": platform.python_version(),
            "system": f"{platform.system()} {platform.release()}", "packages": versions, "threads": threads}


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def _commit() -> tuple[str, bool]:
    def git(*words):
        return subprocess.run(("git", *words), cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()
    try:
        return git("rev-parse", "--short", "HEAD"), bool(git("status", "--porcelain", "--untracked-files=no"))
    except (OSError, subprocess.CalledProcessError):
        return "unknown", True


def _evaluate_sha256(paper: str) -> str:
    """SHA-256 over evaluate.py and the modules beside it that only evaluation and tools use."""
    trained = {"__init__", "config", "preprocess", "model", "variants", "train"}  # told by settings and VERSIONs
    paths = sorted(path for path in (ROOT / "papers" / paper).glob("*.py") if path.stem not in trained)
    return configuration.sha256([configuration.sha256(path) for path in paths])


def _plain(value):
    """NumPy scalars and arrays as JSON knows them."""
    if hasattr(value, "tolist"):
        return value.tolist()
    return str(value)


def write_json(path: Path, value):
    """Write JSON whole or not at all."""
    temporary = path.with_name(path.name + ".partial")
    temporary.write_text(json.dumps(value, indent=1, default=_plain))
    os.replace(temporary, path)

