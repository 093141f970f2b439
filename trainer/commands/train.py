"""`photosearch-trainer train`: reinforced training, as a recipe says."""

from __future__ import annotations

from pathlib import Path

import click

from trainer.commands import options


@click.command("train")
@click.argument("recipe")
@click.option(
    "--set",
    "overrides",
    multiple=True,
    metavar="SECTION.KEY=VALUE",
    help="Another value for a key of the recipe, as in TOML; repeat it for several.",
)
@options.out
def command(recipe: str, overrides: tuple[str, ...], out: Path) -> None:
    """Train a model on reinforced shards.

    RECIPE is a TOML file, or the name of one that comes with the trainer: mobileclip-s0, -s1, -s2,
    -b, -s3 and -s4, mobileclip2-s0, -s2, -b, -s3, -s4 and -l-14, vit-b-16, s0-one-gpu, nano-cpu,
    nano-image, personal, finetune. docs/trainer-train.md explains its keys.

    The folder --out gets the averaged weights (model.safetensors), the last checkpoint, the losses
    and held-out figures as CSV and a plot of them. The same command goes on from the last
    checkpoint, with the same result as a run that was never stopped. For several processes:
    torchrun --nproc-per-node 8 -m trainer train RECIPE --out FOLDER
    """
    from trainer.train.loop import Run, has_checkpoint
    from trainer.train.processes import joined
    from trainer.train.recipe import load_recipe
    from trainer.train.reinforced import ReinforcedTraining
    from trainer.train.sources import open_source
    from trainer.train.student import build_student, load_first_weights, student_config
    from trainer.train.validation import open_validation

    chosen = load_recipe(recipe, overrides)
    chosen.check_files()
    with joined(chosen.run.device) as processes:
        source, told = open_source(chosen)
        model = build_student(chosen)
        fresh = not has_checkpoint(out)
        if fresh:
            load_first_weights(model, chosen)
        validation = (
            open_validation(
                student_config(chosen),
                captioned=chosen.validation_files(),
                labelled=chosen.zero_shot_files(),
                class_names=chosen.data.class_names,
                reinforced=chosen.agreement_files(),
                teachers=chosen.loss.teachers,
                teacher_dims=chosen.data.teacher_dims,
            )
            if processes.first
            else []
        )
        task = ReinforcedTraining(model, chosen, source, validation)
        if fresh:
            task.calibrate_norms()
        about = chosen.about() | {"shards": {"sha256": source.digest}}
        run = Run(task, chosen.settings, out, processes, about)
        resumed = run.resume()
        if processes.first:
            kind = f"{processes.count} x {processes.device.type}"
            click.echo(f"{chosen.model.name} on {told}, {kind}")
            for one in validation:
                click.echo(f"validation: {one.summary}")
            if resumed:
                click.echo(f"going on from step {run.step}")
        figures = run.train()
        if processes.first:
            for name, value in figures.items():
                click.echo(f"{name}: {value:.4f}")
            if run.skipped.count:
                click.echo(
                    f"{run.skipped.count:,} photos could not be read and were left out; "
                    f"{out / 'skipped.csv'} says why"
                )
            click.echo(f"{run.seconds / 60:.1f} minutes; the weights are in {run.model_file}")
