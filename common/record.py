"""One run: a paper, a corpus, a preset, a mode, a seed; its directory and the files in it. No TensorFlow.

`runs/<paper>/<corpus>-<preset>-<follow>/seed-0/` holds `config.json environment.json results.json media.json figures/
audio/ models/<model>/`. `results.json` is written by `evaluate` alone. What a run is stands in config.json and
results.json; nothing is read out of the names of directories and files.
"""

import contextlib
import csv
import dataclasses
import json
import shutil
import time
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

from common import checkpoints, claims, config as configuration, locks, provenance, tries
from common.errors import BusyError, CheckpointError, EncoreError, StaleError
from common.files import sha256, whole
from common.machine import Machine
from common.store import Store

ROOT = provenance.ROOT
IDENTITY = ("paper", "follow", "preset", "seed")  # what config.json and results.json both say


@dataclass(frozen=True)
class Run:
    """A run's settings and directory; one read for the report (`read`) also has what lies there.

    Attributes:
        config: the resolved settings, None where a run is only read.
        corpus: as store.json describes it.
        machine: how its trainings are to use the machine; None where none is begun.
        results: results.json, None before the evaluation; `media`: sections of media.json; `rejected`: (path, reason).
    """

    directory: Path
    settings: ModuleType
    config: Any
    follow: str
    preset: str
    seed: int
    overrides: dict = field(default_factory=dict)
    corpus: dict = field(default_factory=dict)
    results: dict | None = None
    media: list = field(default_factory=list)
    rejected: list = field(default_factory=list)
    machine: Machine | None = None

    @property
    def group(self) -> str:
        """`<corpus>-<preset>`, and a mark of the typed flags: runs that differ in mode and seed alone share it."""
        return _name(self.corpus, self.preset, "", self.overrides)

    @property
    def name(self) -> str:
        """The same with the mode: the name of the directory that holds the seeds."""
        return _name(self.corpus, self.preset, self.follow, self.overrides)

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

    def lock(self, purpose: str, shared: bool = False) -> contextlib.AbstractContextManager:
        """Hold the run for "training" or "evaluation": one process at a time; `shared` by the models of a job array.

        Of several machines the chief holds it for all.

        Raises:
            BusyError: another process holds it.
        """
        if not locks.is_chief():
            return contextlib.nullcontext()
        return locks.held(self.directory / f".{purpose}.lock", f"{purpose} of {self.directory}", shared)

    def provenance(self, store: Store) -> dict:
        """What a training that starts now stands on (`common.provenance`)."""
        return provenance.at_start(self.paper, self.config, store) | (self.machine.values() if self.machine else {})

    def write_config(self, store: Store) -> None:
        """Write config.json and environment.json, before training starts; of several machines the chief does."""
        if not locks.is_chief():
            return
        self.directory.mkdir(parents=True, exist_ok=True)
        covered = configuration.covered(self.settings, self.follow, self.preset, self.overrides)
        write_json(self.directory / "config.json", {
            "paper": self.paper, "follow": self.follow, "preset": self.preset, "seed": self.seed,
            "overrides": self.overrides, "covered": covered, "corpus": store.parameters["corpus"],
            "store": str(store.directory), "store_fingerprint": store.fingerprint,
            "settings_sha256": sha256(self.config), "config": dataclasses.asdict(self.config),
            "provenance": self.provenance(store)})
        write_json(self.directory / "environment.json", provenance.environment())

    def settle(self, store: Store, fresh: bool = False, accept_code: bool = False, only: str | None = None) -> None:
        """Before going on with trainings: those that other code, settings, data or packages began are named.

        Args:
            fresh: remove these (and only these), so that they start over.
            accept_code: go on with today's code all the same; each checkpoint then says so, and verdicts are withheld.
            only: look at this model alone.

        Raises:
            StaleError: naming every one, where neither was said or where `accept_code` is not enough.
            CheckpointError: the newest checkpoint of a model is damaged, and `fresh` was not said.
        """
        self._sweep(only)
        paths = {name: path for name, path in provenance.trained(self.directory).items()
                 if only in (None, name) and self._is_whole(name, path, fresh)}
        now = self.provenance(store) if paths else {}
        stale = {name: (path, checkpoints.read_state(path), found) for name, path in paths.items()
                 if (found := self._stale(path, now))}
        for name, (path, state, found) in list(stale.items()):
            if (fresh or accept_code) and not locks.is_chief():
                self._wait_for_chief(name, now)
            elif fresh:
                shutil.rmtree(self.model_directory(name))
            elif accept_code and not {"settings", "store"} & set(found):
                _accept(path, state, found, now)
            else:
                continue
            del stale[name]
        if stale:
            told = {}
            for name, (_, state, found) in stale.items():
                told.setdefault(provenance.sentence(found, state["total"]), []).append(name)
            raise StaleError("; ".join(f"{self.directory}: {', '.join(names)}: {line}" for line, names in told.items()))

    def _is_whole(self, name: str, path: Path, fresh: bool) -> bool:
        """Whether a model's newest checkpoint can be read; with `fresh` the model starts over where it cannot."""
        damage = checkpoints.damage(path)
        if damage and not fresh:
            raise CheckpointError(f"{path}: damaged ({damage}); remove it to go on from the one before, if there is "
                                  "one, or start this model over with --fresh (make: FLAGS=--fresh)")
        if damage:
            shutil.rmtree(self.model_directory(name))
        return not damage

    def _sweep(self, only: str | None):
        """Remove checkpoints that a process left half-written: killed, or on a full disk."""
        for path in self.directory.glob(f"models/{only or '**'}/checkpoints/*.partial"):
            model = path.parents[1]
            with contextlib.suppress(BusyError), locks.held(model / ".lock", str(model)):
                path.unlink(missing_ok=True)

    def _wait_for_chief(self, name: str, now: dict, seconds: float = 600):
        """Until the chief has started a model over, or accepted its code."""
        until = time.monotonic() + seconds
        while (path := provenance.trained(self.directory).get(name)) and self._stale(path, now):
            if time.monotonic() > until:
                raise StaleError(f"{self.model_directory(name)}: the chief does not start it over; is it running?")
            time.sleep(1)

    def write_results(self, store: Store, results: dict, media: list | None = None, notes: dict | None = None,
                      step: int = 0, complete: bool = True, facts: dict | None = None, learnt: dict | None = None
                      ) -> None:
        """Write results.json and media.json, whole or not at all.

        Args:
            results: {claim id: {"value", "n", "of", "baselines"} or {"not_testable": reason}}.
            media: sections of the report page (figures, audio, tables, grids).
            step: training steps done in all models; `complete`: all of them finished.
            facts: stated conditions that `needs` in claims.csv may ask for.
            learnt: {model: {"what", "value", "baseline", "learnt"}}, on held-out data against the trivial predictor;
                claims name the models they need to have learnt (`learnt=<model>`).

        Raises:
            claims.ClaimsError: a result whose id claims.csv lacks.
            EncoreError: a model here was trained as another seed: this directory is a copy.
        """
        path = provenance.claims_file(self.paper)
        results = provenance.plain(results)
        claims.check_results(results, claims.read_claims(path), f"{self.paper} evaluate")
        trained, evaluated = provenance.training_of(self.directory), provenance.at_evaluation(self.paper)
        for name, model in trained["models"].items():
            if model["seed"] != self.seed:
                raise EncoreError(f"{self.model_directory(name)} was trained as seed {model['seed']}, this run is seed "
                                  f"{self.seed}: a copy is no run; train it with --fresh")
        groups = store.parameters["groups_per_class"]
        facts = {"groups_per_class": min(groups.values()), "classes": len(groups),
                 "groups": len({row["group"] for row in store.index})} | (facts or {})
        write_json(self.directory / "media.json", media or [])
        found = provenance.plain({
            "paper": self.paper, "corpus": store.parameters["corpus"], "preset": self.preset, "follow": self.follow,
            "overrides": self.overrides, "seed": self.seed, "complete": complete, "step": step,
            "commit": evaluated["commit"], "dirty": evaluated["dirty"], "claims_sha256": claims.sha256(path),
            "settings_sha256": sha256(self.config), "store_fingerprint": store.fingerprint,
            "store_sha256": provenance.content(store), "machine": evaluated["machine"], "hours": self._hours(),
            "facts": facts, "learnt": learnt or {}, "notes": notes or {}, "rejected": len(store.rejected),
            "results": results,
            "provenance": {"training": trained, "evaluation": evaluated,
                           "rules_changed": provenance.rules_changed(self.directory, self.paper)}})
        found["tries"] = tries.add(self.directory.parents[1], found, provenance.commit_time(found["commit"]))
        write_json(self.directory / "results.json", found | {"seal": provenance.seal(found)})

    def is_done(self, store: Store) -> bool:
        """Whether results.json is whole and stands for these settings, this data, today's claims and today's code."""
        try:
            results = json.loads((self.directory / "results.json").read_text())
            found = results["provenance"]
            if not results["complete"] or results["seal"] != provenance.seal(results):
                return False
        except (OSError, ValueError, KeyError, TypeError):
            return False
        now, paths = self.provenance(store), provenance.trained(self.directory)
        if any(results[key] != now[key] for key in ("settings_sha256", "store_sha256", "claims_sha256")):
            return False
        if found["evaluation"]["code_sha256"] != provenance.at_evaluation(self.paper)["code_sha256"]:
            return False
        hashes = {name: sha256(path) for name, path in paths.items()}
        return hashes == {name: model["checkpoint_sha256"] for name, model in found["training"]["models"].items()} and (
            not any(self._stale(path, now) for path in paths.values()))

    def _stale(self, path: Path, now: dict) -> dict:
        found, seed = provenance.stale(path, now), checkpoints.read_state(path)["settings"]["seed"]
        return found if seed == self.seed else found | {"settings": [f"seed was {seed} and is {self.seed}"]}

    def _hours(self) -> float:
        seconds = 0.0
        for path in sorted(self.directory.glob("models/**/timing.jsonl")):
            for line in path.read_text().splitlines():
                with contextlib.suppress(json.JSONDecodeError):  # cut off where the disk was full
                    seconds += json.loads(line)["seconds"]
        return round(seconds / 3600, 4)


