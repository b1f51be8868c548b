"""What the native API answers around the comments: policy, models, health."""

from __future__ import annotations

from marshmallow import Schema, fields, validate


class PolicySchema(Schema):
    """What readers may write on this site."""

    site = fields.String(required=True)
    sentence = fields.String(
        required=True,
        metadata={"description": "To print under the comment form."},
    )
    preset = fields.String(required=True)
    tags = fields.Dict(
        fields.String(),
        fields.List(fields.String()),
        required=True,
        metadata={"description": "Tags that are kept, each with its attributes."},
    )
    schemes = fields.List(fields.String(), required=True)
    rel = fields.String(required=True, allow_none=True)
    target = fields.String(required=True, allow_none=True)
    on_disallowed = fields.String(required=True)
    unbalanced = fields.String(required=True)
    masked_links = fields.String(required=True)
    autolink = fields.Boolean(required=True)
    line_breaks = fields.String(required=True)
    max_depth = fields.Integer(required=True)
    max_length = fields.Integer(required=True)
    max_links = fields.Integer(required=True)


class ModelSchema(Schema):
    """An installed model."""

    version = fields.String(required=True)
    active = fields.Boolean(required=True)
    manifest = fields.Dict(
        fields.String(),
        required=True,
        metadata={"description": "What training wrote about it, figures included."},
    )
    problem = fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "Why it cannot be loaded; null for a sound model."},
    )


class ModelsSchema(Schema):
    """All installed models."""

    active = fields.String(required=True)
    models = fields.List(fields.Nested(ModelSchema), required=True)


class ActivatedSchema(Schema):
    """The model in use from now on."""

    active = fields.String(required=True)


class HealthSchema(Schema):
    """The process answers."""

    status = fields.String(required=True, validate=validate.Equal("ok"))


class ReadySchema(Schema):
    """The model judges and the database takes writes."""

    status = fields.String(required=True, validate=validate.Equal("ready"))
    model = fields.String(required=True)
