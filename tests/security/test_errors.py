from __future__ import annotations

import inspect

import photosearch
from photosearch import errors

CLASSES = [found for _, found in inspect.getmembers(errors, inspect.isclass)]


def test_every_error_has_the_one_base_and_an_exit_code() -> None:
    for error in CLASSES:
        assert issubclass(error, errors.PhotosearchError)
        assert error.exit_code == (2 if issubclass(error, errors.UsageError) else 1)


def test_the_tree_in_the_docstring_is_whole() -> None:
    drawn = (errors.__doc__ or "").split()
    assert {error.__name__ for error in CLASSES} == {word for word in drawn if "Error" in word[1:]}


def test_every_error_can_be_caught_from_outside() -> None:
    for error in CLASSES:
        assert getattr(photosearch, error.__name__) is error
        assert error.__name__ in photosearch.__all__
