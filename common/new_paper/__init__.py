"""A sixth paper's directory, laid out: a small autoencoder on a demo corpus, whole, to be changed piece by piece.

`python -m common.new_paper NAME` copies `template/` to papers/NAME and tests/papers/NAME, with NAME in it.
"""
