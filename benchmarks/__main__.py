"""The speed of each part against a named peer: `make bench`.

Every benchmark runs in a process of its own, of one thread. Rows appear as they are measured; all of them, with the
machine, go to a JSON file. Nothing fails because something is slow; a benchmark that breaks does.
"""

import importlib
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from benchmarks import timing
from common import command, jobs

NAMES = ("inversion", "reading", "midi_parsing", "steps", "jobs", "scale")
HERE = Path(__file__).parent
MARKS = re.compile(r"(<!-- table -->\n).*?(<!-- /table -->)", re.DOTALL)


@dataclass(frozen=True)
class Options:
    """Options.

    Attributes:
        only: these benchmarks alone.
        tiny: so small that figures say nothing: does it run?
        to: the JSON file.
        music: recordings for inversion (twelve of them) and reading (MP3s); without it made-up ones.
        publish: also put the table into benchmarks/README.md, and its JSON beside it.
        one: measure this one in this process and write its rows (what the others are started with).
    """

    only: tuple[Literal["inversion", "reading", "midi_parsing", "steps", "jobs", "scale"], ...] = NAMES
    tiny: bool = False
    to: Path = Path("runs/benchmarks.json")
    music: Path | None = None
    publish: bool = False
    one: str = ""


def main(arguments: list[str] | None = None) -> int:
    """Run them; 1 if one broke."""
    options = command.parse(Options, __doc__, arguments)
    if options.one:
        measure = importlib.import_module(f"benchmarks.{options.one}").rows
        music = {"music": options.music} if options.music and options.one in ("inversion", "reading") else {}
        rows = measure(options.tiny, **music)
        options.to.write_text(json.dumps(rows), encoding="utf-8")
        return 0
    found, broken = {"machine": timing.machine(), "tiny": options.tiny, "rows": []}, []
    for name in options.only:
        began = time.monotonic()
        rows = in_a_process(name, options.tiny, options.music)
        if rows is None:
            broken.append(name)
        found["rows"] += rows or []
        print(*map(timing.line, rows or []), f"{name}: {time.monotonic() - began:.0f} s", sep="\n", flush=True)
    options.to.parent.mkdir(parents=True, exist_ok=True)
    options.to.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    if options.publish and not broken:
        publish(found)
    print(f"{options.to}: {len(found['rows'])} rows" + (f"; broken: {', '.join(broken)}" if broken else ""))
    return int(bool(broken))


def in_a_process(name: str, tiny: bool, music: Path | None) -> list[dict] | None:
    """The rows of a benchmark; None where it broke, what it said is then shown."""
    with tempfile.TemporaryDirectory() as place:
        file = Path(place) / "rows.json"
        words = ["-m", "benchmarks", "--one", name, "--to", str(file), *(["--tiny"] if tiny else []),
                 *(["--music", str(music.resolve())] if music else [])]
        done = subprocess.run([sys.executable, *words], cwd=HERE.parent, capture_output=True, text=True,
                              env=os.environ | dict.fromkeys(jobs.THREADS, "1"))
        if done.returncode:
            print(done.stdout, done.stderr, f"error: {name} broke; python -m benchmarks --only {name}", sep="\n",
                  file=sys.stderr, flush=True)
            return None
        return json.loads(file.read_text(encoding="utf-8"))


def publish(found: dict) -> None:
    """Put what was measured into the README, and beside it; rows of other benchmarks stay."""
    kept, file = {}, HERE / "results.json"
    if file.exists():
        kept = {(one["name"], one["what"]): one for one in json.loads(file.read_text(encoding="utf-8"))["rows"]}
    kept |= {(one["name"], one["what"]): one for one in found["rows"]}
    order = [name.split("_")[0].replace("steps", "step") for name in NAMES]
    order.insert(order.index("step") + 1, "feeding")
    held = found | {"rows": sorted(kept.values(), key=lambda one: order.index(one["name"]))}
    file.write_text(json.dumps(held, indent=1) + "\n", encoding="utf-8")
    readme = HERE / "README.md"
    text = readme.read_text(encoding="utf-8")
    readme.write_text(MARKS.sub(lambda match: match[1] + table(held) + match[2], text), encoding="utf-8")


def table(found: dict) -> str:
    """Machine and rows as Markdown."""
    machine = found["machine"]
    packages = ", ".join(f"{name} {version}" for name, version in machine["packages"].items())
    lines = [f"{machine['processor']}, {machine['cores']} cores, {machine['busy']:.1f} processes a core at work when "
             f"it began; Python {machine['python']}, {packages}.", "",
             "| | what | median | least to most | rounds | aim |", "|---|---|---|---|---|---|"]
    for one in found["rows"]:
        if one["value"] is None:
            lines.append(f"| {one['name']} | {one['what']} | left out | | | {one['why']} |")
            continue
        aim = "" if one["aim"] is None else f"{'≥' if one['upward'] else '≤'} {one['aim']:g}: " + (
            "met" if one["met"] else "**missed**")
        lines.append(f"| {one['name']} | {one['what']} | {one['value']:.3g} {one['unit']} | {one['low']:.3g} to "
                     f"{one['high']:.3g} | {one['rounds']} | {aim} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
