"""The providers that are there without any configuration, as the tables a person could have written.

To add one, add a table; `config.example.toml`, the name completion and the docs follow from it.
"""

from typing import Any

KNOWN: dict[str, dict[str, Any]] = {
    "openai": {
        "kind": "openai",
        "base_url": "https://api.openai.com/v1",
        "api_key_env": "OPENAI_API_KEY",
        "model": "gpt-6-sol",
    },
    "anthropic": {
        "kind": "anthropic",
        "base_url": "https://api.anthropic.com",
        "api_key_env": "ANTHROPIC_API_KEY",
        "model": "claude-sonnet-5-5",
    },
    "local": {"kind": "local"},
    "replay": {"kind": "replay"},
    "echo": {"kind": "echo"},
    "ollama": {"kind": "openai", "base_url": "http://127.0.0.1:11434/v1"},
    "lmstudio": {"kind": "openai", "base_url": "http://127.0.0.1:1234/v1"},
    "llama-server": {"kind": "openai", "base_url": "http://127.0.0.1:8080/v1"},
    "vllm": {"kind": "openai", "base_url": "http://127.0.0.1:8000/v1"},
    "openrouter": {"kind": "openai", "base_url": "https://openrouter.ai/api/v1", "api_key_env": "OPENROUTER_API_KEY"},
    "groq": {"kind": "openai", "base_url": "https://api.groq.com/openai/v1", "api_key_env": "GROQ_API_KEY"},
    "deepseek": {"kind": "openai", "base_url": "https://api.deepseek.com/v1", "api_key_env": "DEEPSEEK_API_KEY"},
    "gemini": {
        "kind": "openai",
        "base_url": "https://generativelanguage.googleapis.com/v1beta/openai/",
        "api_key_env": "GEMINI_API_KEY",
    },
    "mistral": {"kind": "openai", "base_url": "https://api.mistral.ai/v1", "api_key_env": "MISTRAL_API_KEY"},
    "xai": {"kind": "openai", "base_url": "https://api.x.ai/v1", "api_key_env": "XAI_API_KEY"},
    "together": {"kind": "openai", "base_url": "https://api.together.xyz/v1", "api_key_env": "TOGETHER_API_KEY"},
}

ENDPOINTS = {kind: KNOWN[kind]["base_url"] for kind in ("openai", "anthropic")}
"""Each vendor's own address: where a provider of that kind is asked when its table names no other."""

ENDPOINT_VARIABLES = {"openai": "OPENAI_BASE_URL", "anthropic": "ANTHROPIC_BASE_URL"}
"""The variable that moves the provider of that name (and no other) to another address."""
