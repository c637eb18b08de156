"""Shillelagh over the same pages, as its guide has one written. Nothing is cached."""

from collections.abc import Iterator

import httpx
import orjson
from shillelagh.adapters.base import Adapter
from shillelagh.fields import Boolean, Float, Integer, String


class PagesAdapter(Adapter):
    id, name, owner, status, note = String(), String(), String(), String(), String()
    size, score, done = Integer(), Float(), Boolean()

    def __init__(self, url: str) -> None:
        super().__init__()
        self.client, self.url = httpx.Client(), url

    supports = staticmethod(lambda uri, fast=True, **_: uri.startswith("http"))
    parse_uri = staticmethod(lambda uri: (uri,))

    def get_data(self, bounds: object, order: object, **_: object) -> Iterator[dict[str, object]]:
        token: str | None = ""
        while token is not None:
            answer = self.client.get(self.url, params={"page_size": 1000, "page_token": token})
            page = orjson.loads(answer.content)
            yield from ({**item, "rowid": item["size"]} for item in page["rows"])
            token = page.get("next")
