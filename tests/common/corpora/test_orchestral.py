"""Orchestral recordings: works from file names or from works.csv."""

import pytest

from common import corpora
from common.corpora.orchestral import work_of


@pytest.mark.parametrize(
    ("name", "work"),
    [
        ("03 Symphony No. 5 in C minor, Op. 67_ III. Allegro", "Symphony No. 5 in C minor, Op. 67"),
        ("Symphony No. 1 - IV. Finale", "Symphony No. 1"),
        ("1-02 Symphony 4 mvt 2", "Symphony 4"),
        ("Symphony no 94 Surprise - 2. Andante", "Symphony no 94 Surprise"),
        ("Karelia Suite, Op. 11 - I. Intermezzo", "Karelia Suite, Op. 11"),
        ("Leonore Overture No. 3", "Leonore Overture No. 3"),
        ("Valse triste", "Valse triste"),
    ],
)
def test_work_of_a_file_name(name, work):
    assert work_of(name) == work


def write(root, names):
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"x")


def test_movements_of_a_work_share_a_group(tmp_path):
    write(
        tmp_path,
        ["Haydn/Symphony No. 94 - I. Adagio.mp3", "Haydn/Symphony No. 94 - II. Andante.ogg", "Brahms/Op. 98.wav"],
    )
    corpus = corpora.find(tmp_path, "orchestral")
    assert [(item.label, item.group) for item in corpus.items] == [
        ("Brahms", "Brahms/Op. 98"),
        ("Haydn", "Haydn/Symphony No. 94"),
        ("Haydn", "Haydn/Symphony No. 94"),
    ]
    assert corpus.facts["groups_per_class"] == 1


def test_works_csv_has_the_last_word_and_allows_any_names(tmp_path):
    write(tmp_path, ["A/one.wav", "A/two.wav", "B/three.wav"])
    (tmp_path / "works.csv").write_text("file,work\nA/one.wav,W\nA/two.wav,W\n")
    assert [item.group for item in corpora.find(tmp_path, "orchestral").items] == ["A/W", "A/W", "B/three"]


def test_real_recordings(real):
    corpus = corpora.find(real("orchestral"), "orchestral")
    assert corpus.counts() == {"Brahms": 1, "Mozart": 1, "Tchaikovsky": 1, "misc": 1}
    assert corpus.facts["groups_per_class"] == 1
