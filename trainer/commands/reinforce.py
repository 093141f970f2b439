"""`photosearch-trainer reinforce`: store beside each photo what the teachers say of it."""

from __future__ import annotations

from pathlib import Path

import click

from trainer.commands import options

_INPUT = click.Path(exists=True, path_type=Path)


@click.command("reinforce")
@click.argument("inputs", nargs=-1, required=True, type=_INPUT, metavar="INPUT...")
@click.option(
    "--teacher",
    "teachers",
    multiple=True,
    required=True,
    metavar="SPEC",
    help="bootstrap:FOLDER:A.tflite,B.tflite, bundle:FOLDER, openclip:MODEL:TAG or "
    "openclip:MODEL:FILE; repeat for an ensemble.",
)
@click.option(
    "--captioner",
    metavar="SPEC",
    help="labels, classifier:CLASSNAMES.json:A.tflite,B.tflite, detector:FILE.onnx, "
    "coca:MODEL:TAG or coca:MODEL:FILE.  [default: no synthetic captions]",
)
@click.option(
    "--captions", type=options.FILE, help="CSV, JSON or COCO captions of the folder INPUT."
)
@click.option(
    "--samples-per-shard",
    type=click.IntRange(min=1),
    default=1000,
    show_default=True,
    help="How a folder is cut; a tar becomes one shard.",
)
@click.option(
    "--views",
    type=click.IntRange(min=1),
    default=5,
    show_default=True,
    help="Augmented views of each photo.",
)
@click.option(
    "--synthetic",
    type=click.IntRange(min=1),
    default=2,
    show_default=True,
    help="Captions that the captioner writes for each photo.",
)
@click.option(
    "--crop-scale",
    type=(float, float),
    default=(0.08, 1.0),
    show_default=True,
    metavar="MIN MAX",
    help="Share of the photo's area that a view shows.",
)
@click.option(
    "--randaugment-ops",
    type=click.IntRange(min=0),
    default=2,
    show_default=True,
    help="Operations after the crop; 0 leaves the colours alone.",
)
@click.option(
    "--magnitude",
    type=click.IntRange(min=0, max=30),
    default=9,
    show_default=True,
    help="Strength of the operations.",
)
@click.option("--whole-first", is_flag=True, help="Make view 0 the whole photo.")
@click.option(
    "--view-size",
    type=click.IntRange(min=1),
    default=224,
    show_default=True,
    help="Side in pixels of the views that the teachers see.",
)
@click.option("--seed", type=int, default=0, show_default=True)
@click.option(
    "--batch-size",
    type=click.IntRange(min=1),
    default=64,
    show_default=True,
    help="Pictures or texts that a network sees at once.",
)
@click.option(
    "--workers",
    type=click.IntRange(min=1),
    help="Processes, each with its own copy of the networks.  [default: one for each --device]",
)
@click.option(
    "--device",
    "devices",
    multiple=True,
    metavar="DEVICE",
    help="What networks of open_clip are computed on: cpu, cuda:0 and so on; repeat it for "
    "several, which the workers share out.  [default: all GPUs, or the CPU]",
)
@click.option(
    "--readers",
    type=click.IntRange(min=0),
    help="Threads of each worker that prepare views ahead.  [default: 8 on GPUs, or 0]",
)
@click.option(
    "--threads",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="Threads of PyTorch in each worker.",
)
@click.option(
    "--ray", is_flag=True, help="Run the workers on Ray: on RAY_ADDRESS, or else on this machine."
)
@click.option("--redo", is_flag=True, help="Replace shards that were made differently.")
@click.option(
    "--licence",
    "licence_lines",
    multiple=True,
    metavar="TEXT",
    help="Line for the card; repeatable.",
)
@click.option(
    "--source", "source_lines", multiple=True, metavar="TEXT", help="Line for the card; repeatable."
)
@click.option("--quiet", is_flag=True, help="No progress bar.")
@options.out
def command(
    inputs: tuple[Path, ...],
    teachers: tuple[str, ...],
    captioner: str | None,
    captions: Path | None,
    samples_per_shard: int,
    views: int,
    synthetic: int,
    crop_scale: tuple[float, float],
    randaugment_ops: int,
    magnitude: int,
    whole_first: bool,
    view_size: int,
    seed: int,
    batch_size: int,
    workers: int | None,
    devices: tuple[str, ...],
    readers: int | None,
    threads: int,
    ray: bool,
    redo: bool,
    licence_lines: tuple[str, ...],
    source_lines: tuple[str, ...],
    quiet: bool,
    out: Path,
) -> None:
    """Compute what the teachers say of the photos in each INPUT, and store it beside them.

    An INPUT is a WebDataset tar, or a folder of pictures. The result is a shard for each tar, or
    for each part of a folder, its manifest, and a data set card. A run that was cut off goes on
    when the same command is given again; finished shards are left alone.
    """
    from functools import partial

    from trainer.reinforce.augment import AugmentSettings
    from trainer.reinforce.devices import available, is_gpu
    from trainer.reinforce.networks import open_networks
    from trainer.reinforce.run import ShardJob, reinforce, run_local
    from trainer.reinforce.shard import Reinforcement
    from trainer.reinforce.sources import open_sources

    pool = run_local
    places = available(devices)
    if ray:
        if devices:
            raise click.UsageError("--device does not go with --ray, which shares out GPUs itself")
        places = ()
        from trainer.reinforce.ray_pool import check_ray, run_on_ray

        check_ray()
        pool = run_on_ray
    recipe = Reinforcement(
        augmentation=AugmentSettings(
            crop_scale=crop_scale,
            randaugment_ops=randaugment_ops,
            magnitude=magnitude,
            whole_first=whole_first,
        ),
        views=views,
        synthetic=synthetic,
        view_size=view_size,
        seed=seed,
        batch_size=batch_size,
    )
    # Workers elsewhere do not share the working folder.
    absolute = [path.resolve() for path in inputs]
    job = ShardJob(
        out.resolve(),
        recipe,
        partial(open_networks, teachers, captioner),
        threads=threads,
        redo=redo,
        devices=places,
        readers=8 * any(map(is_gpu, places)) if readers is None else readers,
    )
    manifests = reinforce(
        job,
        open_sources(absolute, captions, samples_per_shard),
        workers=workers or max(1, len(places)),
        pool=pool,
        licence_lines=licence_lines,
        source_lines=source_lines,
        progress=not quiet,
    )
    photos = sum(manifest.count for manifest in manifests.values())
    size = sum(manifest.reinforcement_bytes for manifest in manifests.values()) / photos
    click.echo(
        f"{photos} photos in {len(manifests)} shards, {size / 1024:.1f} KiB of reinforcement a "
        f"photo: {out}"
    )
