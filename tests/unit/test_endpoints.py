"""How tests find their way through the endpoints, on a document whose ids collide and whose collections nest."""

from typing import Any

from tests.support.endpoints import Endpoint, endpoints_of
from tests.support.settling import settling, thefts

SHELF, SHELF_BOOK = "/v1/shelves/{item_id}", "/v1/shelves/{item_id}/books/{book_id}"
CART = "/v1/carts/{item_id}"
PAGE = "/v1/shelves/{item_id}/books/{book_id}/pages/{page_id}"
POEM, POEM_LINE = "/v1/poems/{title}", "/v1/poems/{title}/lines/{line_id}"
SAFE, SAFE_COIN = "/v1/safes/{safe_id}", "/v1/safes/{safe_id}/coins/{coin_id}"


def operation(path: str, scope: str, *, makes: bool = False) -> dict[str, Any]:
    names = [part.strip("{}") for part in path.split("/") if part.startswith("{")]
    schemas = {name: {"type": "string", **({"format": "uuid"} if name.endswith("_id") else {})} for name in names}
    body = {"requestBody": {"content": {"application/json": {"schema": {"examples": [{"name": "one"}]}}}}}
    return {
        "description": f"Do something (scope `{scope}`).",
        "parameters": [{"name": name, "in": "path", "required": True, "schema": schemas[name]} for name in names],
        **(body if makes else {}),
    }


def collection(path: str, place: str, scope: str = "things:write") -> dict[str, Any]:
    """A collection in which things are made and listed, and removed by what is at `place`."""
    return {
        path: {"post": operation(path, scope, makes=True), "get": operation(path, scope)},
        place: {"delete": operation(place, scope)},
    }


# In an order in which nothing can be done: inner collections come before the outer ones.
DOCUMENT = {
    "paths": {
        **collection("/v1/shelves/{item_id}/books/{book_id}/pages", PAGE),
        **collection("/v1/shelves/{item_id}/books", SHELF_BOOK),
        **collection("/v1/poems/{title}/lines", POEM_LINE),
        **collection("/v1/safes/{safe_id}/coins", SAFE_COIN),
        **collection("/v1/shelves", SHELF),
        **collection("/v1/carts", CART),
        **collection("/v1/poems", POEM),
        **collection("/v1/safes", SAFE, "platform:admin"),
        f"{CART}/pay": {"post": operation(f"{CART}/pay", "things:write", makes=True)},
    }
}
ENDPOINTS = endpoints_of(DOCUMENT)


def endpoint(text: str) -> Endpoint:
    (found,) = [one for one in ENDPOINTS if str(one) == text]
    return found


class Library:
    """Answers the steps as a server would that has only what was made in it, and takes no id for another one."""

    def __init__(self) -> None:
        self.rows: dict[str, list[dict[str, str]]] = {}

    def answer(self, request: dict[str, Any]) -> Any:
        rows = self.rows.setdefault(request["url"], [])
        if request["method"] == "POST":
            outer, _, _ = request["url"].removeprefix("/v1/").rpartition("/")
            assert outer == "" or any(row["at"] == outer for rows in self.rows.values() for row in rows), request
            kind = request["url"].rpartition("/")[2]
            row = {"id": f"{kind}-{len(self.rows)}", "title": f"titled-{len(self.rows)}"}
            name = row["title"] if kind == "poems" else row["id"]
            rows.append({**row, "at": f"{request['url'].removeprefix('/v1/')}/{name}"})
        return {"items": rows} if request["url"].endswith("books") else rows


def settled() -> dict[str, str]:
    library, ids = Library(), dict[str, str]()
    for step in settling(ENDPOINTS):
        answer = library.answer(step.endpoint.request(ids))
        if step.place is not None:
            ids[step.place] = step.first_of(answer)
    return ids


def test_the_same_name_below_two_collections_means_two_ids() -> None:
    assert endpoint(f"DELETE {SHELF}").request({SHELF: "1", CART: "2"})["url"] == "/v1/shelves/1"
    assert endpoint(f"DELETE {CART}").request({SHELF: "1", CART: "2"})["url"] == "/v1/carts/2"
    ids = settled()
    assert ids[SHELF].startswith("shelves-")
    assert ids[CART].startswith("carts-")


def test_an_id_below_an_id_is_found_in_the_collection_below_it() -> None:
    ids = settled()
    assert {place: value.partition("-")[0] for place, value in ids.items()} == {
        SHELF: "shelves",
        SHELF_BOOK: "books",
        PAGE: "pages",
        CART: "carts",
        POEM: "titled",
        POEM_LINE: "lines",
    }
    url = endpoint(f"DELETE {PAGE}").request(ids)["url"]
    assert url == f"/v1/shelves/{ids[SHELF]}/books/{ids[SHELF_BOOK]}/pages/{ids[PAGE]}"


def test_what_only_an_operator_may_list_is_neither_made_nor_looked_for() -> None:
    assert [str(step) for step in settling(ENDPOINTS) if "safes" in step.endpoint.path] == []


def test_what_acts_on_a_thing_makes_nothing() -> None:
    assert [str(step) for step in settling(ENDPOINTS) if step.endpoint.path.endswith("/pay")] == []


def test_a_value_that_is_not_known_names_nothing() -> None:
    line = endpoint(f"DELETE {POEM_LINE}")
    assert line.places == (POEM, POEM_LINE)
    assert line.ids == (POEM_LINE,)
    first, second = [line.request({})["url"] for _ in range(2)]
    assert first.startswith("/v1/poems/no-such-name/lines/")
    assert first != second


def test_an_inner_id_is_stolen_below_the_owners_and_below_the_thiefs_outer_id() -> None:
    owner, thief = {SHELF: "theirs", SHELF_BOOK: "theirs"}, {SHELF: "mine", SHELF_BOOK: "mine"}
    book = endpoint(f"DELETE {SHELF_BOOK}")
    urls = [[book.request(ids)["url"] for ids in pair] for pair in thefts(book, owner, thief)]
    assert [stolen for stolen, _ in urls] == ["/v1/shelves/theirs/books/theirs", "/v1/shelves/mine/books/theirs"]
    assert [guessed for _, guessed in urls if "theirs" in guessed] == []
    assert urls[1][1].startswith("/v1/shelves/mine/books/")
    assert len(list(thefts(endpoint(f"DELETE {CART}"), {CART: "theirs"}, {CART: "mine"}))) == 1
    assert list(thefts(endpoint("GET /v1/carts"), owner, thief)) == []
