"""Finds card numbers among all the digits that a log holds."""

import re

# Digits in groups that single spaces or hyphens join: a card number, with whatever stands before and after it.
_GROUPS = re.compile(r"(?<!\d)(?<!\d[.,])\d+(?:[ \u00a0-]\d+)*(?!\d)(?![.,]\d)")
_GROUP = re.compile(r"\d+")
_SHORTEST, _LONGEST = 13, 19
_LONG_ENOUGH = re.compile(r"\d(?:[ \u00a0-]?\d){12}")


# Mastercard's second range, which no year is in; 3 to 6, 8 and 9 begin the others.
_FIRST_DIGITS = re.compile(r"[345689]|2(?:22[1-9]|2[3-9]|[3-6]|7[01]|720)")


def mask_card_numbers(text: str, mask: str) -> str:
    """Replace every 13 to 19 digits that may be a card number: by their first digits, and by Luhn's check.

    They may be written in groups, and other numbers may stand beside them. Times in milliseconds and dates do not begin
    as card numbers do, and are never taken for one.
    """
    if _LONG_ENOUGH.search(text) is None:
        return text
    return _GROUPS.sub(lambda match: _mask_within(match[0], mask), text)


def _mask_within(run: str, mask: str) -> str:
    groups = [found.span() for found in _GROUP.finditer(run)]
    shown, done, first = "", 0, 0
    while first < len(groups):
        last = _last_group_of_card(run, groups, first)
        if last is None:
            first += 1
        else:
            shown += run[done : groups[first][0]] + mask
            done, first = groups[last][1], last + 1
    return shown + run[done:]


def _last_group_of_card(run: str, groups: list[tuple[int, int]], first: int) -> int | None:
    digits = ""
    for position in range(first, len(groups)):
        start, end = groups[position]
        digits += run[start:end]
        if len(digits) > _LONGEST:
            return None
        if len(digits) >= _SHORTEST and is_card_number(digits):
            return position
    return None


def is_card_number(digits: str) -> bool:
    """Tell whether the digits begin as a payment card's and pass Luhn's check (ISO/IEC 7812-1, annex B)."""
    numbers = [int(digit) for digit in digits]
    doubled = [number * 2 - 9 * (number > 4) for number in numbers[-2::-2]]
    return _FIRST_DIGITS.match(digits) is not None and (sum(numbers[-1::-2]) + sum(doubled)) % 10 == 0
