"""What published results say of a paper in one sentence, wherever it stands."""

from common.report import collect, story
from common.report.published import is_effect, published_groups


def judged_groups(paper):
    """Published groups with their verdicts, real data first: [(group, {mode: {claim id: Judgement}})]."""
    return [(group, {follow: collect.judgements(paper, group.mode(follow), follow) for follow in paper.follows})
            for group in published_groups(paper) if not is_effect(paper, group)]


def finding(paper) -> str:
    """The sentence that stands for the paper: of the first published results that decide it, else why there is none."""
    if paper.story is None:
        return "No story is told of it."
    headline = next(one for one in paper.story.headlines if one.claim == paper.story.matters)
    told = [(group, story.sentence(headline, verdicts)) for group, verdicts in judged_groups(paper)]
    for group, said in told:
        if said.tone in ("yes", "no"):
            fact = any(claim.id == headline.claim and claim.kind == "fact" for claim in paper.claims)
            return said.text if fact or not group.synthetic else f"On synthetic music: {said.text}"
    return told[0][1].text if told else f"Whether {headline.whether} is not known here: no run is published."
