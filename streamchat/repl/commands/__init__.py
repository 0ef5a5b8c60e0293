"""The slash commands of the chat, one module per topic; `registry` says how to add one."""
