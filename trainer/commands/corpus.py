"""`photosearch-trainer corpus`: gather the text, and the sentence encoder's embeddings of it."""

from __future__ import annotations

from pathlib import Path

import click

from trainer.commands import options


@click.command("corpus")
@click.option(
    "--sentences", type=options.FILE, multiple=True, help="File of sentences, a line each."
)
@options.captioned
@options.class_names
@options.wordnet
@click.option(
    "--no-wordnet", is_flag=True, help="Take everyday words that come along in WordNet's place."
)
@options.sentence_encoder
@options.device
@click.option("--limit", type=click.IntRange(min=1), help="Keep a random part of this many texts.")
@options.out
@options.alone_in_out
def command(
    sentences: tuple[Path, ...],
    captioned: tuple[Path, ...],
    class_names: Path,
    wordnet: Path,
    no_wordnet: bool,
    sentence_encoder: str | None,
    device: str,
    limit: int | None,
    out: Path,
) -> None:
    """Gather the texts that a text tower is distilled on, and embed them.

    Sentences, captions, WordNet's words and glosses, class names, prompts, and short queries. A
    run that was cut off goes on where it stopped.
    """
    from trainer.data.corpus import build_corpus, read_class_names
    from trainer.teachers.sentence import SentenceEncoder
    from trainer.teachers.text_cache import cached_embeddings

    names = read_class_names(class_names)
    folder = None if no_wordnet else wordnet
    corpus = build_corpus(sentences, captioned, names, folder, limit=limit)
    corpus.save(out)
    encoder = SentenceEncoder(sentence_encoder, device)
    for name, texts in corpus.lists().items():
        cached_embeddings(texts, out / f"{name}.npy", encoder)
    click.echo(
        f"{len(corpus.texts)} texts to train on; held out are {len(corpus.held_out_nouns)} nouns "
        f"and {len(corpus.held_out_sentences)} sentences."
    )
