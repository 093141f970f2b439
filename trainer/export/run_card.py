"""What a model card can say by itself: what the record of a training run holds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def told_by(record: Mapping[str, Any]) -> dict[str, Any]:
    """The fields `details` and `training` of a card, from what `run.json` holds.

    Raises `ValueError` for a run that is not of `photosearch-trainer train`.
    """
    settings = record["settings"]
    try:
        run, model, data, loss = (settings[name] for name in ("run", "model", "data", "loss"))
        batch, name = run["batch"], model["name"]
    except KeyError as error:
        raise ValueError(f"the run has no settings under {error}, as `train` writes them") from None
    session = record["sessions"][-1]
    steps, optimizer = record.get("step", 0), settings["optimizer"]
    figures = {key: value for key, value in record.get("figures", {}).items() if key != "step"}
    code = session.get("code") or {}
    state = f", of which {code['changed']} files were changed" if code.get("changed") else ""
    told = [
        f"{steps:,} steps of {batch:,} photos ({steps * batch:,} seen) at a rate of "
        f"{optimizer['learning_rate']:g}, in {session['precision']}, from "
        f"{_start(model)}. Distillation counts {loss['lambda']:g} and the contrast of pairs "
        f"{1 - loss['lambda']:g}; captions: {', '.join(loss['captions'])}.",
        f"Data: {', '.join(data['train'])} (sha256 {settings['shards']['sha256'][:16]}).",
        f"It took {record.get('seconds', 0) / 3600:.1f} hours on {session['processes']} x "
        f"{session['device']}, with "
        + ", ".join(f"{each} {number}" for each, number in session["versions"].items())
        + (f"; code of commit {code['commit'][:12]}{state}." if code else "."),
    ]
    if figures:
        shown = ", ".join(f"{key.replace('_', ' ')} {value:.4g}" for key, value in figures.items())
        told.append(f"On the photos held out while it trained: {shown}.")
    return {
        "details": {"Architecture": str(name), "Photos seen": f"{steps * batch:,}"},
        "training": told,
    }


def _start(model: Mapping[str, Any]) -> str:
    given = [str(model[key]) for key in ("init", "image_init", "text_init") if model.get(key)]
    return " and ".join(given) or "random weights"
