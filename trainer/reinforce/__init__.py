"""Dataset reinforcement: what the teachers say of each photo, computed once and stored beside it.

MobileCLIP (arXiv 2311.17049), section 3.1. Training on the result costs no more than training
without teachers.

Example::

    from functools import partial

    from trainer.reinforce.augment import AugmentSettings
    from trainer.reinforce.run import reinforce
    from trainer.reinforce.shard import Recipe, open_ensemble
    from trainer.reinforce.sources import TarShard

    recipe = Recipe(AugmentSettings(), views=5, synthetic=2)
    open_teachers = partial(open_ensemble, ["openclip:ViT-L-14:openai"], "labels")
    reinforce([TarShard(Path("photos-000.tar"))], Path("reinforced"), recipe, open_teachers)
"""
