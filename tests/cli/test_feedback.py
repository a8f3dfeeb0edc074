"""`omni feedback`, on PostgreSQL, where the sums are."""

from tests.cli.conftest import CommandLine

WISH = ("Export usage as CSV", "A download would spare us copying.")


def test_an_item_from_its_submission_to_its_end(omni: CommandLine, tenant: str) -> None:
    of_tenant = ("--tenant", tenant)
    item = omni.json("feedback", "submit", *WISH, "--category", "bug", *of_tenant)
    for person in ("ann", "bob", "bob"):
        omni("feedback", "vote", item["id"], "--person", person, *of_tenant)
    omni("feedback", "withdraw", item["id"], "--person", "ann", *of_tenant)
    assert [one["person"] for one in omni.json("feedback", "votes", item["id"], *of_tenant)["items"]] == ["bob"]
    changed = omni.json("feedback", "change", item["id"], "--status", "resolved", *of_tenant)
    assert (changed["status"], changed["votes"]) == ("resolved", 1)
    shown = omni("feedback", "show", item["id"], *of_tenant).stdout
    assert "A download would spare us copying." in shown
    error = omni.error("feedback", "vote", item["id"], *of_tenant, exits=73)
    assert error["code"] == "feedback.wrong_status"
    summary = omni.json("feedback", "summary", *of_tenant)["items"]
    assert summary == [{"category": "bug", "status": "resolved", "items": 1, "votes": 1}]


def test_a_listing_is_filtered(omni: CommandLine, tenant: str) -> None:
    for title in ("First wish", "Second wish"):
        omni("feedback", "submit", title, WISH[1], "--tenant", tenant)
    where = ("--where", "title starts_with First or votes >= 1")
    listed = omni.json("feedback", "list", "--tenant", tenant, *where)["items"]
    assert [one["title"] for one in listed] == ["First wish"]
    error = omni.error("feedback", "list", "--tenant", tenant, "--where", "colour = red", exits=65)
    assert error["code"] == "kernel.invalid_condition"
    assert "votes" in error["fields"]["allowed"]
