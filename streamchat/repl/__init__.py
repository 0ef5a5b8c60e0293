"""`streamchat chat`: the loop that a person stays in. The only room that imports prompt_toolkit."""
