"""How a tenant gets something of everything: what to ask for, in which order, as the endpoints tell it themselves."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from tests.support.endpoints import Endpoint, places_in


@dataclass(frozen=True)
class Step:
    """A request that makes something or, where it has a `place`, lists what can stand there, in `field` of a row."""

    endpoint: Endpoint
    place: str | None = None
    field: str = "id"

    def __str__(self) -> str:
        return str(self.endpoint) if self.place is None else f"{self.endpoint} for {self.place}"

    def first_of(self, answer: Any) -> str:
        """Return the value for the place, from the first row of what a listing answered."""
        rows = answer if isinstance(answer, list) else answer["items"]
        assert rows, f"{self.endpoint.path} lists nothing: what makes a row of it needs an example of its body"
        value: str = rows[0][self.field]
        return value


def settling(endpoints: Sequence[Endpoint]) -> list[Step]:
    """Return the steps by which a tenant that has nothing gets one of everything and learns the ids.

    Things of a collection that stands below an id are made once the outer ids are known, and found by listing the
    collection below them. What only an operator may list or make is left out.
    """
    own = [endpoint for endpoint in endpoints if not endpoint.is_operators]
    listings = {endpoint.path: endpoint for endpoint in own if endpoint.method == "GET"}
    found = list(_finding(endpoints, listings))
    known = {step.place for step in found}
    made = [
        Step(endpoint)
        for endpoint in own
        if endpoint.examples
        and (not endpoint.places or (endpoint.method == "POST" and endpoint.path in listings))
        and known.issuperset(endpoint.places)
    ]
    # At each depth things are made before they are looked for; sorting keeps the order of the document otherwise.
    return sorted([*made, *found], key=lambda step: len(step.endpoint.places))


def collection_of(place: str) -> str:
    """Return the path of the listing in which the value of a place is found."""
    return place.rpartition("/{")[0]


def thefts(
    endpoint: Endpoint, owner: Mapping[str, str], thief: Mapping[str, str]
) -> Iterator[tuple[Mapping[str, str], Mapping[str, str]]]:
    """Yield values by place that hold an id of the owner's, each with the same ones that hold a guessed one instead.

    Below an id of another collection, the outer ids are the owner's, and then the thief's own.
    """
    if not endpoint.ids:
        return
    guessed = {place: str(uuid4()) for place in endpoint.ids}
    yield owner, {**owner, **guessed}
    innermost = endpoint.ids[-1]
    if len(endpoint.ids) > 1 and innermost in owner:
        yield {**thief, innermost: owner[innermost]}, {**thief, innermost: guessed[innermost]}


def _finding(endpoints: Sequence[Endpoint], listings: Mapping[str, Endpoint]) -> Iterator[Step]:
    """Yield how the value of each place that is an id, or that ids lie below, is found: outer ones first."""
    ids = {place for endpoint in endpoints for place in endpoint.ids}
    wanted = dict.fromkeys(outer for endpoint in endpoints for one in endpoint.ids for outer in places_in(one))
    known: set[str] = set()
    for place in sorted(wanted, key=lambda one: len(places_in(one))):
        listing = listings.get(collection_of(place))
        if listing is not None and known.issuperset(listing.places):
            known.add(place)
            yield Step(listing, place, "id" if place in ids else place.rpartition("{")[2].rstrip("}"))
