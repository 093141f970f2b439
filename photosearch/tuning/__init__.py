"""Learning from marks: which photos are right for a query, and which are wrong.

fit   the layer that fits given marks, and how well it does on marks that it has not seen
run   the marks of a library, the layer that they give, and whether it is switched on
"""
