"""The fields of a model of parameters, and of the models inside it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, get_args

from pydantic import AliasChoices, BaseModel
from pydantic.fields import FieldInfo


def names_at(model: type[BaseModel], path: Iterable[int | str]) -> set[str]:
    """The names and aliases that are known at `path`, the location of an object in pydantic's terms."""
    models = {model}
    for part in path:
        # A part that is no field is an index, a key, or the label of a union's member: the models stay.
        inner = {one for outer in models for one in _models_below(outer, part)}
        models = inner or models
    fields = [item for one in models for item in one.model_fields.items()]
    return {name for own, field in fields for name in (own, *_aliases(field))}


def _models_below(model: type[BaseModel], part: int | str) -> Iterator[type[BaseModel]]:
    for name, field in model.model_fields.items():
        if part in (name, *_aliases(field)):
            yield from _models_in(field.annotation)


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _models_in(argument)


def _aliases(field: FieldInfo) -> list[str]:
    alias = field.validation_alias or field.alias
    choices = alias.choices if isinstance(alias, AliasChoices) else [alias]
    return [choice for choice in choices if isinstance(choice, str)]
