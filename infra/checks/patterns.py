"""Whether a pattern of EventBridge matches an event, as far as the patterns of the templates go.

A pattern matches where each of its members does. A list in the event matches where one of its elements does. What is
not known here is an error.
"""

import json

ABSENT = object()


def matches(pattern: dict, event) -> bool:
    """Whether each member of a pattern matches that of an event."""
    if isinstance(event, list):
        return any(matches(pattern, item) for item in event)
    if not isinstance(event, dict):
        return False
    return all(member_matches(wanted, event.get(name, ABSENT)) for name, wanted in pattern.items())


def member_matches(wanted, given) -> bool:
    if isinstance(wanted, dict):
        return given is not ABSENT and matches(wanted, given)
    if not isinstance(wanted, list):
        raise ValueError(f"not a list of values: {wanted}")
    if given is ABSENT:
        return {"exists": False} in wanted
    values = given if isinstance(given, list) else [given]
    return any(value_matches(one, value) for one in wanted for value in values)


def value_matches(wanted, value) -> bool:
    match wanted:
        case {"anything-but": but}:
            return not any(same(one, value) for one in (but if isinstance(but, list) else [but]))
        case {"prefix": str(prefix)}:
            return isinstance(value, str) and value.startswith(prefix)
        case {"exists": bool(exists)}:
            return exists
        case dict():
            raise ValueError(f"an unknown comparison: {wanted}")
    return same(wanted, value)


def same(wanted, value) -> bool:
    """As JSON: a number is no text, and 1 is not true."""
    return json.dumps(wanted) == json.dumps(value)
