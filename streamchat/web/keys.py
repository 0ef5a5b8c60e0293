"""The names of what stands in Redis."""


def owner(owner: str) -> str:
    """Says that a process lives."""
    return f"streamchat:owner:{owner}"


def channel(owner: str) -> str:
    """By which a process is told something."""
    return f"streamchat:tell:{owner}"


def run(run_id: str) -> str:
    """The frames of a run."""
    return f"streamchat:run:{run_id}"


def run_about(run_id: str) -> str:
    """What a run is, and whose."""
    return f"streamchat:about:{run_id}"


def user(user: str) -> str:
    """The runs of a person."""
    return f"streamchat:user:{user}"


def asked(user: str, request_id: str | None) -> str:
    """The run that a request has started."""
    return f"streamchat:asked:{user}:{request_id}"


def conversation(conversation: str) -> str:
    """The run of a conversation."""
    return f"streamchat:conversation:{conversation}"


def code(code: str) -> str:
    """That a one-time code was used."""
    return f"streamchat:code:{code}"
