"""More concepts for a finished image tower: what labelled photos show, found by its own features.

names.py     which concepts a photo's labels are, and where a concept lies among texts
targets.py   which photos show which concept, and which of them say nothing about it
fit.py       a linear classifier for each concept, on features that stay as they are
graph.py     the bundle's image network: its features, and the network with concepts added
"""
