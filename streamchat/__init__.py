"""streamchat: ask a language model and watch the answer arrive."""

__version__ = "0.1.0"