def open_run(settings: ModuleType, config: Any, store: Store, follow: str, preset: str, seed: int,
             overrides: dict | None = None, runs: Path = Path("runs"), machine: Machine | None = None) -> Run:
    """The Run for these settings; nothing is written yet. Typed flags get a directory of their own."""
    overrides, corpus = json.loads(json.dumps(overrides or {}, default=str)), store.parameters["corpus"]
    directory = Path(runs) / settings.PAPER / _name(corpus, preset, follow, overrides) / f"seed-{seed}"
    return Run(directory, settings, config, follow, preset, seed, overrides, corpus, machine=machine)


def _name(corpus: dict, preset: str, follow: str, overrides: dict) -> str:
    label = corpus.get("label") or ("demo-" if corpus.get("evidence") == "demo" else "") + corpus.get("name", "unknown")
    return "-".join(filter(None, (label, preset, follow, overrides and sha256(overrides)[:6])))


def read(directory: Path, settings: ModuleType, claim_rows: list, problems: list[str]) -> Run | None:
    """A run as it lies on disk, for the report; None where there is none.

    Args:
        claim_rows: the paper's claims; each result must have its row.
        problems: what cannot be read is added here and left out.
    """
    directory, saved, results = Path(directory), {}, None
    where = "/".join(directory.parts[-3:])
    try:
        if (directory / "config.json").exists():
            saved = _checked(json.loads((directory / "config.json").read_text(encoding="utf-8")))
        if (directory / "results.json").exists():
            results = claims.read_results(directory / "results.json", claim_rows)
            if any(saved.get(key) not in (None, results.get(key)) for key in IDENTITY):
                problems.append(f"{where}: results.json is of another run; evaluate this one again")
                results = None
    except json.JSONDecodeError as error:
        problems.append(f"{where}/config.json: cut off or damaged ({error}); train this run again to have it shown")
    except (OSError, ValueError) as error:
        said = str(error).replace(str(directory), where)
        problems.append(said if where in said else f"{where}: {said}")
    identity = results or saved
    if not identity.get("corpus") or any(key not in identity for key in IDENTITY):
        return None
    if identity["paper"] != settings.PAPER:
        problems.append(f"{where}: a run of {identity['paper']}; move it to that paper's folder")
        return None
    media = _read_media(directory / "media.json", where, problems) if results else []
    rejected = _read_rejected(saved.get("store"), (results or {}).get("rejected"))
    return of(identity, directory, settings, results, media, rejected)


