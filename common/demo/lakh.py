"""The demo Lakh: `lmd_matched/A/B/C/TRABC.../<md5>.mid` and `lmd_matched_h5/A/B/C/TRABC....h5` with genre terms.

Songs have drums, bass, guitar or piano, and strings. Some lack one of them, stand in 3/4, change or do not state the
time signature, pause for long, or are broken, so that every filter of a pipeline has something to drop; some lie under
two tracks.
"""

import hashlib
import io
from dataclasses import replace
from pathlib import Path

import h5py
import mido
import numpy as np
import pretty_midi

from common.demo import composer, styles
from common.demo.jobs import Job, shuffled

SONGS = {"smoke": 24, "demo": 192}
# Every fifth song has one of these, in turn; the others are whole.
FAULTS = (
    "no drums", "3/4", "not MIDI", "no bass", "cut off", "two signatures", "no guitar", "long rest", "no strings",
    "no signature",
)  # fmt: skip
STYLES = {
    "rock": styles.ROCK, "pop": styles.POP, "metal": styles.METAL, "jazz": styles.JAZZ, "classical": styles.CLASSICAL,
    "electronic": styles.ELECTRONIC, "hip hop": styles.HIP_HOP, "folk": styles.FOLK, "blues": styles.BLUES,
    "country": styles.COUNTRY, "soul": styles.SOUL, "latin": styles.INTERNATIONAL,
}  # fmt: skip
TERMS = {  # of each style, the most fitting first
    "rock": ("rock", "classic rock", "hard rock", "punk", "alternative rock"),
    "pop": ("pop", "dance pop", "ballad", "europop", "soft rock"),
    "metal": ("heavy metal", "thrash metal", "hard rock", "rock", "speed metal"),
    "jazz": ("jazz", "swing", "bebop", "smooth jazz", "blues"),
    "classical": ("classical", "baroque", "orchestra", "soundtrack", "piano"),
    "electronic": ("techno", "house", "trance", "electronic", "dance pop"),
    "hip hop": ("hip hop", "rap", "urban", "r&b", "soul"),
    "folk": ("folk", "singer-songwriter", "country", "celtic", "acoustic"),
    "blues": ("blues", "blues-rock", "rock", "oldies", "boogie-woogie"),
    "country": ("country", "country rock", "folk", "oldies", "bluegrass"),
    "soul": ("soul", "r&b", "funk", "disco", "motown"),
    "latin": ("latin", "salsa", "bossa nova", "world", "reggae"),
}


