"""What a conversation has come to, in tokens, and how much of the model's context that is."""

from streamchat.history.conversation import Conversation


def spent(conversation: Conversation) -> list[str]:
    """Phrases about the tokens of the whole conversation, as the providers counted them."""
    usages = [turn.usage for turn in conversation.every()]
    given = sum(usage.input_tokens or 0 for usage in usages)
    made = sum(usage.output_tokens or 0 for usage in usages)
    return [f"{given:,} in, {made:,} out"] if given or made else []
