"""The OpenAPI document of the tools' endpoints, made from the tools themselves. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pydantic.json_schema import models_json_schema

from bot.ports.tools import ToolAnswer
from bot.tools.inputs import Call
from bot.tools.tool import Tool

_REF = "#/components/schemas/{model}"


def document(tools: Iterable[Tool], url: str) -> dict[str, Any]:
    """The document, version 3.1."""
    tools = tuple(tools)
    _, found = models_json_schema([(ToolAnswer, "serialization"), (Call, "validation")], ref_template=_REF)
    schemas = {**found["$defs"], **_OWN}
    for tool in tools:
        schemas |= _of(tool)
    schemas["Call"]["properties"]["tool_name"]["enum"] = [tool.name for tool in tools]
    schemas["Call"]["oneOf"] = [_one(tool) for tool in tools]
    return {
        "openapi": "3.1.0",
        "info": {"title": "Frontdesk tools", "version": "1", "description": "Tools of the bot, called by name."},
        "servers": [{"url": url}],
        "security": [{"token": []}],
        "paths": {
            "/api/v1/tools": {"get": _get("listTools", "All tools, with the schema of their arguments.", "ToolList")},
            "/api/v1/tools/execute": {"post": _execute()},
            "/api/v1/tools/jobs/{job_id}": {"get": _job()},
        },
        "components": {"schemas": schemas, "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}}},
    }


def _of(tool: Tool) -> dict[str, Any]:
    """The schemas of a tool, all under its name: two skills may call different things the same."""
    template = _REF.replace("{model}", f"{tool.name}.{{model}}")
    schemas: dict[str, Any] = {}
    parts: dict[str, dict[str, Any]] = {
        "arguments": tool.arguments.model_json_schema(ref_template=template),
        "result": tool.result.model_json_schema(ref_template=template, mode="serialization"),
    }
    for part, schema in parts.items():
        schemas |= {f"{tool.name}.{name}": inner for name, inner in schema.pop("$defs", {}).items()}
        schemas[f"{tool.name}_{part}"] = schema
    return schemas


def _one(tool: Tool) -> dict[str, Any]:
    arguments = {"$ref": _REF.format(model=f"{tool.name}_arguments")}
    one = {"tool_name": {"const": tool.name}, "arguments": arguments}
    return {"title": tool.name, "properties": one, "required": ["tool_name", "arguments"]}


def _schema(name: str) -> dict[str, Any]:
    return {"application/json": {"schema": {"$ref": _REF.format(model=name)}}}


def _errors(*codes: int) -> dict[str, Any]:
    about = {
        400: "Arguments are wrong: `problems` has every mistake.",
        401: "There is no token, or it is none of ours.",
        404: "There is no such tool or job.",
        409: "A call with this idempotency key is at work.",
        413: "Too much was sent.",
        415: "It is neither JSON nor a form.",
        422: "The arguments are of the right form, but the tool can't work with what they carry.",
        429: "Too many calls; see Retry-After.",
        500: "Something went wrong on our side.",
        501: "The tool's engine is not installed.",
        503: "Too much is asked at once; see Retry-After.",
    }
    return {str(code): {"description": about[code], "content": _schema("Problem")} for code in codes}


def _get(id: str, about: str, shape: str) -> dict[str, Any]:
    good = {"200": {"description": about, "content": _schema(shape)}}
    return {"operationId": id, "summary": about, "responses": {**good, **_errors(401, 429, 503)}}


def _execute() -> dict[str, Any]:
    key = {
        "name": "Idempotency-Key",
        "in": "header",
        "description": "The same key and body again get the same answer, for a day.",
        "schema": {"type": "string", "minLength": 1, "maxLength": 200, "pattern": "^[!-~]+$"},
    }
    form = {
        "type": "object",
        "required": ["tool_name"],
        "properties": {
            "tool_name": {"type": "string"},
            "arguments": {"type": "string", "description": "A JSON object: the arguments that are no files."},
            "audio": {"type": "string", "format": "binary"},
            "image": {"type": "string", "format": "binary"},
            "other": {"type": "string", "format": "binary"},
        },
    }
    good = {
        "200": {"description": "The answer.", "content": _schema("ToolAnswer")},
        "202": {"description": "The job that will have the answer.", "content": _schema("Job")},
    }
    return {
        "operationId": "executeTool",
        "summary": "Call a tool.",
        "parameters": [key],
        "requestBody": {"required": True, "content": {**_schema("Call"), "multipart/form-data": {"schema": form}}},
        "responses": {**good, **_errors(400, 401, 404, 409, 413, 415, 422, 429, 500, 501, 503)},
    }


def _job() -> dict[str, Any]:
    id = {"name": "job_id", "in": "path", "required": True, "schema": {"type": "string", "pattern": "^[0-9a-f]{32}$"}}
    good = {"200": {"description": "The job.", "content": _schema("Job")}}
    return {
        "operationId": "getJob",
        "summary": "How far a job is, and its answer once it is done.",
        "parameters": [id],
        "responses": {**good, **_errors(401, 404, 429, 503)},
    }


_OWN: dict[str, Any] = {
    "Problem": {
        "type": "object",
        "required": ["error"],
        "properties": {"error": {"type": "string"}, "problems": {"type": "array", "items": {"type": "string"}}},
    },
    "ToolList": {
        "type": "object",
        "required": ["tools"],
        "properties": {
            "tools": {
                "type": "array",
                "items": {
                    "type": "object",
                    "required": ["name", "description", "installed", "arguments"],
                    "properties": {
                        "name": {"type": "string"},
                        "description": {"type": "string"},
                        "installed": {"type": "boolean"},
                        "arguments": {"type": "object"},
                    },
                },
            }
        },
    },
    "Job": {
        "type": "object",
        "required": ["job_id", "status", "tool_name", "created_at"],
        "properties": {
            "job_id": {"type": "string"},
            "status": {"enum": ["queued", "running", "done", "failed"]},
            "tool_name": {"type": "string"},
            "created_at": {"type": "string", "format": "date-time"},
            "expires_at": {"type": "string", "format": "date-time"},
            "answer": {"$ref": _REF.format(model="ToolAnswer")},
            "code": {"type": "integer"},
            "error": {"type": "string"},
            "problems": {"type": "array", "items": {"type": "string"}},
        },
    },
}
