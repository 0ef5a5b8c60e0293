"""A process to kill: journals a stream and prints each word once it is handed on."""

import os
import sys
from pathlib import Path

from streamchat.chat import Reply
from streamchat.events import Text
from streamchat.history.conversation import Conversation


def main(directory: str, words: int) -> None:
    conversation = Conversation.new(Path(directory))
    turn = conversation.begin("Count.", provider="test", model="count")
    os.write(1, f"{conversation.path}\n".encode())
    for event in turn.record(Text(f"{number} ") for number in range(words)):
        assert isinstance(event, Text)
        os.write(1, event.text.encode())
    reply = Reply()
    reply.stop("stop")
    turn.end(reply)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
