"""Models downloaded and removed on the library page, from a hub on this machine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hub_server import Hub, serving
from in_browser import shows
from optional import needs_chromium
from served import Served, served_here
from tiny_openclip import write_folder

from photosearch.pulling.offers import find_offer

pytestmark = needs_chromium


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    with serving() as hub:
        hub.add(
            find_offer("ViT-B-32").repository,
            write_folder(tmp_path_factory.mktemp("models") / "tiny"),
        )
        yield hub


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, hub: Hub) -> Iterator[Served]:
    with (
        pytest.MonkeyPatch.context() as changed,
        served_here(tmp_path_factory.mktemp("models") / "library") as server,
    ):
        changed.setenv("HF_ENDPOINT", hub.url)
        yield server


@pytest.fixture
def page(page: Any) -> Any:
    page.get_by_role("tab", name="Library").click()
    page.get_by_text("More models").click()
    shows(page, ".offers", "offers")
    shows(page, "#place-library", "library")
    return page


def test_a_model_comes_by_its_name_and_goes_again(page: Any, hub: Hub) -> None:
    with hub.holding(1_000_000):
        page.get_by_role("button", name="Download ViT-B-32", exact=True).click()
        page.get_by_text("Downloading ViT-B-32").wait_for()
        # What has come is told of with what comes next, but not with every piece.
        while page.locator(".download progress").evaluate("bar => bar.value") < 0.05:
            with page.expect_response("**/api/download"):
                hub.send_more()
        assert page.get_by_role("button", name="Download ViT-B-16", exact=True).is_disabled()
        page.get_by_role("button", name="Stop", exact=True).last.click()
        page.get_by_text("The partial download of ViT-B-32 is kept").wait_for()

    page.get_by_role("button", name="Download ViT-B-32", exact=True).click()
    here = page.locator(".models:not(.offers)")
    here.locator("strong", has_text="ViT-B-32").wait_for(timeout=120_000)
    # It went on where it was.
    assert hub.ranges()[-1] is not None
    here.get_by_text("licence: MIT").wait_for()
    here.get_by_role("button", name="Use this model").wait_for()
    page.get_by_role("button", name="Remove").click()
    page.get_by_role("dialog").get_by_role("button", name="Remove").click()
    here.locator("strong", has_text="ViT-B-32").wait_for(state="detached")
    page.get_by_role("button", name="Download ViT-B-32", exact=True).wait_for()


def test_a_licence_for_research_only_has_to_be_accepted(page: Any, server: Served) -> None:
    page.get_by_role("button", name="Download MobileCLIP-S0", exact=True).click()
    dialog = page.get_by_role("dialog", name="MobileCLIP-S0 is for research only")
    go = dialog.get_by_role("button", name="Download")
    assert go.is_disabled()
    assert dialog.get_by_role("link").get_attribute("href").endswith("/LICENSE")
    dialog.get_by_label("I have read the licence apple-amlr").check()
    go.click()
    # The hub of this test has it not.
    page.get_by_role("alert").get_by_text("apple/MobileCLIP-S0: has no").wait_for()

    for licence in (None, "MIT"):
        refused = server.post("/api/download", {"name": "MobileCLIP-S0", "licence": licence})
        assert refused.status == 400
        assert "apple-amlr" in refused.json["error"]


def test_without_a_network_it_says_so(
    page: Any, server: Served, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    page.get_by_role("button", name="Download ViT-B-32", exact=True).click()
    page.get_by_role("alert").get_by_text("cannot be reached").wait_for()
    page.locator("button[aria-label='Download ViT-B-32']:enabled").wait_for()

    for name in ("nothing", "../../etc", str(tmp_path)):
        assert server.post("/api/download", {"name": name}).status == 400
        assert server.post("/api/models/remove", {"name": name}).status == 400
