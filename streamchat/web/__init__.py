"""The web side: a page, a native API and the vendors' public ones, for FastAPI and Flask on one core."""
