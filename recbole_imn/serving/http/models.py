"""What requests carry: types and limits; a wrong value never reaches the recommender."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import Query
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    PlainSerializer,
    Tag,
    TypeAdapter,
    ValidatorFunctionWrapHandler,
    WithJsonSchema,
    WrapValidator,
)

from recbole_imn.serving.http.paths import decoded

LONGEST_ID = 200
MOST_EVENTS = 10_000
MOST_ITEMS = 10_000
MOST_NAMES = 1000
MOST_VALUES = 4096
# Seconds; some 300,000 years either way, and times of a log are exact to the microsecond there.
FARTHEST = 1e13


def _plain(text: str) -> str:
    if any(ord(letter) < 32 or 127 <= ord(letter) < 160 for letter in text):
        raise ValueError("an id has no control characters")
    return text


def _moment(value: Any) -> float | datetime:
    if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= FARTHEST:
        return float(value)
    # Pydantic reads '5' as a moment of 1970; here numbers are numbers, and text is a date.
    if isinstance(value, str) and len(value) >= 10 and value[4] == "-":
        return DATE.validate_python(value)
    raise ValueError("a time is epoch seconds or ISO 8601 such as 2026-11-25T18:30:00Z")


def _asked_moment(value: Any) -> float | datetime | str:
    if value == "now":
        return "now"
    try:
        return _moment(float(value))
    except ValueError:
        return _moment(value)


def _as_told(value: Any, check: ValidatorFunctionWrapHandler) -> Any:
    """Keep whole numbers whole: as names, such as years, they are no others."""
    checked = check(value)
    return value if isinstance(value, int) else checked


DATE = TypeAdapter(datetime)
MOMENT_SCHEMAS: list[dict[str, Any]] = [
    {"type": "number", "minimum": -FARTHEST, "maximum": FARTHEST},
    {"type": "string", "format": "date-time"},
]
ID_SCHEMA = {"pattern": r"^[^\u0000-\u001f\u007f-\u009f]+$"}
Identifier = Annotated[
    str,
    Field(min_length=1, max_length=LONGEST_ID, json_schema_extra=ID_SCHEMA),
    AfterValidator(_plain),
]
PathIdentifier = Annotated[Identifier, BeforeValidator(decoded)]
Moment = Annotated[
    float | datetime, BeforeValidator(_moment), WithJsonSchema({"anyOf": MOMENT_SCHEMAS})
]
AskedMoment = Annotated[
    float | datetime | Literal["now"],
    BeforeValidator(_asked_moment),
    WithJsonSchema({"anyOf": [*MOMENT_SCHEMAS, {"const": "now"}]}),
    Query(
        description="Epoch seconds, ISO 8601 or 'now'; that of the last event if left out, "
        "before which nobody can be asked."
    ),
]
Number = Annotated[
    float,
    Field(strict=True, ge=-1e300, le=1e300, allow_inf_nan=False),
    WrapValidator(_as_told),
    PlainSerializer(lambda value: value),
]
Text = Annotated[str, Field(strict=True, max_length=1000)]
Value = Number | Annotated[bool, Field(strict=True)] | Text
Values = Value | Annotated[list[Value], Field(max_length=MOST_VALUES)] | None


def _named(schema: dict[str, Any]) -> None:
    """Say that names are ids, and that no other names go."""
    schema["additionalProperties"] = schema.pop("patternProperties")[ID_SCHEMA["pattern"]]
    schema["propertyNames"] = {"minLength": 1, "maxLength": LONGEST_ID, **ID_SCHEMA}


class Closed(BaseModel):
    """A part of a request; fields that it does not know are refused."""

    model_config = ConfigDict(extra="forbid")


class Event(Closed):
    """Something that a user did with an item."""

    user: Identifier
    item: Identifier
    time: Moment | None = Field(
        None, description="Epoch seconds or ISO 8601 (UTC without a zone); now if left out."
    )
    behavior: Identifier | None = Field(None, description="Such as 'bid'.")
    purchase: Annotated[bool, Field(strict=True)] | None = None
    features: Annotated[
        dict[Identifier, Value], Field(max_length=100, json_schema_extra=_named)
    ] = Field(default_factory=dict, description="The event's own features.")
    key: Identifier | None = Field(
        None, description="Names this event; one that comes again is not applied again."
    )


class EventBatch(Closed):
    """Events in order of time."""

    events: list[Event] = Field(min_length=1, max_length=MOST_EVENTS)


def _kind(body: Any) -> str:
    batch = isinstance(body, EventBatch) or (isinstance(body, dict) and "events" in body)
    return "batch" if batch else "event"


# Faults are told of the one that was meant.
Events = Annotated[
    Annotated[Event, Tag("event")] | Annotated[EventBatch, Tag("batch")], Discriminator(_kind)
]


class Item(Closed):
    """An item and what is known of it."""

    item: Identifier
    attributes: Annotated[
        dict[Identifier, Values], Field(max_length=100, json_schema_extra=_named)
    ] = Field(default_factory=dict)


class NewItems(Closed):
    """Items to be added."""

    items: list[Item] = Field(min_length=1, max_length=MOST_ITEMS)


class ItemsAt(Closed):
    """Items that go on the shelf, or off it."""

    items: list[Identifier] = Field(min_length=1, max_length=MOST_ITEMS)
    at: Moment | None = Field(None, description="Time of the last event if left out.")
