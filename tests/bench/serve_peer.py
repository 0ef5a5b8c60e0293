"""The usual way to serve a stream, AsyncOpenAI and StreamingResponse: `serve_peer PORT BASE_URL` as a module."""

import json
import sys
from collections.abc import AsyncIterator

import uvicorn
from fastapi import FastAPI
from fastapi.responses import StreamingResponse
from openai import AsyncOpenAI
from pydantic import BaseModel

client = AsyncOpenAI(api_key="none", base_url=sys.argv[2])
app = FastAPI()


class Question(BaseModel):
    message: str
    model: str


async def tokens(question: Question) -> AsyncIterator[str]:
    stream = await client.chat.completions.create(
        model=question.model.removeprefix("up/"),
        messages=[{"role": "user", "content": question.message}],
        stream=True,
    )
    async for chunk in stream:
        if chunk.choices and chunk.choices[0].delta.content:
            yield f"data: {json.dumps({'token': chunk.choices[0].delta.content})}\n\n"
    yield f"data: {json.dumps({'done': True})}\n\n"


@app.post("/stream")
async def stream(question: Question) -> StreamingResponse:
    return StreamingResponse(tokens(question), media_type="text/event-stream")


if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="error")