def _checked(saved: Any) -> dict:
    """A config.json's content. Raises ValueError where it is none."""
    kinds = {"paper": str, "corpus": dict, "follow": str, "preset": str, "seed": int}
    if not isinstance(saved, dict) or any(not isinstance(saved.get(key, kind()), kind) for key, kind in kinds.items()):
        raise ValueError("config.json is not what a run writes; train this run again to have it shown")
    if saved.get("follow", "paper") not in configuration.FOLLOW:
        raise ValueError(f"config.json names the mode {saved['follow']!r}, which is none; train this run again")
    return saved


def of(identity: dict, directory: Path, settings: ModuleType, results: dict | None, media: list | None = None,
       rejected: list | None = None) -> Run:
    """The run that a config.json or results.json (`identity`) speaks of."""
    return Run(directory, settings, None, *(identity[key] for key in ("follow", "preset", "seed")),  # type: ignore[call-arg]
               identity.get("overrides") or {}, identity["corpus"], results, media or [], rejected or [])


def _read_media(path: Path, where: str, problems: list[str]) -> list:
    if not path.exists():
        return []
    try:
        media = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(media, list) or not all(isinstance(section, dict) for section in media):
            raise ValueError("not a list of sections")
        return media
    except (OSError, ValueError) as error:
        problems.append(f"{where}/media.json cannot be read ({error}); evaluate the run again")
        return []


