"""What a page shows and plays: the sections of the runs' media.json, the modes beside each other."""

from collections import Counter
from pathlib import Path
from typing import Any
from urllib.parse import quote

from common.record import Run
from common.report import listening
from common.report.collect import Group


def sections(group: Group, problems: list[str]) -> list:
    """The runs' media, section by section, the modes beside each other.

    The first complete seed of each mode is shown at once, the others folded. Returns a list of {title, texts, shown,
    folded, grids}: rows of items shown and by seed, grids of pictures and sounds.
    """
    found = {}
    for number_of_run, run in enumerate(group.evaluated):
        first = run is group.mode(run.follow)[0]
        for section in run.media:
            title = str(section.get("title") or "Figures")
            entry = found.setdefault(title, {"title": title, "texts": {}, "shown": {}, "folded": {}, "grids": []})
            text = str(section.get("text") or "")
            if text:
                entry["texts"].setdefault(text, {})[run.follow] = True
            rows = entry["shown"] if first else entry["folded"].setdefault(run.seed, {})
            tables = Counter()  # the modes' tables go together by their columns: captions may name a mode's own split
            for place, item in enumerate(section.get("items") or []):
                item = _item(item, run, group, problems)
                columns = tuple(item["columns"])
                tables[columns] += 1
                name = (columns, tables[columns]) if item["kind"] == "table" else Path(item["file"]).name or place
                rows.setdefault((item["kind"], name), []).append(item)
            if section.get("grid"):
                grid = _grid(section["grid"], run, group, problems)
                entry["grids"].append(grid | {"key": f"{len(found)}-{number_of_run}", "folded": not first})
    for entry in found.values():
        entry["shown"] = _rows(entry["shown"])
        entry["folded"] = {seed: _rows(rows) for seed, rows in sorted(entry["folded"].items())}
        every = {run.follow for run in group.evaluated}
        entry["grids"] = [listening.prepare(grid, grid.pop("files")) for grid in entry["grids"]]
        entry["texts"] = [(text, [] if set(follows) == every else list(follows))
                          for text, follows in entry["texts"].items()]
    return list(found.values())


def to_hear(shown: list, story: Any) -> dict | None:
    """The section that is played first and how its grids begin: one row, and the baselines; None without one.

    Args:
        shown: sections. story: the paper's Story; its `hear` begins the title of the section, its `baseline` that of
            the section whose rows are put below, column by column of the same name.
    """
    section = next((one for one in shown if story and one["title"].startswith(story.hear)), None)
    if not section:
        return None
    title = story.baseline + section["title"][len(story.hear):]
    beside = next((one["grids"] for one in shown if story.baseline and one["title"] == title), [])
    grids = []
    for grid in (one for one in section["grids"] if not one["folded"]):
        others = [one for one in beside if (one["follow"], one["seed"]) == (grid["follow"], grid["seed"])]
        rows = [(name, [dict(zip(one["columns"], cells, strict=False)).get(column) for column in grid["columns"]])
                for one in others for name, cells in one["rows"]]
        grids.append(grid | {"rows": grid["rows"][:1] + rows})
    return {"section": section, "grids": grids}


def thumbnails(shown: list, most: int = 3) -> list:
    """Up to three pictures for the overview, one a section, of the last mode that has one: [(address, alt)]."""
    found = []
    for section in shown:
        items = [item for row in section["shown"] for item in row]
        pictures = [(item["image"] or item["file"], item["alt"]) for item in items
                    if item["image"] or (item["kind"] == "figure" and item["file"])]
        pictures += [(cell["image"], f"{section['title']}: {name}") for grid in section["grids"]
                     for name, cells in grid["rows"] for cell in cells if cell and cell["image"]]
        found += pictures[-1:]
    return found[:most]


def _rows(rows):
    """Items by row: what several modes have stands side by side, what only one has shares a row with the like."""
    merged = []
    for items in rows.values():
        alone = len(items) == 1 and items[0]["kind"] != "table"
        if alone and merged and merged[-1][0]:
            merged[-1][1].extend(items)
        else:
            merged.append((alone, list(items)))
    return [items for _, items in merged]


def _item(item, run, group, problems):
    where = f"{group.paper.name}/{group.name}-{run.follow}/seed-{run.seed}"
    shown = {"follow": run.follow, "seed": run.seed, "kind": item.get("kind", "figure"), "file": "", "image": "",
             "audio": "", "caption": str(item.get("caption") or ""), "claims": item.get("claims") or [], "missing": [],
             "columns": [str(name) for name in item.get("columns") or []], "rows": item.get("rows") or []}
    shown["alt"] = str(item.get("alt") or shown["caption"])
    for key in ("file", "image", "audio"):
        if item.get(key):
            shown[key] = link(item[key], run, problems, where)
            if not shown[key]:
                shown["missing"].append(str(item[key]))
    return shown


def _grid(grid, run, group, problems):
    where = f"{group.paper.name}/{group.name}-{run.follow}/seed-{run.seed}"
    cells = [[{"caption": str(one.get("caption") or ""), "gain": 0.0, "seconds": 0.0, "picture": ""}
              | {key: link(one[key], run, problems, where) if one.get(key) else "" for key in ("audio", "image")}
              if one else None for one in row] for row in grid.get("cells") or []]
    files = {link(one["audio"], run, [], where): run.directory / str(one["audio"])
             for row in grid.get("cells") or [] for one in row if one and one.get("audio")}
    return {"files": files, "follow": run.follow, "seed": run.seed, "folded": False,
            "columns": [str(name) for name in grid.get("columns") or []],
            "rows": list(zip([str(name) for name in grid.get("rows") or []], cells, strict=False))}


def link(name: str, run: Run, problems: list[str], where: str) -> Any:
    """The address of a run's file as seen from the page; empty (and a problem) where it is missing or outside."""
    path = (run.directory / str(name)).resolve()
    if not path.is_relative_to(run.directory.resolve()):
        problems.append(f"{where}/media.json: {name} lies outside the run; evaluate the run again")
        return ""
    if not path.is_file():
        problems.append(f"{where}: {name} is named in media.json but missing; evaluate the run again")
        return ""
    return quote(path.relative_to(run.directory.resolve().parent.parent).as_posix())
