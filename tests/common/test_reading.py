"""The code beside the paper: all equations, no dead link, made from the sources as they are."""

import re

import pytest

from common.closure import ROOT
from common.errors import ClaimsError
from common.report import collect, pages, reading

EQUATIONS = {"fma_interpolation": 0, "lord_transfer": 7, "musae": 19, "softmax_ae": 3, "symphony2vec": 1}  # as printed

CONFIG = '''"""Settings."""
from dataclasses import dataclass
from common.config import Divergence
PAPER, TITLE, PROGRAM = "toy", "A toy", "the authors' program"
@dataclass(frozen=True)
class Config:
    units: int = 8  # sec. 2.1
DIVERGENCES = (Divergence("units", paper=8, code=16, sound=8, paper_source="sec. 2.1"),)
PRESETS = {"smoke": {}, "demo": {}, "full": {}}
'''
LOSSES = '''"""Losses (section 2)."""
import numpy


# Written as in eq. 1 and 2; <script>alert(1)</script>.
def error(x, config):
    """Equation 1: the `mean`.

    Returns: a number.
    """
    return numpy.mean(x) * config.units  # eq. 2, Table 3


LIMIT = 3
'''


def paper(folder, losses=LOSSES, equations="1,x = 1,losses.error,\n2,y = 2,,a definition\n"):
    folder = folder / "toy"
    folder.mkdir(parents=True)
    (folder / "config.py").write_text(CONFIG)
    (folder / "losses.py").write_text(losses)
    (folder / "claims.csv").write_text("id,where,kind,claim,reported,unit,needs,rule\n"
                                       "T3-a,Table 3,number,a number,0.5,share,,within 0.1\n")
    (folder / "equations.csv").write_text(f"number,latex,where,note\n{equations}")
    (found,) = collect.papers(folder.parent)
    return found


def rendered(found) -> str:
    return pages._environment().get_template("reading.html").render(reading.page(found))


def test_docstrings_stand_left_and_code_without_them_right(tmp_path):
    (module,) = [one for one in reading.page(paper(tmp_path))["modules"] if one["name"] == "losses"]
    error, rest = module["blocks"]
    assert error.said.startswith("Written as in eq. 1 and 2; <script>")
    assert "Equation 1: the `mean`." in error.said
    assert error.code.splitlines() == ["def error(x, config):",
                                       "    return numpy.mean(x) * config.units  # eq. 2, Table 3"]
    assert (rest.name, rest.code) == ("", "LIMIT = 3")
    assert error.fields == ("units",)


def test_the_page_links_equations_tables_and_divergences_and_escapes_what_it_shows(tmp_path):
    page = rendered(paper(tmp_path))
    assert "<script>" not in page
    assert 'href="#losses.error"' in page  # from the equation, from Table 3
    assert re.search(r'id="equation-2".*?unused.*?a definition', page, re.S)
    assert "paper 8, code 16, sound 8" in page
    assert re.search(r'id="table-3".*?losses\.error.*?T3-a: a number', page, re.S)
    assert page.count("<math") == 3  # two in the list, one at the function that computes it


@pytest.mark.parametrize(("equations", "losses", "said"), [
    ("1,x,losses.gone,\n2,y,,a definition\n", LOSSES, "names losses.gone, which is not there"),
    ("1,x,losses.error,\n2,y,,\n", LOSSES, "equation 2 is neither computed anywhere nor said to be unused"),
    ("1,x,losses.error,\n1,y,losses.error,\n", LOSSES, "there twice"),
    ("1,x,losses.error,\n", LOSSES, "lacks equation 2, which losses.error names"),
])
def test_a_list_that_does_not_fit_the_code_is_a_problem(tmp_path, equations, losses, said):
    with pytest.raises(ClaimsError, match=said):
        reading.page(paper(tmp_path, losses, equations))
    written, problems = pages.write(tmp_path / "runs", tmp_path)
    assert re.search(said, problems[0])
    assert [path.name for path in written] == ["index.html"]


def test_mentions_are_read_with_lists_and_ranges():
    text = "eq. 4 to 6 and sec. 2.1, 3; Figures 2 and 3, Table 1. Equations 7-8; a table 5 wide; subsection 9"
    assert reading.mentions(text) == [
        *(("equation", str(n)) for n in (4, 5, 6, 7, 8)), ("section", "2.1"), ("section", "3"),
        ("table", "1"), ("table", "5"), ("figure", "2"), ("figure", "3")]


@pytest.mark.parametrize("name", sorted(EQUATIONS))
def test_every_equation_of_a_paper_is_computed_or_listed_as_unused_and_no_link_is_dead(name):
    (found,) = [one for one in collect.papers(ROOT / "papers") if one.name == name]
    listed = reading.page(found)["equations"]
    assert [one.number for one in listed] == [str(n + 1) for n in range(EQUATIONS[name])]
    page = rendered(found)
    anchors = re.findall(r'\bid="([^"]+)"', page)
    assert len(anchors) == len(set(anchors))
    assert set(re.findall(r'href="#([^"]+)"', page)) <= set(anchors)
    assert "\\" not in "".join(re.findall(r"<math.*?</math>", page, re.S))  # nothing of the LaTeX is left over
