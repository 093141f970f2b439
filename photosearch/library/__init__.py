"""The library: the one façade that the command line, the pages and other programs use.

`Library` has the verbs that everyone uses, and a part for each other noun: `photos`, `albums`,
`saved`, `texts` and `models`. A part is a small class in a module of its own, made when it is
first used; it takes what it needs of the open library, and knows no other part.
"""

from photosearch.library.library import Library

__all__ = ["Library"]
