"""Words of other languages as English ones, for models that know English only.

folding.py     how a word is written when it is looked up
dictionary.py  the list of words: assets/words/glosses.zip
language.py    what each language adds: its small words and its endings
forms.py       a word as it is typed, to the forms that the list may have
reading.py     tokens to English, in a given language
choosing.py    which language a text is in
"""
