"""Who may ask the server: the browser that was given the token, from the server's own pages."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from http.cookies import CookieError, SimpleCookie
from typing import Final
from urllib.parse import parse_qs

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse, RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LOOPBACK: Final = "127.0.0.1"
_SAFE: Final = ("GET", "HEAD")
_LARGEST_BODY: Final = 1 << 20  # bytes
CONTENT_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
# Pages of the study carry their style in themselves and run no script.
REPORT_POLICY: Final = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'"
)
_HEADERS: Final = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}


def new_token() -> str:
    """Return a token that nobody guesses."""
    return secrets.token_urlsafe(24)


class Guard:
    """Lets a request through to the pages, or answers 403.

    A page of another site that the same browser shows can send requests here. It does not know the token, its
    cookies are not sent along (SameSite), and what it asks names its own origin; a name of its own that it
    lets point to this machine shows in Host.

    Parameters
    ----------
    app : ASGI application
    token : str
    port : int
        That the server listens on.
    """

    def __init__(self, app: ASGIApp, *, token: str, port: int) -> None:
        self._app = app
        self._token = token
        self._cookie = f"sudeck-{port}"
        self._hosts = {f"{name}:{port}" for name in (LOOPBACK, "localhost")}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self._app(scope, receive, send)
            return

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
                headers.setdefault("content-security-policy", CONTENT_POLICY)
            await send(message)

        headers = Headers(scope=scope)
        given = parse_qs(scope["query_string"].decode("latin-1")).get("token")
        answer: ASGIApp
        problem = self._problem(scope["method"], headers)
        if problem:
            answer = PlainTextResponse(f"{problem}\n", status_code=403)
        elif given and self._is_token(given) and scope["method"] in _SAFE:
            response = RedirectResponse(scope["path"], status_code=303)  # the token leaves the address
            response.set_cookie(self._cookie, self._token, httponly=True, samesite="strict", path="/")
            answer = response
        elif not self._is_token(self._cookies(headers)):
            answer = PlainTextResponse(
                "This page needs the address that sudeck review printed, with its token.\n", status_code=403
            )
        elif int(headers.get("content-length") or 0) > _LARGEST_BODY:
            answer = PlainTextResponse("That is more than a decision can be.\n", status_code=413)
        else:
            answer = self._app
        await answer(scope, receive, guarded)

    def _problem(self, method: str, headers: Headers) -> str:
        if headers.get("host", "") not in self._hosts:
            return "This server answers to its own address alone."
        origin = headers.get("origin")
        own = {f"http://{host}" for host in self._hosts}
        if (origin is not None or method not in _SAFE) and origin not in own:
            return "Only the review's own pages may ask this."
        if method not in _SAFE and "content-length" not in headers:
            return "A request must say how long it is."
        return ""

    def _cookies(self, headers: Headers) -> list[str]:
        try:
            cookies = SimpleCookie(headers.get("cookie", ""))
        except CookieError:
            return []
        return [cookies[self._cookie].value] if self._cookie in cookies else []

    def _is_token(self, given: Iterable[str]) -> bool:
        return any(secrets.compare_digest(one.encode(), self._token.encode()) for one in given)
