"""The page, drawn by Gradio: tabs, the search box and buttons.

Photos are shown by our own scripts, which fill the empty places left here. No event runs on the
server through Gradio, so none of its routes for files and events need be reachable.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI

from photosearch.ui.gradio_import import import_gradio

gr = import_gradio()

# Fonts that are on the machine: Gradio's themes may fetch theirs from elsewhere.
_FONT = ("system-ui", "-apple-system", "Segoe UI", "Roboto", "Cantarell", "sans-serif")
_MONO = ("ui-monospace", "SF Mono", "Consolas", "monospace")


def theme() -> Any:
    return gr.themes.Base(
        primary_hue="teal",
        secondary_hue="teal",
        neutral_hue="stone",
        radius_size="lg",
        font=_FONT,
        font_mono=_MONO,
    ).set(
        body_background_fill="#fbfaf8",
        body_background_fill_dark="#161513",
        button_primary_background_fill="#0f766e",
        button_primary_background_fill_hover="#115e59",
        button_primary_background_fill_dark="#0f766e",
        button_primary_background_fill_hover_dark="#14857b",
        button_primary_text_color="#ffffff",
    )


def build(say: Any) -> Any:
    """The page; `say` gives the text for a key, in the language of the browser."""
    with (
        gr.Blocks(
            title="photosearch", analytics_enabled=False, fill_width=True, elem_id="photosearch"
        ) as page,
        gr.Tabs(elem_id="pages"),
    ):
        with gr.Tab(say("tab.search"), id="search", elem_id="tab-search"):
            with gr.Row(elem_id="ask", equal_height=True):
                gr.Textbox(
                    label=say("search.label"),
                    placeholder=say("search.placeholder"),
                    show_label=False,
                    container=False,
                    autofocus=True,
                    elem_id="query",
                    max_length=500,
                    # With more it would be a textarea, which cannot be a combobox.
                    max_lines=1,
                    scale=1,
                )
            _place("results")
        with gr.Tab(say("tab.browse"), id="browse", elem_id="tab-browse"):
            _place("browse")
        with gr.Tab(say("tab.library"), id="library", elem_id="tab-library"):
            _place("library")
    return page


def mount_page(app: FastAPI, texts: Mapping[str, Mapping[str, str]]) -> None:
    """Serve the page at "/" of `app`."""
    say = gr.I18n(**{language: dict(said) for language, said in texts.items()})
    gr.mount_gradio_app(
        app,
        build(say),
        path="/",
        i18n=say,
        theme=theme(),
        footer_links=[],
        run_history=False,
        ssr_mode=False,
        enable_monitoring=False,
        pwa=False,
        mcp_server=False,
        show_error=False,
        max_file_size=1,
    )


def _place(name: str) -> None:
    """An empty place that a script fills.

    No `gr.HTML`: that makes a function of its text in the browser, which the page's policy forbids.
    """
    with gr.Column(elem_id=name, min_width=0):
        gr.Column(elem_id=f"place-{name}", min_width=0)
