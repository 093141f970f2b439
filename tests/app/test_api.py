"""The HTTP API, asked by a real client of a real server process."""

from __future__ import annotations

import os
import re
import select
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest
from known_library import make_library

from photosearch import Library
from photosearch.api import schemas

REPOSITORY = Path(__file__).parents[2]


class Served:
    """`photosearch serve`, running."""

    def __init__(
        self,
        library: Path,
        bundle: Path,
        *options: str,
        token: str = "",
        before: Sequence[str] = (),
    ) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "photosearch", *before, "serve", "--port", "0", *options]
            + ([] if token or options else ["--open-to-this-machine"]),
            env=os.environ
            | {
                "PHOTOSEARCH_LIBRARY": str(library),
                "PHOTOSEARCH_MODEL": str(bundle),
                "PHOTOSEARCH_TOKEN": token,
            },
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        ready, _, _ = select.select([self.process.stdout], [], [], 60)
        assert ready
        line = self.process.stdout.readline()
        self.port = int(re.search(r":(\d+)/v1", line)[1])  # type: ignore[index]
        transport = httpx.HTTPTransport(retries=100)
        self.url = f"http://127.0.0.1:{self.port}"
        self.client = httpx.Client(base_url=self.url, transport=transport, timeout=60)
        while True:
            try:
                self.client.get("/v1/status")
                return
            except httpx.TransportError:
                assert self.process.poll() is None

    def stop(self) -> int:
        self.client.close()
        self.process.send_signal(signal.SIGINT)
        code = self.process.wait(30)
        assert self.process.stdout is not None
        self.process.stdout.close()
        return code


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory, tiny_bundle: Path) -> Path:
    folder = tmp_path_factory.mktemp("api") / "library"
    make_library(folder, tiny_bundle, 120)
    with Library.open(folder, model=tiny_bundle) as library:
        library.saved.add("rome", "a cat in:Rome", sort="newest")
        library.marks.tag([1], add=["People|Anna"])
    return folder


@pytest.fixture(scope="module")
def served(library: Path, tiny_bundle: Path) -> Iterator[Served]:
    server = Served(library, tiny_bundle)
    yield server
    assert server.stop() in (0, 130)


@pytest.mark.slow
def test_a_search_gives_what_the_library_gives(
    served: Served, library: Path, tiny_bundle: Path
) -> None:
    answer = served.client.get(
        "/v1/search",
        params={"q": "a cat -dog rating>=2", "camera": ["canon", "nikon"], "limit": 5, "offset": 2},
    )
    assert answer.status_code == 200
    found = schemas.Found.model_validate(answer.json())
    with Library.open(library, model=tiny_bundle, readonly=True) as direct:
        hits = direct.search("a cat -dog rating>=2 camera:canon camera:nikon", limit=5, offset=2)
    assert [(hit.path, hit.score) for hit in found.hits] == [(hit.path, hit.score) for hit in hits]
    assert (found.total, found.more) == (hits.total, hits.more)
    assert [part.kind for part in found.understood] == ["like", "unlike", "filter"]


@pytest.mark.parametrize(
    ("parameters", "text"),
    [
        ({"before": "2020", "place": "Italy"}, "before:2020 in:Italy"),
        ({"year": "2019-2020", "type": ["raw", "heic"]}, "year:2019-2020 type:raw type:heic"),
        ({"near": "41.9,12.5,10km", "shape": "portrait"}, "near:41.9,12.5,10km is:portrait"),
        ({"has_gps": "true", "video": "false"}, "has:gps -is:video"),
        ({"year": "2018-2020", "lens": "50mm"}, "year:2018-2020 lens:50mm"),
        ({"folder": "trips", "rating": ">=3", "words": "img"}, 'folder:trips rating>=3 "img"'),
    ],
)
def test_filters_are_parameters(served: Served, parameters: dict, text: str) -> None:
    by_parameters = served.client.get("/v1/search", params=parameters).json()
    by_text = served.client.get("/v1/search", params={"q": text}).json()
    assert by_parameters["hits"] == by_text["hits"]
    assert 0 < by_text["total"] < 120


