"""The one figure of a story: what the model reaches beside what needs no model, as bars of one scale."""

from common.report import rows, text
from common.report.story import Story


def figure(story: Story, verdicts: dict) -> dict | None:
    """Bars of the story's figure.

    Args:
        verdicts: {mode: {claim id: Judgement}}.

    Returns: {"claim": Claim, "unit", "beside": mode of the baselines, "zero": place of 0 in %, "bars": [{"follow"
        (empty for a baseline), "name", "says", "left", "width", "low", "span": places in %, None without an
        interval}]}; None without a value.
    """
    judged = {mode: one[story.figure] for mode, one in verdicts.items() if one[story.figure].mean is not None}
    found = [(mode, _own(story, judgement), judgement) for mode, judgement in judged.items()]
    found = [row for row in found if row[1] is not None]
    if not found:
        return None
    asked = next(one.follow for one in story.headlines if one.claim == story.figure)
    beside = judged.get(asked, found[0][2])
    baselines = [(name, value) for name, value in beside.baselines if value == value and name != story.own
                 and (not story.beside or name in story.beside)]
    values = [0.0, *(value for _, value, _ in found), *(value for _, value in baselines)]
    edges = [edge for _, _, judgement in found if not story.own and judgement.by_groups
             for edge in (judgement.low, judgement.high)]
    span = max(values) - min(values)  # an interval that is wider than all that is shown runs out of the figure
    values += [min(max(edge, min(values) - span), max(values) + span) for edge in edges]
    low, high = min(values), max(values)

    def place(value):
        return round(100 * (min(max(value, low), high) - low) / ((high - low) or 1), 2)

    def bar(follow, name, value, says, interval=None):
        left, right = sorted((place(0), place(value)))
        return {"follow": follow, "name": name, "says": says, "left": left, "width": round(right - left, 2),
                "low": interval and place(interval[0]),
                "span": interval and round(place(interval[1]) - place(interval[0]), 2)}

    bars = [bar(mode, "model", value, text.number(value) if story.own else rows.cell(judgement)["value"],
                (judgement.low, judgement.high) if judgement.by_groups and not story.own else None)
            for mode, value, judgement in found]
    bars += [bar("", text.words(name), value, text.number(value)) for name, value in baselines]
    unit = "" if story.own else beside.claim.unit
    return {"claim": beside.claim, "unit": unit, "zero": place(0), "bars": bars, "beside": beside.follow}


def _own(story: Story, judgement):
    return dict(judgement.baselines).get(story.own) if story.own else judgement.mean
