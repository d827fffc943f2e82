"""Table 2 as printed, and the integer search that asks which accuracies it allows (dossier, section 6)."""

from collections import Counter

PRINTED = {"classical": (0.783, 0.775, 0.779), "jazz": (0.606, 0.627, 0.616), "metal": (0.515, 0.554, 0.5337),
           "pop": (0.670, 0.608, 0.638)}  # precision, recall, F1


def _class_margins(precision: float, recall: float, supports: range):
    """(support, predicted, right) of one class whose precision and recall round to the printed digits."""
    for support in supports:
        for right in range(int(support * (recall - 0.001)), int(support * (recall + 0.001)) + 2):
            if abs(right / support - recall) <= 0.0005 + 1e-12:
                for predicted in range(int(right / (precision + 0.001)), int(right / (precision - 0.001)) + 2):
                    if predicted and abs(right / predicted - precision) <= 0.0005 + 1e-12:
                        yield support, predicted, right


def feasible(examples: int, fewest: int = 150, most: int = 359) -> dict[int, int]:
    """Right answers -> number of ways (margins of all four classes) that round to Table 2 with so many examples.

    Args:
        examples: size of the evaluation set; fewest, most: bounds of a class's support.
    """
    sums = Counter({(0, 0, 0): 1})
    for precision, recall, _ in PRINTED.values():
        found = Counter()
        for a, b, c in _class_margins(precision, recall, range(fewest, most + 1)):
            for (support, predicted, right), ways in sums.items():
                if support + a <= examples and predicted + b <= examples:
                    found[support + a, predicted + b, right + c] += ways
        sums = found
    right = Counter()
    for (support, predicted, count), ways in sums.items():
        if support == predicted == examples:
            right[count] += ways
    return dict(sorted(right.items()))


def margins(examples: int, right: int) -> int:
    """In how many ways Table 2 can come from `examples` with exactly `right` correct ones."""
    return feasible(examples).get(right, 0)