def test_views(served: Served) -> None:
    answer = served.client.get(
        "/v1/search",
        params={"q": "a cat", "sort": "oldest", "group": "day", "collapse": True, "limit": 200},
    ).json()
    schemas.Found.model_validate(answer)
    dates = [hit["taken_at"] for hit in answer["hits"] if hit["taken_at"]]
    assert dates == sorted(dates)
    assert answer["hits"][0]["group"]["key"] == dates[0][:10]
    assert not answer["more"]


def test_a_picture_can_be_sent(served: Served, pictures: Path) -> None:
    with open(pictures / "coffee.png", "rb") as picture:
        answer = served.client.post(
            "/v1/search", files={"images": picture}, params={"q": "type:jpeg", "limit": 3}
        )
    assert len(schemas.Found.model_validate(answer.json()).hits) == 3
    broken = served.client.post("/v1/search", files={"images": b"no picture"})
    assert broken.status_code == 400
    assert "cannot be read" in broken.json()["error"]


def test_photos_similar_ones_saved_searches_and_the_state(served: Served) -> None:
    first = served.client.get("/v1/search", params={"q": "in:Rome", "limit": 1}).json()["hits"][0]
    answer = served.client.get(f"/v1/photos/{first['photo_id']}").json()
    details = schemas.Details.model_validate(answer)
    assert details.path == first["path"]
    assert details.metadata["place"]["city"] == "Rome"
    similar = served.client.get(f"/v1/photos/{first['photo_id']}/similar", params={"limit": 4})
    found = schemas.Found.model_validate(similar.json())
    assert len(found.hits) == 4
    assert first["path"] not in [hit.path for hit in found.hits]
    for name in (f"photo:{first['photo_id']}", quote(first["path"], safe="")):
        assert served.client.get(f"/v1/photos/{name}").json() == answer
        again = served.client.get(f"/v1/photos/{name}/similar", params={"limit": 4}).json()
        assert again == similar.json()
    people = schemas.People.model_validate(served.client.get("/v1/people").json())
    assert [(one.name, one.count) for one in people.people] == [("Anna", 1)]
    assert served.client.get("/v1/photos/1").json()["persons"] == [
        {"name": "Anna", "area": None, "found": False, "face": None}
    ]
    with_anna = served.client.get("/v1/search", params={"person": "anna", "people": "1"}).json()
    assert [hit["photo_id"] for hit in with_anna["hits"]] == [1]
    saved = schemas.Saved.model_validate(served.client.get("/v1/saved").json())
    assert saved.searches[0].text == "a cat in:Rome"
    every = served.client.get("/v1/search", params={"saved": "Rome", "limit": 1000}).json()
    assert every["query"] == "a cat in:Rome"
    dates = [hit["taken_at"] for hit in every["hits"] if hit["taken_at"]]
    assert dates == sorted(dates, reverse=True)
    params = {"saved": "rome", "q": "before:2020", "sort": "oldest", "limit": 1000}
    fewer = served.client.get("/v1/search", params=params).json()
    assert 0 < fewer["total"] < every["total"]
    assert max(hit["taken_at"] for hit in fewer["hits"]) < "2020"
    assert fewer["hits"] == sorted(fewer["hits"], key=lambda hit: hit["taken_at"])
    state = schemas.State.model_validate(served.client.get("/v1/status").json())
    assert (state.photos, state.problems) == (120, 0)
    asked = {"q": "dogs 04/05/2021"}
    meanings = {"en-US": "5 April 2021", "en-GB": "4 May 2021", "de": "4. Mai 2021"}
    for locale, meant in meanings.items():
        by_parameter = served.client.get("/v1/understand", params=asked | {"locale": locale})
        by_header = served.client.get(
            "/v1/understand", params=asked, headers={"accept-language": f"{locale},en;q=0.5"}
        )
        for answer in (by_parameter, by_header):
            assert answer.json()["understood"][1]["meaning"] == meant
    refused = served.client.get("/v1/search", params=asked | {"locale": "???"})
    assert (refused.status_code, "en-GB" in refused.json()["error"]) == (400, True)
    chips = served.client.get("/v1/understand", params={"q": "dogs before:2020"}).json()
    assert [part["name"] for part in chips["understood"]] == ["text", "before"]


