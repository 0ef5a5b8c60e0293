"""The configuration: what can be set, where it was set, and the values that one run works with."""

from streamchat.config.resolve import change, check, load, resolve
from streamchat.config.settings import Settings

__all__ = ["Settings", "change", "check", "load", "resolve"]
