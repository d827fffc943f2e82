"""Every paper's embedding of one corpus under the same probes: `python -m common.across` writes runs/across.json.

`corpus` reads pieces of which there is a recording and a score, `embeddings` runs each paper's `embed` tool on them,
`plain` makes features without any learning beside them, `probing` asks all of them the same questions.
"""