@pytest.mark.parametrize(
    ("path", "status", "error"),
    [
        ("/v1/search?q=dogs befor:2020", 400, "did you mean before:"),
        ("/v1/search?q=", 400, "empty"),
        ("/v1/search?q=a&before=never", 400, "before: 'never' is no date"),
        ("/v1/search?q=a&limit=0", 400, "limit"),
        ("/v1/search?q=a&sort=size", 400, "sort"),
        ("/v1/search?saved=paris", 400, "known: rome"),
        ("/v1/search?q=/etc/passwd.jpg", 400, "not in the library"),
        ("/v1/photos/99999", 404, "no photo 99999"),
        ("/v1/photos/0/similar", 404, "no photo 0"),
        ("/v1/photos/123456789012345678901234567890", 422, "too large for one"),
        ("/v1/photos/photo:99999999999999999999/similar", 422, "too large for one"),
        ("/v1/search?q=a photo:99999999999999999999", 422, "too large for one"),
        ("/v1/photos/etc/passwd.jpg", 404, "no photo"),
        ("/v1/photos/%2Fetc%2Fpasswd/similar", 404, "no photo"),
    ],
)
def test_refusals_say_why(served: Served, path: str, status: int, error: str) -> None:
    answer = served.client.get(path)
    assert answer.status_code == status
    assert error in schemas.Refused.model_validate(answer.json()).error
    if "befor:" in path:
        assert answer.json()["position"] == 5


def test_nothing_can_be_changed(served: Served) -> None:
    described = served.client.get("/openapi.json").json()
    methods = {method for path in described["paths"].values() for method in path}
    assert methods == {"get", "post"}
    posted = [path for path, each in described["paths"].items() if "post" in each]
    assert posted == ["/v1/search", "/v1/searches"]  # what is sent is only searched for
    search = described["paths"]["/v1/search"]["get"]
    names = {each["name"] for each in search["parameters"]}
    assert {"q", "before", "near", "rating", "has_gps", "collapse", "offset"} <= names
    assert "Found" in str(search["responses"]["200"])
    assert served.client.delete("/v1/photos/1").status_code == 405


@pytest.mark.slow
def test_pages_of_other_sites_get_nothing(served: Served) -> None:
    for headers, status in (
        ({"Host": "evil.example"}, 421),
        ({"Origin": "http://evil.example"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
    ):
        answer = served.client.get("/v1/status", headers=headers)
        assert (answer.status_code, answer.json().keys()) == (status, {"error"})
    assert served.client.get("/v1/status", headers={"Host": "localhost:1"}).status_code == 200


@pytest.mark.slow
def test_other_machines_need_the_token(library: Path, tiny_bundle: Path) -> None:
    server = Served(library, tiny_bundle, "--host", "0.0.0.0")
    try:
        assert server.process.stdout is not None
        token = server.process.stdout.readline().split()[-1]
        client = server.client
        assert client.get("/v1/status").status_code == 401
        for wrong in ("", "Bearer", f"Bearer {token}x", f"Basic {token}"):
            answer = client.get("/v1/status", headers={"Authorization": wrong})
            assert answer.status_code == 401
            assert "Bearer TOKEN" in answer.json()["error"]
        headers = {"Authorization": f"Bearer {token}"}
        assert client.get("/v1/search?q=cat", headers=headers).status_code == 200
        assert client.get("/openapi.json").status_code == 401
    finally:
        server.stop()


@pytest.mark.slow
def test_on_this_machine_only_the_owner_knows_the_token(library: Path, tiny_bundle: Path) -> None:
    server = Served(library, tiny_bundle, "--host", "127.0.0.1")
    try:
        assert server.client.get("/v1/status").status_code == 401
        assert server.client.get("/openapi.json").status_code == 401
        file = library / "api.token"
        assert file.stat().st_mode & 0o077 == 0
        right = {"Authorization": f"Bearer {file.read_text(encoding='ascii').strip()}"}
        assert server.client.get("/v1/status", headers=right).status_code == 200
    finally:
        code = server.stop()
    assert code in (0, 130)
