"""Dataset reinforcement: what the teachers say of each photo, computed once and stored beside it.

MobileCLIP (arXiv 2311.17049), section 3.1. Training on the result costs no more than training
without teachers.

Example::

    from functools import partial

    from trainer.reinforce.networks import open_networks
    from trainer.reinforce.run import ShardJob, reinforce
    from trainer.reinforce.shard import Reinforcement
    from trainer.reinforce.sources import TarShard

    networks = partial(open_networks, ["openclip:ViT-L-14:openai"], "labels")
    job = ShardJob(Path("reinforced"), Reinforcement(views=5, synthetic=2), networks)
    reinforce(job, [TarShard(Path("photos-000.tar"))], workers=4)
"""
