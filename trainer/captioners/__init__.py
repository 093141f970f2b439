"""Captioners: where the synthetic captions of dataset reinforcement come from.

    captioner = open_captioner("coca:coca_ViT-L-14:mscoco_finetuned_laion2b_s13b_b90k")
    captioner.caption([photo], [{}], ["photo-1"], count=5)   # [["two dogs run along a beach", ...]]

MobileCLIP's captioner is CoCa (arXiv 2311.17049, section 3.1). Where its weights cannot be had,
captions come from labels: those that stand with the photos, a classifier's or an object detector's.
"""
