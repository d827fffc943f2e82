"""Tables of networks: what is counted, names that do not depend on what was built before, and the file."""

import keras
import pytest
from keras import layers

from common import shapes
from common.report import reading
from tests.common.test_reading import paper, rendered


def network():
    x = keras.Input((4, 6), name="x")
    inner = keras.Sequential([keras.Input((24,)), layers.Dense(2, name="inside"), layers.ReLU()], name="head")
    return keras.Model(x, inner(layers.Flatten()(x)), name="outer")


def test_a_table_has_every_layer_of_inner_networks_too_and_counts_once():
    rows = [line.split("  ") for line in shapes.table(network()).splitlines()[1:]]
    found = [[cell.strip() for cell in row if cell.strip()] for row in rows]
    assert found == [["x", "(batch, 4, 6)", "0"], ["Flatten", "(batch, 24)", "0"], ["head", "(batch, 2)", "50"],
                     ["inside", "(batch, 2)", "50"], ["ReLU", "(batch, 2)", "0"], ["output, total", "(batch, 2)", "50"]]


def test_a_table_does_not_know_what_was_built_before():
    assert shapes.table(network()) == shapes.table(network())


def test_outputs_that_are_equal_are_counted_and_others_listed():
    """Of the whole network, whose last step here is no layer."""
    x = keras.Input((6,))
    halves = keras.Model(x, keras.ops.split(x, 2, axis=-1))
    assert "2 x (batch, 3)" in shapes.table(halves)
    uneven = keras.Model(x, keras.ops.split(x, [2], axis=-1))
    assert "(batch, 2) (batch, 4)" in shapes.table(uneven)


def test_what_is_written_is_read(tmp_path):
    path = tmp_path / "shapes.txt"
    assert shapes.read(path) == {}
    table = shapes.table(network())
    path.write_text(f"## model.a\n{table}\n## model.b (2 bars)\n{table}\n## model.b (16 bars)\n{table}")
    assert shapes.read(path) == {"model.a": [("", table)], "model.b": [("2 bars", table), ("16 bars", table)]}


def test_the_page_shows_a_table_beside_what_builds_it(tmp_path):
    found = paper(tmp_path)
    (found.directory / "shapes.txt").write_text(f"## losses.error (12 <bands>)\n{shapes.table(network())}")
    page = rendered(found)
    block = page.split('id="losses.error"')[1].split("</section>")[0]
    assert "Shapes: 12 &lt;bands&gt;" in block and "inside" in block and page.count('class="shapes"') == 1
    (found.directory / "shapes.txt").write_text("## losses.LIMIT\nx\n")  # what statements give a value
    assert 'class="shapes"' in rendered(found)
    for name in ("losses.gone", "losses.LIM", "model.error"):
        (found.directory / "shapes.txt").write_text(f"## {name}\nx\n")
        with pytest.raises(reading.ClaimsError, match=rf"names {name}, which is not there; next: python -m common.sh"):
            reading.page(found)


def test_the_command_writes_compares_and_refuses(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(shapes, "ROOT", tmp_path)
    monkeypatch.setattr(shapes, "text", lambda name: f"## model.a\n{name}\n")
    (tmp_path / "papers" / "toy").mkdir(parents=True)
    with pytest.raises(SystemExit) as end:
        shapes.main(["toy"])
    assert end.value.code == 2 and "networks()" in capsys.readouterr().err
    (tmp_path / "papers" / "toy" / "shapes.py").touch()
    assert shapes.main(["toy", "--check"]) == 1 and not (tmp_path / "papers" / "toy" / "shapes.txt").exists()
    assert shapes.main(["toy"]) == 0 and (tmp_path / "papers" / "toy" / "shapes.txt").read_text().endswith("toy\n")
    assert shapes.main(["toy", "--check"]) == 0