def _read_rejected(store: str | None, count: int | None) -> list:
    """Rejected inputs as (path, reason); where the store is gone, one row with how many results.json counted."""
    try:
        with open(ROOT / store / "rejected.csv", newline="", encoding="utf-8") as file:
            return [tuple(row) for row in csv.reader(file) if row][1:]
    except (OSError, TypeError):
        return [(f"{count} files", "the list is gone with the preprocessed data; preprocess again")] if count else []


def of_use(settings: ModuleType, runs: Path = Path("runs"), follow: str = "sound") -> list[Path]:
    """The directories of the complete runs of a paper in a mode, the newest first: what a tool may take unasked.

    The twin with shuffled labels is left out; runs of preset smoke come after all others.
    """
    found = []
    for path in (Path(runs) / settings.PAPER).glob("*/*/results.json"):
        with contextlib.suppress(OSError, ValueError):
            results = json.loads(path.read_text())
            shuffled = (results.get("corpus", {}).get("facts") or {}).get("null")
            if results.get("complete") and results.get("follow") == follow and not shuffled:
                found.append((results.get("preset") != "smoke", path.stat().st_mtime, path.parent))
    return [directory for _, _, directory in sorted(found, reverse=True)]


def for_tool(settings: ModuleType, directory: Path | None, runs: Path = Path("runs"),
             needs_store: bool = True) -> tuple[Run, Store, str]:
    """What a tool (embed, interpolate, …) works with: the given run or the newest complete `sound` run.

    Args:
        needs_store: without it a run whose data is gone will do.

    Returns: (run, its store, a sentence that says what the model was trained on).

    Raises:
        FileNotFoundError: no such run; the message holds the command that makes one.
    """
    directory = directory or next(iter(of_use(settings, runs)), None)
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
    if needs_store and not (store.directory / "store.json").exists():
        raise FileNotFoundError(f"{store.directory}: the data this run was trained on is gone; make it again with: "
                                f"make reproduce-{settings.PAPER} FOLLOW={saved['follow']} PRESET={saved['preset']}")
    corpus = saved["corpus"]
    sentence = f"Model: {directory}, trained on {corpus['label']} ({corpus['items']} items, preset {saved['preset']})."
    if corpus["evidence"] == "demo":
        sentence += " Trained on synthetic music, expect poor results on yours."
    code = provenance.changed_code(run.directory, settings.PAPER)
    if code:
        sentence += f" The code changed since ({code}): train it again with --fresh."
    return run, store, sentence


def _accept(path: Path, state: dict, found: dict, now: dict):
    """Note in a checkpoint that its training goes on with today's code."""
    before = state.get("provenance") or now
    lines = [line for kind in found.values() for line in kind]
    accepted = [*before.get("accepted", []), {"step": state["total"], "changes": lines}]
    kept = {key: before[key] for key in ("resumed", "rules", "claims_sha256") if key in before}  # of the start
    checkpoints.rewrite_state(path, state | {"provenance": now | kept | {"accepted": accepted}})


def write_json(path: Path, value: Any) -> None:
    """Write JSON whole or not at all."""
    with whole(path) as temporary:
        temporary.write_text(json.dumps(provenance.plain(value), indent=1))
