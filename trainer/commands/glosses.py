"""`photosearch-trainer glosses`: the list by which searches in other languages become English."""

from __future__ import annotations

from pathlib import Path

import click

from trainer.commands import options


@click.command("glosses")
@click.argument("words", type=options.FILE)
@click.option(
    "--sentences",
    type=options.FILE,
    multiple=True,
    required=True,
    help="File of English captions, a line each: how often people say a word of photos.",
)
@options.wordnet
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    required=True,
    help="File for the result, a zip.",
)
def command(words: Path, sentences: tuple[Path, ...], wordnet: Path, out: Path) -> None:
    """Make the list of words of other languages with their English ones.

    WORDS has a line for each word and meaning: language, WordNet 3.0 synset, word, source, with
    tabs between, as the Open Multilingual Wordnet has them.
    """
    from trainer.data.glosses import Spoken, build, read_sentences, read_words, write
    from trainer.data.wordnet import read_senses

    senses = read_senses(wordnet)
    spoken = Spoken(line for path in sentences for line in read_sentences(path))
    entries = build(read_words(words), senses, spoken)
    write(entries, out)
    click.echo(f"{len(entries)} words in {out.stat().st_size / 1e6:.1f} MB.")