def write(root: Path, preset: str, null: bool, seed: int) -> list[Job]:
    """The jobs that write the songs; each writes its MIDI file and its metadata."""
    names = list(STYLES)
    of_song = [names[number % len(names)] for number in range(SONGS[preset])]
    labels = shuffled(of_song, seed) if null else of_song
    rng = np.random.default_rng([seed, 4])
    jobs = []
    for number, (name, label) in enumerate(zip(of_song, labels, strict=True)):
        fault = FAULTS[(number // 5) % len(FAULTS)] if number % 5 == 4 else ""
        tracks = [_track_id(rng) for _ in range(2 if number % 16 == 7 else 1)]
        chosen = TERMS[label][: int(rng.integers(2, 6))]
        artist = f"Synthetic artist {number // 2 if label == labels[number - 1] else number}"
        first = root / "lmd_matched" / Path(*tracks[0][2:5]) / tracks[0] / "song.mid"
        jobs.append(Job(write_song, first, (root, tracks, name, chosen, artist, fault, [seed, 4, number])))
    return jobs


def _track_id(rng: np.random.Generator) -> str:
    letters = "".join(chr(65 + int(code)) for code in rng.integers(0, 26, 5))
    return f"TR{letters}128F{int(rng.integers(16**7)):07X}"


def write_song(
    _: Path, root: Path, tracks: list[str], name: str, terms: tuple[str, ...], artist: str, fault: str, seed: list[int],
    mark: str = "",
) -> None:
    """Compose one song and write it, under the name of its MD5 sum, for every track it belongs to."""
    data = song(name, fault, seed, mark)
    for track in tracks:
        folder = root / "lmd_matched" / Path(*track[2:5]) / track
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{hashlib.md5(data).hexdigest()}.mid").write_bytes(data)
        path = root / "lmd_matched_h5" / Path(*track[2:5]) / f"{track}.h5"
        path.parent.mkdir(parents=True, exist_ok=True)
        write_metadata(path, terms, artist, f"Piece {seed[-1]}")


def song(name: str, fault: str, seed: list[int], mark: str = "") -> bytes:
    """A song of 36 to 60 bars as MIDI bytes, with `fault` if one is named and `mark` as a text event."""
    rng = np.random.default_rng(seed)
    style = four_tracks(composer.draw_style(STYLES, name, rng), 3 if fault == "3/4" else 4)
    score = composer.compose(style, rng, seconds=int(rng.integers(36, 60)) * 4 * 60 / style.tempo[0])
    return _bytes(spoiled(score, fault, rng), fault, mark.encode())


def four_tracks(style: styles.Style, meter: int = 4) -> styles.Style:
    """The style with drums, bass, guitar or piano, and strings or another instrument to choose among."""
    return replace(
        style,
        meters={meter: 1},
        chords=style.chords if any(program < 32 for part in style.chords for program in part) else ((0,), (26,)),
        melody=style.melody if any(program > 39 for part in style.melody for program in part) else ((73,), (65,)),
        sustained=tuple(part for part in style.sustained if min(part) > 39) or ((48,),),
        sustained_share=1.0,
        bass=((33,), (34,), (32,)) if any(program > 39 for part in style.bass for program in part) else style.bass,
        drums=tuple(kit for kit in style.drums if kit) or ("brushes",),
    )


def spoiled(score: pretty_midi.PrettyMIDI, fault: str, rng: np.random.Generator) -> pretty_midi.PrettyMIDI:
    """The score with a fault that a parser accepts and a filter has to find."""
    missing = {"no bass": range(32, 40), "no guitar": range(32), "no strings": range(40, 128)}.get(fault)
    if fault == "no drums":
        score.instruments = [part for part in score.instruments if not part.is_drum]
    elif missing is not None:
        score.instruments = [part for part in score.instruments if part.is_drum or part.program not in missing]
    elif fault == "two signatures":
        score.time_signature_changes.append(pretty_midi.TimeSignature(3, 4, score.get_end_time() / 2))
    elif fault == "long rest":
        middle = score.get_end_time() / 2
        for part in score.instruments:
            part.notes = [note for note in part.notes if abs(note.start - middle) > 0.25 * middle]
    return score


def _bytes(score: pretty_midi.PrettyMIDI, fault: str, mark: bytes) -> bytes:
    buffer = io.BytesIO()
    score.write(buffer)
    if fault == "no signature":  # pretty_midi would state one
        file = mido.MidiFile(file=io.BytesIO(buffer.getvalue()))
        for track in file.tracks:
            track[:] = [message for message in track if message.type != "time_signature"]
        buffer = io.BytesIO()
        file.save(file=buffer)
    data = marked(buffer.getvalue(), mark) if mark else buffer.getvalue()
    if fault == "cut off":
        return data[: len(data) // 2]
    if fault == "not MIDI":
        return b"This is not a MIDI file.\n" + hashlib.md5(data).hexdigest().encode() + b"\n" * bool(mark) + mark
    return data


def marked(data: bytes, mark: bytes) -> bytes:
    """MIDI bytes with a text event before the first event of the first track; no time or note changes."""
    size = int.from_bytes(data[18:22], "big")
    event = b"\x00\xff\x01" + bytes([len(mark)]) + mark  # a length below 128 takes one byte
    return data[:18] + (size + len(event)).to_bytes(4, "big") + event + data[22:]


def write_metadata(path: Path, terms: tuple[str, ...], artist: str, title: str) -> None:
    """The fields of a Million Song Dataset file that are used, in its layout."""
    song_type = np.dtype([("artist_name", "S1024"), ("release", "S1024"), ("title", "S1024"), ("genre", "S1024")])
    with h5py.File(path, "w", track_order=False) as file:
        group = file.create_group("metadata")
        group.create_dataset("artist_terms", data=np.array([term.encode() for term in terms], "S256"))
        group.create_dataset("artist_terms_weight", data=np.linspace(1, 0.5, len(terms)))
        group.create_dataset("artist_terms_freq", data=np.linspace(1, 0.5, len(terms)))
        group.create_dataset("songs", data=np.array([(artist.encode(), b"", title.encode(), b"")], song_type))
