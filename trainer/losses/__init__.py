"""The losses of reinforced training (MobileCLIP, arXiv 2311.17049, section 3.2).

    student = gather_pairs(images, texts)                  # unit norm (b, d), of this process
    teachers = teacher_pairs(stored_images, stored_texts, dims=(768, 768), scales=(100.0, 100.0))
    terms = reinforced_loss(student, logit_scale, teachers, distillation=0.75)
    terms.total.backward()

Each is a pure function of tensors and a mean over image-text pairs. In several processes each has
its own pairs as rows and everybody's as columns, so that the mean of the processes' losses, and of
their gradients, is that of one process with the whole batch.
"""

from trainer.losses.contrastive import clip_loss, sigmoid_loss
from trainer.losses.distillation import Teacher, distillation_loss, teacher_pairs
from trainer.losses.extensions import bank_loss, feature_loss
from trainer.losses.gather import gather
from trainer.losses.pairs import Pairs, gather_pairs
from trainer.losses.reinforced import Terms, reinforced_loss

__all__ = [
    "Pairs",
    "Teacher",
    "Terms",
    "bank_loss",
    "clip_loss",
    "distillation_loss",
    "feature_loss",
    "gather",
    "gather_pairs",
    "reinforced_loss",
    "sigmoid_loss",
    "teacher_pairs",
]
