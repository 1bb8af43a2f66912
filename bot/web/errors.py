"""What becomes of exceptions in HTTP handlers: nothing that a stranger can send makes a 5xx. Knows no route."""

from __future__ import annotations

import traceback
from json import JSONDecodeError

import structlog
from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.typedefs import Handler, Middleware

from bot.alarms import Alarm, Alarms
from bot.clock import Entropy
from bot.errors import StoreUnavailable

RETRY_AFTER = 2  # seconds: platforms deliver again by themselves, so the store only needs a breath
BODY_SECONDS = 60.0

log = structlog.get_logger()


def problem(status: int, error: str, *, id: str = "") -> web.Response:
    """An error as JSON: {"error": "..."}."""
    body = {"error": error, "id": id} if id else {"error": error}
    return web.json_response(body, status=status)


def catching(entropy: Entropy) -> Middleware:
    """The middleware that turns exceptions into answers."""

    alarms = Alarms()

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        cut = _cut_slow_body(request, alarms)
        try:
            return await handler(request)
        except web.HTTPException as answer:
            if answer.status < 400 or (answer.body and answer.content_type == "application/json"):
                raise
            return _as_json(answer)
        except StoreUnavailable:
            log.error("store_unavailable", path=request.path)
            answered = problem(503, "We can't store anything right now; please send it again.")
            answered.headers["Retry-After"] = str(RETRY_AFTER)
            return answered
        except (JSONDecodeError, UnicodeDecodeError, HttpProcessingError):
            return problem(400, "That could not be read.")
        except ConnectionError:
            raise  # the other side is gone; there is nobody to answer
        except Exception as error:
            if _while_reading(error):
                return problem(400, "That could not be read.")
            id = entropy.token()[:12]
            log.error("http_failed", id=id, method=request.method, path=request.path, exc_info=error)
            return problem(500, "Something went wrong on our side.", id=id)
        finally:
            if cut is not None:
                cut.off()

    return middleware


def _as_json(answer: web.HTTPException) -> web.Response:
    """An aiohttp error page as JSON, with the headers that mean something (Allow, Retry-After)."""
    text = answer.text if answer.text and answer.text != f"{answer.status}: {answer.reason}" else answer.reason
    result = problem(answer.status, text)
    for name in ("Allow", "Retry-After", "WWW-Authenticate", "Cache-Control"):
        if name in answer.headers:
            result.headers[name] = answer.headers[name]
    return result


def _while_reading(error: BaseException) -> bool:
    """Whether aiohttp itself raised it while it read the body: then the bytes were wrong (a bad charset, multipart)."""
    readers = ("aiohttp/web_request.py", "aiohttp/multipart.py", "aiohttp/streams.py", "aiohttp/payload.py")
    frames = traceback.extract_tb(error.__traceback__)
    return any(frame.filename.replace("\\", "/").endswith(readers) for frame in frames)


def _cut_slow_body(request: web.Request, alarms: Alarms) -> Alarm | None:
    """Hang up on a body that trickles in; without a body there is nothing to wait for."""
    if not request.can_read_body:
        return None

    def cut() -> None:
        if not request.content.is_eof() and request.transport is not None:
            request.transport.abort()

    return alarms.set(BODY_SECONDS, cut)
