"""The subcommands of `photosearch-trainer`, one module each; `trainer.cli` imports them lazily."""
