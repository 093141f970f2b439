"""Models offered, downloaded, put to use and removed on the library page, from a hub here."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hub_server import Hub, serving
from in_browser import shows
from optional import needs_chromium
from served import Served, served_here
from tiny_published import publish

from photosearch import Library, UsageError
from photosearch.pulling.offers import OFFERS
from photosearch.ui.downloads import Download, Downloads, Order

pytestmark = [needs_chromium, pytest.mark.slow]

NAME = "ViT-B-32__openai"
# Of the repository's longest file, so much has been sent when the network gets slow.
SOME = 200_000


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory, tiny_bundle: Path) -> Iterator[Hub]:
    """It has a tiny model under the names of all that may be recommended."""
    folder = publish(tiny_bundle, tmp_path_factory.mktemp("models") / "published")
    with serving() as hub:
        for offer in OFFERS:
            if offer.name == NAME or (offer.recommended and offer.kind == "open_clip"):
                hub.add(offer.repository, folder)
        yield hub


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory, tiny_bundle: Path, pictures: Path) -> Path:
    """A library of two photos that a tiny model answers for."""
    place = tmp_path_factory.mktemp("models")
    (place / "photos").mkdir()
    for name in ("coins.png", "camera.png"):
        shutil.copyfile(pictures / name, place / "photos" / name)
    with Library.open(place / "library") as library:
        library.models.use(tiny_bundle)
        for _ in library.index([place / "photos"], workers=1):
            pass
    return place / "library"


@pytest.fixture(scope="module")
def server(library: Path, hub: Hub) -> Iterator[Served]:
    with pytest.MonkeyPatch.context() as changed, served_here(library) as server:
        changed.setenv("HF_ENDPOINT", hub.url)
        yield server


@pytest.fixture
def page(page: Any) -> Any:
    go(page)
    return page


def go(page: Any) -> None:
    page.get_by_role("tab", name="Library").click()
    shows(page, "#place-library", "library")
    shows(page, "#library .best", "offers")


def test_one_click_downloads_encodes_and_switches(page: Any, server: Served, hub: Hub) -> None:
    best = server.ask("/api/offers").json["best"][0]
    card = page.locator("#library .best li")
    assert card.count() == 1
    for fact in (best["name"], "GB", "for your 2 photos", f"licence: {best['licence']}"):
        assert fact in card.inner_text()
    assert not page.locator("#library .offers li").first.is_visible()
    get = page.get_by_role("button", name=f"Download {best['name']} and use it", exact=True)
    with hub.holding(SOME):
        get.click()
        page.get_by_text(f"Downloading {best['name']}").wait_for()
        # What has come is told of with what comes next, but not with every piece.
        while page.locator("#library .download progress").evaluate("bar => bar.value") < 0.05:
            with page.expect_response("**/api/download"):
                hub.send_more()
        assert get.is_disabled()
        page.get_by_role("button", name="Pause", exact=True).click()
        page.get_by_text("What has been downloaded is kept.").wait_for()
    page.reload()
    go(page)
    page.get_by_text(f"{best['name']} is paused").wait_for()
    asked = len(hub.ranges())
    page.get_by_role("button", name="Resume", exact=True).click()
    here = page.locator("#library .models:not(.offers, .best) li", has_text=best["name"])
    here.get_by_text("used for searches").wait_for(timeout=120_000)
    # It went on where it was.
    assert hub.ranges()[asked] is not None
    page.locator("#library .best").get_by_text("downloaded").wait_for()
    state = server.ask("/api/state").json
    assert state["model"].startswith(best["name"])
    assert state["encoded"] == state["photos"] == 2
    assert server.ask("/api/download").json["state"] == "done"


def test_of_all_others_one_comes_and_goes_again(page: Any, server: Served) -> None:
    page.get_by_text("More models").click()
    page.get_by_role("button", name=f"Download {NAME}", exact=True).click()
    here = page.locator("#library .models:not(.offers, .best) li", has_text=NAME)
    here.get_by_text("licence: MIT").wait_for(timeout=120_000)
    here.get_by_role("button", name="Use this model").wait_for()
    here.get_by_role("button", name="Remove").click()
    page.get_by_role("dialog").get_by_role("button", name="Remove").click()
    here.wait_for(state="detached")
    page.get_by_role("button", name=f"Download {NAME}", exact=True).wait_for()


def test_a_licence_for_research_only_has_to_be_accepted(page: Any, server: Served) -> None:
    page.get_by_text("More models").click()
    page.get_by_role("button", name="Download mobileclip_s0", exact=True).click()
    dialog = page.get_by_role("dialog", name="mobileclip_s0 is for research only")
    go = dialog.get_by_role("button", name="Download")
    assert go.is_disabled()
    assert dialog.get_by_role("link").get_attribute("href").endswith("/LICENSE")
    dialog.get_by_label("I have read the licence apple-amlr").check()
    go.click()
    # The hub of this test has it not.
    page.get_by_role("alert").get_by_text("has no config.json").wait_for()
    page.get_by_role("button", name="Discard", exact=True).click()
    page.locator("#library .download").wait_for(state="hidden")
    assert server.ask("/api/download").json["state"] == "idle"

    for licence in (None, "MIT"):
        refused = server.post("/api/download", {"name": "mobileclip_s0", "licence": licence})
        assert refused.status == 400
        assert "apple-amlr" in refused.json["error"]


def test_a_model_comes_from_a_stick(
    page: Any, server: Served, colours: Path, tmp_path: Path
) -> None:
    shutil.copytree(colours, tmp_path / "stick" / "colours")
    page.get_by_role("button", name="Add from a folder").click()
    dialog = page.get_by_role("dialog", name="Choose the folder of a model")
    dialog.get_by_role("button", name="Cancel").click()
    assert server.post("/api/models/add", {"path": "stick"}).status == 400
    assert server.post("/api/models/add", {"path": str(tmp_path / "stick")}).status == 200
    page.reload()
    go(page)
    here = page.locator("#library .models:not(.offers, .best) li", has_text="colours")
    here.get_by_role("button", name="Use this model").wait_for(timeout=60_000)
    for name in ("nothing", "../../etc", str(tmp_path)):
        assert server.post("/api/download", {"name": name}).status == 400
        assert server.post("/api/models/remove", {"name": name}).status == 400


def test_where_downloads_are_switched_off_it_says_so(
    page: Any, server: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PHOTOSEARCH_OFFLINE", "true")
    page.reload()
    go(page)
    page.get_by_text("Downloads are switched off").wait_for()
    page.get_by_text("More models").click()
    page.locator("#library .offers button:disabled").first.wait_for()
    assert page.locator("#library .offers button:enabled").count() == 0


def test_a_model_that_is_named_is_not_changed(
    server: Served, tiny_bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PHOTOSEARCH_MODEL", str(tiny_bundle))
    for path, asked in (("models/use", {}), ("download", {"use": True})):
        refused = server.post(f"/api/{path}", {"name": NAME} | asked)
        assert refused.status == 400
        assert "names a model to use whatever is chosen" in refused.json["error"]


def test_what_was_asked_for_outlives_the_server(
    library: Path, hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_ENDPOINT", hub.url)
    Library.open(tmp_path / "library").close()
    order = Order(NAME, use=True)

    def never(_: str) -> bool:
        raise AssertionError

    first = Downloads(tmp_path / "library", never)
    with hub.holding(SOME):
        assert first.start(order)
        assert not first.start(order)
        first.close()
    # Asked for, and neither paused nor done; the first try is when the library is busy.
    used: list[str] = []

    def use(bundle_id: str) -> bool:
        used.append(bundle_id)
        return len(used) > 1

    second = Downloads(tmp_path / "library", use)
    second.go_on()
    assert second.now.running
    while second.now.running:
        time.sleep(0.05)
    assert second.now == Download(
        "done", NAME, id=used[0], use=True, done=second.now.done, total=second.now.total
    )
    assert used[0].startswith(f"{NAME}-1-")
    assert not (tmp_path / "library" / "download.json").exists()
    second.close()

    for kept in ("", "{}", '{"paused": true, "name": "ViT", "more": 1}', "[1]"):
        (tmp_path / "library" / "download.json").write_text(kept)
        third = Downloads(tmp_path / "library", never)
        third.go_on()
        assert third.now == Download()
        assert not third.resume()
    with pytest.raises(UsageError, match="no model of this name"):
        third.start(Order("nothing"))
