"""Every exception class of an SDK, made as the SDK makes it."""

from collections.abc import Iterator
from types import ModuleType
from typing import Any

import httpx2

STATUSES = {
    "BadRequestError": 400,
    "AuthenticationError": 401,
    "OAuthError": 401,
    "PaymentRequiredError": 402,
    "PermissionDeniedError": 403,
    "NotFoundError": 404,
    "RequestTimeoutError": 408,
    "ConflictError": 409,
    "PreconditionFailedError": 412,
    "ContentTooLargeError": 413,
    "UnprocessableEntityError": 422,
    "RateLimitError": 429,
    "RequestHeaderFieldsTooLargeError": 431,
    "ClientClosedRequestError": 499,
    "InternalServerError": 500,
    "HTTPNotImplementedError": 501,
    "ServiceUnavailableError": 503,
    "GatewayTimeoutError": 504,
    "OverloadedError": 529,
    "APIStatusError": 418,
}
"""The HTTP status for which an SDK raises each class."""

REQUEST = httpx2.Request("POST", "http://127.0.0.1:9/v1/x")


def classes(sdk: ModuleType, root: str) -> list[type[Exception]]:
    """Everything that derives from the SDK's root, and what else its module of exceptions or its face shows."""
    found = set(_below(getattr(sdk, root)))
    for module in (sdk, sdk._exceptions):
        found |= {value for value in list(vars(module).values()) if _is_error(value, sdk)}
    return sorted(found, key=lambda each: each.__qualname__)


def made(sdk: Any, kind: Any) -> Exception:
    """One of this class, said to be the server's with the words `The reason why.`."""
    if issubclass(kind, sdk.APIStatusError):
        status = next(STATUSES[base.__name__] for base in kind.__mro__ if base.__name__ in STATUSES)
        body = {"type": "error", "error": {"type": "some_error", "message": "The reason why."}}
        response = httpx2.Response(status, request=REQUEST, json=body)
        error: Exception = kind.__new__(kind)
        sdk.APIStatusError.__init__(error, "The reason why.", response=response, body=body)
        return error
    return _made_plainly(sdk, kind)


def _made_plainly(sdk: Any, kind: Any) -> Exception:
    made: Exception
    if issubclass(kind, sdk.APITimeoutError):
        made = kind(REQUEST)
    elif issubclass(kind, sdk.APIConnectionError):
        made = kind(request=REQUEST)
    elif issubclass(kind, sdk.APIResponseValidationError):
        made = kind(httpx2.Response(200, request=REQUEST), None, message="The reason why.")
    elif issubclass(kind, sdk.APIError):
        made = kind("The reason why.", REQUEST, body=None)
    else:
        made = _made_of_words(kind)
    return made


def _made_of_words(kind: Any) -> Exception:
    try:
        plain: Exception = kind("The reason why.")
    except TypeError:  # it wants what only its own resource has
        plain = kind.__new__(kind)
        Exception.__init__(plain, "The reason why.")
    return plain


def _below(kind: type[Exception]) -> Iterator[type[Exception]]:
    yield kind
    for each in kind.__subclasses__():
        yield from _below(each)


def _is_error(value: object, sdk: ModuleType) -> bool:
    """By its real type: the SDK's proxies make a client when they are asked for theirs."""
    return issubclass(type(value), type) and issubclass(value, Exception) and value.__module__.startswith(sdk.__name__)  # type: ignore[arg-type]
