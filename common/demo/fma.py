"""The demo FMA: `fma_medium/000/000002.mp3`, 44.1 kHz, about 30 s, and `fma_metadata/` with tracks.csv and genres.csv.

The eight genres of fma_small, in its subset, and Classical, which only medium has; medium has more of Rock and Folk.
Artists have one style and their own recording sound, and stay on one side of the official split.
"""

import csv
from pathlib import Path

import numpy as np

from common.demo import composer, sound, styles
from common.demo.jobs import Job, shuffled

SAMPLE_RATE = 44100
# The clip length that FMA's own loader assumes, 29.977 s, and one MP3 frame more than 30 s: both occur in FMA.
SAMPLES = (1_321_967, 1_324_223)
ARTISTS = {  # per genre: (split, tracks of each artist)
    "smoke": (("training", 1), ("training", 1), ("validation", 1), ("test", 1)),
    "demo": (("training", 2),) * 4 + (("validation", 2), ("test", 2)),
}
# More artists of two genres, in medium alone, where most of FMA's are: enough recordings to tell the two apart by.
MORE = {"smoke": {}, "demo": dict.fromkeys(
    ("Rock", "Folk"), (("training", 1),) * 4 + (("validation", 1),) * 6 + (("test", 1),) * 6)}  # fmt: skip
COLUMNS = {  # of the published tracks.csv
    "album": "comments date_created date_released engineer favorites id information listens producer tags title "
    "tracks type",
    "artist": "active_year_begin active_year_end associated_labels bio comments date_created favorites id latitude "
    "location longitude members name related_projects tags website wikipedia_page",
    "set": "split subset",
    "track": "bit_rate comments composer date_created date_recorded duration favorites genre_top genres genres_all "
    "information interest language_code license listens lyricist number publisher tags title",
}


def write(root: Path, preset: str, null: bool, seed: int) -> list[Job]:
    """Write the tables; the jobs that write the clips."""
    jobs, rows, used = [], [], []
    small = {genre: ARTISTS[preset] for genre in styles.FMA_MEDIUM}
    for artists, subset, stream in ((small, "", [seed, 2]), (MORE[preset], "medium", [seed, 2, 0])):
        rng = np.random.default_rng(stream)
        listed = [(genre, split, tracks) for genre, found in artists.items() for split, tracks in found]
        genres = [genre for genre, _, _ in listed]
        labels = shuffled(genres, seed, [split for _, split, _ in listed]) if null else genres
        count = sum(tracks for _, _, tracks in listed)
        free = np.setdiff1d(np.arange(155_000), used)
        used += (drawn := sorted(int(number) for number in rng.choice(free, count, replace=False)))
        ids = iter(drawn)
        for artist, ((genre, split, tracks), label) in enumerate(
                zip(listed, labels, strict=True), len({row[1] for row in rows}) + 1):
            for number in range(tracks):
                track = next(ids) + 2
                length = SAMPLES[int(rng.random() < 0.4)]
                path = root / "fma_medium" / f"{track:06d}"[:3] / f"{track:06d}.mp3"
                jobs.append(Job(write_clip, path, (genre, [seed, 2, artist], number, length)))
                rows.append((track, artist, split, label, subset or subset_of(label)))
    (root / "fma_metadata").mkdir()
    _write_tracks(root / "fma_metadata" / "tracks.csv", rows)
    _write_genres(root / "fma_metadata" / "genres.csv")
    return jobs


def subset_of(genre: str) -> str:
    """The smallest subset in which the demo has a genre."""
    return "small" if genre in styles.FMA_SMALL else "medium"


def _write_tracks(path: Path, rows: list[tuple[int, int, str, str, str]]) -> None:
    header = [(group, name) for group, names in COLUMNS.items() for name in names.split()]
    with open(path, "w", newline="", encoding="utf-8") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(["", *(group for group, _ in header)])
        table.writerow(["", *(name for _, name in header)])
        table.writerow(["track_id", *("" for _ in header)])
        for track, artist, split, genre, subset in sorted(rows):
            values = {
                ("artist", "id"): artist,
                ("artist", "name"): f"Synthetic artist {artist}",
                ("set", "split"): split,
                ("set", "subset"): subset,
                ("track", "genre_top"): genre,
                ("track", "title"): f"Piece {track}",
            }
            table.writerow([track, *(values.get(column, "") for column in header)])


def _write_genres(path: Path) -> None:
    with open(path, "w", newline="", encoding="utf-8") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(["genre_id", "#tracks", "parent", "title", "top_level"])
        for number, genre in enumerate(styles.FMA_MEDIUM, 1):
            table.writerow([number, "", 0, genre, number])


def write_clip(path: Path, genre: str, seed: list[int], number: int, samples: int, mark: str = "") -> None:
    """Compose, render and write track `number` of the artist `seed` stands for."""
    style = composer.draw_style(styles.FMA_MEDIUM, genre, np.random.default_rng(seed))
    rng = np.random.default_rng([*seed, number])
    sound.write_mp3(path, sound.piece(style, rng, SAMPLE_RATE, samples), SAMPLE_RATE, mark)
